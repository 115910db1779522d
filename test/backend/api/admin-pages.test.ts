import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startDomain } from '../connect/start-domain.ts'
import type { DomainUnderTest, Member } from '../connect/start-domain.ts'
import type { Browser } from '../connect/browser.ts'

let t: DomainUnderTest
beforeAll(async () => {
  t = await startDomain()
})
afterAll(async () => t.close())

const page = '/connect/admin'

/** Sends what the form of the policy sends, with a token that may be another page's. */
async function post(browser: Browser, path: string, fields: URLSearchParams, origin = t.url) {
  const jar = browser.cookies.get(new URL(t.url).host) ?? new Map<string, string>()
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { cookie, origin }
  const url = `${t.url}${page}/${path}`
  return fetch(url, { method: 'POST', body: fields, headers, redirect: 'manual' })
}

async function fieldsFor(browser: Browser, more: readonly (readonly [string, string])[]) {
  const { text } = await browser.open(`${t.url}${page}`)
  const form = /name="form"\s+value="([^"]+)"/.exec(text)?.[1] ?? ''
  const fields = new URLSearchParams({ form })
  for (const [name, value] of more) fields.append(name, value)
  return fields
}

const chosen = [
  ['sources', 'google-drive'],
  ['destinations', 'dropbox'],
  ['personalAccounts', 'no'],
  ['places', 'dropbox Example.com /Backups of all\r\ndropbox dbid:AAA'],
  ['wholeDrive', 'people'],
  ['people', 'person@example.com'],
] as const

const policyAt = async (who: Member) => (await t.call(who, 'GET', '/v1/admin/policy')).body

it('shows how a domain is connected, connects it, and then what an administrator may do', async () => {
  const browser = await t.browserOf(t.ada)
  const first = await browser.open(`${t.url}${page}`)
  expect(first.text).toContain(t.clientId)
  expect(first.text.match(/: missing/g)).toHaveLength(3)
  expect(first.text).not.toContain('Save the policy')
  t.delegate()
  const seen = await browser.press(first, /Check and connect/)
  expect([seen.url, seen.status]).toEqual([`${t.url}${page}`, 200])
  expect(seen.text).toContain('The domain is connected')
  expect(seen.text).toContain('Save the policy')
  expect(seen.text).toContain(t.ada.email)
  await t.waybill.chainActs()
  expect((await browser.open(seen.url)).text).toContain('connected a domain')
})

it('takes a policy by its form, and shows it again', async () => {
  const browser = await t.browserOf(t.ada)
  const answer = await post(browser, 'policy', await fieldsFor(browser, chosen))
  expect([answer.status, answer.headers.get('location')]).toEqual([303, page])
  expect((await policyAt(t.ada))['policy']).toEqual({
    sources: ['google-drive'],
    destinations: ['dropbox'],
    personalAccounts: false,
    places: [
      { provider: 'dropbox', account: { domain: 'example.com' }, folder: '/Backups of all' },
      { provider: 'dropbox', account: { id: 'dbid:AAA' }, folder: null },
    ],
    wholeDrive: { people: ['person@example.com'] },
  })
  const { text } = await browser.open(`${t.url}${page}`)
  expect(text).toMatch(/dropbox example.com \/Backups of all\ndropbox dbid:AAA/)
  expect(text).toMatch(/value="no"\s+checked/)
})

it('says what is wrong, and changes nothing', async () => {
  const browser = await t.browserOf(t.ada)
  const before = await policyAt(t.ada)
  for (const wrong of [
    ['places', 'teleport example.com'],
    ['wholeDrive', 'some'],
    ['sources', 'ftp'],
  ] as const) {
    const others = chosen.filter(([name]) => name !== wrong[0])
    const answer = await post(browser, 'policy', await fieldsFor(browser, [...others, wrong]))
    expect([wrong, answer.status]).toEqual([wrong, 400])
  }
  expect(await policyAt(t.ada)).toEqual(before)
})

it('takes nothing from another site, another session or anybody else', async () => {
  const browser = await t.browserOf(t.ada)
  const fields = await fieldsFor(browser, chosen)
  expect((await post(browser, 'policy', fields, 'https://evil.example')).status).toBe(403)
  const other = await t.browserOf(t.adam)
  expect((await post(other, 'policy', fields)).status).toBe(403)
  const own = await other.open(`${t.url}${page}`)
  expect(own.text).not.toContain('Save the policy')
  expect(own.text).not.toContain(t.ada.email)
  for (const path of ['policy', 'freeze', 'unfreeze'])
    expect((await post(other, path, await fieldsFor(other, chosen))).status).toBe(403)
  const nobody = await fetch(`${t.url}${page}`)
  expect(await nobody.text()).toContain('Sign in with Google')
})

it('freezes and unfreezes by its buttons', async () => {
  const browser = await t.browserOf(t.ada)
  const seen = await browser.open(`${t.url}${page}`)
  const frozen = await browser.press(seen, /Freeze everybody/)
  expect(frozen.text).toContain('End the freeze of everybody')
  await browser.press(frozen, /End the freeze of everybody/)
  const { body } = await t.call(t.ada, 'GET', '/v1/admin/policy')
  expect(body['frozenSince']).toBe(null)
})
