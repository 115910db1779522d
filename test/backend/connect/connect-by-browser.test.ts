import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import type { AccountProvider } from '../../../shared/account.ts'
import { createBrowser } from './browser.ts'
import { startConnecting } from './start-connecting.ts'
import type { ConnectingUnderTest } from './start-connecting.ts'

let t: ConnectingUnderTest
beforeAll(async () => {
  t = await startConnecting({ WAYBILL_WHOLE_DRIVE: 'on' })
})
afterAll(async () => t.close())

const list = z.array(z.record(z.string(), z.unknown()))

async function connections(who = t.ann): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { body } = await t.api(who, 'GET', '/v1/connections')
  return list.parse(body['connections'])
}
const accountAt = (provider: AccountProvider): string =>
  provider === 'google-drive' ? t.clouds.drive.account.email : t.clouds[provider].account.email

describe.each([
  ['google-drive', 'whole'],
  ['dropbox', undefined],
  ['box', undefined],
  ['microsoft', undefined],
] as const)('an account at %s (%s)', (provider, tier) => {
  it('is connected from a link, shown, and confirmed', async () => {
    const browser = await t.browserOf(t.ann)
    const asks = await browser.open(await t.link(t.ann, provider, tier))
    expect(asks.status).toBe(200)
    expect(asks.text).toMatch(/will ask you to allow/)
    const back = await browser.press(asks, /Continue to/)
    const callback = `${t.url}/oauth/${provider}/callback`
    expect(back.through.some((url) => url.startsWith(callback))).toBe(true)
    expect(back.text).toContain(accountAt(provider))
    const id = new URL(back.url).pathname.split('/').at(-1)
    const before = (await connections()).find((each) => each['id'] === id)
    expect(before).toMatchObject({ provider, state: 'unconfirmed', tier: tier ?? null })
    expect((await browser.press(back, /Yes, use this account/)).text).toContain('Connected.')
    const after = (await connections()).find((each) => each['id'] === id)
    expect(after).toMatchObject({ provider, state: 'ready', account: accountAt(provider) })
  })

  it('that is connected again keeps its connection, and is not asked about again', async () => {
    const before = await connections()
    const browser = await t.browserOf(t.ann)
    const back = await t.goThrough(browser, await t.link(t.ann, provider))
    expect(back.text).toContain('Connected.')
    expect((await connections()).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
  })
})

it('is refused in words when it is denied, or a box is left unticked', async () => {
  const browser = await t.browserOf(t.bob)
  t.oauth('dropbox').nextVisit({ decision: 'deny' })
  const denied = await t.goThrough(browser, await t.link(t.bob, 'dropbox'))
  expect(denied.text).toContain('You did not allow')
  const scope = 'https://www.googleapis.com/auth/drive.file'
  t.oauth('google').nextVisit({ decision: 'allow', as: t.ann.sub, untick: [scope] })
  const link = await t.link(t.bob, 'google-drive', 'picked')
  // What was allowed before would be granted again.
  t.oauth('google').withdraw(t.ann.sub)
  expect((await t.goThrough(browser, link)).text).toContain('left unticked')
  expect(await connections(t.bob)).toEqual([])
})

describe('a job', () => {
  const create = async (from: unknown, to: unknown, selection: object) =>
    t.api(t.ann, 'POST', '/v1/jobs', {
      kind: 'copy',
      source: { connection: from, selection },
      destination: { connection: to, folder: '/Backup' },
    })
  const idOf = async (provider: AccountProvider) =>
    (await connections()).find((each) => each['provider'] === provider)?.['id']
  const whole = { kind: 'drive', sharedDrives: false }

  it('is refused for accounts that Waybill cannot copy to yet', async () => {
    for (const provider of ['box', 'microsoft'] as const) {
      const answer = await create(await idOf('google-drive'), await idOf(provider), whole)
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } })
      expect(JSON.stringify(answer.body)).toContain('to a Dropbox connection')
    }
  })

  it('is refused for an account that nobody has confirmed', async () => {
    const browser = await t.browserOf(t.ann)
    const to = String(await idOf('dropbox'))
    await t.api(t.ann, 'DELETE', `/v1/connections/${to}`)
    const back = await t.goThrough(browser, await t.link(t.ann, 'dropbox'))
    const unconfirmed = new URL(back.url).pathname.split('/').at(-1)
    const items = { kind: 'items', ids: ['a'] }
    const ask = async () => create(await idOf('google-drive'), unconfirmed, items)
    expect(await ask()).toMatchObject({
      status: 409,
      body: { error: { code: 'connection_unconfirmed' } },
    })
    const path = `/v1/connections/${unconfirmed}/confirm`
    expect((await t.api(t.ann, 'POST', path)).body).toMatchObject({ state: 'ready' })
    expect(await ask()).toMatchObject({ status: 201 })
  })

  it('is refused for a folder or the whole of a Drive of which only picked files are there', async () => {
    await t.waybill.disconnect(t.ann.user, String(await idOf('google-drive')))
    const browser = await t.browserOf(t.ann)
    const back = await t.goThrough(browser, await t.link(t.ann, 'google-drive', 'picked'))
    await browser.press(back, /Yes, use this account/)
    for (const selection of [whole, { kind: 'folder', id: 'x' }])
      expect(
        await create(await idOf('google-drive'), await idOf('dropbox'), selection),
      ).toMatchObject({
        status: 400,
        body: { error: { message: expect.stringContaining('picked files only') } },
      })
  })
})

it('pages say nothing to other sites, run nothing, and let the sidebar notice that they are closed', async () => {
  const { headers } = await createBrowser().open(await t.link(t.ann, 'box'))
  expect(headers.get('cross-origin-opener-policy')).toBeNull()
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('content-security-policy')).not.toContain('unsafe')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('referrer-policy')).toBe('same-origin')
})

describe('a link', () => {
  it('leads somebody who is not signed in through Google, and back to what was asked', async () => {
    const browser = createBrowser()
    const first = await browser.open(await t.link(t.bob, 'box'))
    t.oauth('google').nextVisit({ decision: 'allow', as: t.bob.sub })
    const asks = await browser.press(first, /Sign in with Google/)
    expect(asks.text).toContain('Connect Box')
    const back = await browser.press(asks, /Continue to Box/)
    expect(back.text).toContain('Is this your Box?')
    expect((await browser.press(back, /No, disconnect it/)).text).toContain('Its access was taken')
    expect(await connections(t.bob)).toEqual([])
  })

  it('is good for the one it was made for only', async () => {
    const browser = await t.browserOf(t.bob)
    const asks = await browser.open(await t.link(t.ann, 'dropbox'))
    expect([asks.status, asks.text]).toEqual([403, expect.stringContaining('somebody else')])
  })

  it('is good for one sign-in', async () => {
    const browser = await t.browserOf(t.ann)
    const link = await t.link(t.ann, 'dropbox')
    const asks = await browser.open(link)
    await browser.press(asks, /Continue to/, t.clouds.dropbox.url)
    expect((await browser.press(asks, /Continue to/)).status).toBe(409)
    expect((await browser.open(link)).status).toBe(409)
  })

  it('is refused for what this installation does not do', async () => {
    const asked = async (body: object) => t.api(t.ann, 'POST', '/v1/connections/start', body)
    expect(await asked({ provider: 'dropbox', tier: 'whole' })).toMatchObject({ status: 400 })
    expect(await asked({ provider: 'ftp' })).toMatchObject({ status: 400 })
    const plain = await startConnecting({ BOX_CLIENT_ID: '', BOX_CLIENT_SECRET: '' })
    const start = '/v1/connections/start'
    const whole = { provider: 'google-drive', tier: 'whole' }
    expect(await plain.api(plain.ann, 'POST', start, whole)).toMatchObject({ status: 400 })
    const box = await plain.api(plain.ann, 'POST', start, { provider: 'box' })
    expect(box.body).toMatchObject({ error: { code: 'settings_invalid' } })
    await plain.close()
  })

  it('of the terminal signs in the owner of a Waybill on one machine', async () => {
    const { url } = await t.waybill.connectLink('the-owner', { provider: 'box' }, true)
    const browser = createBrowser()
    const back = await t.goThrough(browser, url)
    expect((await browser.press(back, /Yes, use/)).text).toContain('Connected.')
    expect(await t.waybill.connections.list('the-owner')).toMatchObject([{ state: 'ready' }])
  })
})

describe('a sign-in', () => {
  const callback = (provider: AccountProvider) => `${t.url}/oauth/${provider}/callback`

  it('that another Google account finishes in the same browser is refused', async () => {
    const browser = await t.browserOf(t.ann)
    const back = await t.goThrough(browser, await t.link(t.ann, 'dropbox'), callback('dropbox'))
    const other = await t.browserOf(t.bob)
    const [host] = [new URL(t.url).host]
    const session = '__Host-waybill-session'
    const theirs = other.cookies.get(host)?.get(session) ?? ''
    browser.cookies.get(host)?.set(session, theirs)
    expect((await browser.open(back.url)).status).toBe(403)
    expect(await connections(t.bob)).toEqual([])
  })

  it('is heard once', async () => {
    const browser = await t.browserOf(t.ann)
    const back = await t.goThrough(browser, await t.link(t.ann, 'box'), callback('box'))
    const cookies = [...(browser.cookies.get(new URL(t.url).host) ?? [])]
    expect((await browser.open(back.url)).status).toBe(200)
    for (const [name, value] of cookies) browser.cookies.get(new URL(t.url).host)?.set(name, value)
    expect((await browser.open(back.url)).status).toBe(404)
  })

  it.each([
    'oidc.wrong_issuer',
    'oidc.wrong_audience',
    'oidc.wrong_nonce',
    'oidc.expired',
    'oidc.foreign_key',
    'oauth.wrong_state',
    'oauth.wrong_iss',
  ])('with %s is refused', async (fault) => {
    const browser = createBrowser()
    const first = await browser.open(`${t.url}/connect/accounts`)
    const route = fault.startsWith('oauth') ? 'google.authorize' : 'google.token'
    t.clouds.drive.faults.plan({ route, fault })
    const seen = await browser.press(first, /Sign in with Google/)
    expect([fault, seen.status < 500 && seen.status >= 400]).toEqual([fault, true])
    expect(browser.cookies.get(new URL(t.url).host)?.has('__Host-waybill-session')).toBe(false)
  })
})

describe('a form', () => {
  it('that does not come from our own page is refused', async () => {
    const browser = await t.browserOf(t.ann)
    const seen = await browser.open(`${t.url}/connect/accounts`)
    const evil = { ...seen, url: 'https://evil.example/' }
    const text = seen.text.replaceAll('action="/', `action="${t.url}/`)
    expect((await browser.press({ ...evil, text }, /Sign out/)).status).toBe(403)
    const forged = seen.text.replaceAll(/name="form" value="[^"]+"/g, 'name="form" value="x"')
    expect((await browser.press({ ...seen, text: forged }, /Sign out/)).status).toBe(403)
    expect((await browser.open(`${t.url}/connect/accounts`)).text).toContain(t.ann.email)
    expect((await browser.press(seen, /Sign out/)).text).toContain('Signed out')
    expect((await browser.open(`${t.url}/connect/accounts`)).text).toContain('Sign in')
  })
})

it('no address, token, cookie or secret of anybody is on the disk', async () => {
  const browser = await t.browserOf(t.ann)
  const back = await t.goThrough(browser, await t.link(t.ann, 'box'), `${t.url}/oauth/`)
  const link = await t.link(t.ann, 'dropbox')
  const tokens = (['google', 'dropbox', 'box', 'microsoft'] as const).flatMap((provider) =>
    t
      .oauth(provider)
      .liveGrants()
      .flatMap((grant) => [...grant.accessTokens, ...grant.refreshTokens]),
  )
  const secrets = [
    ...tokens,
    new URL(link).pathname.split('/').at(-1) ?? '',
    new URL(back.url).searchParams.get('state') ?? '',
    ...(browser.cookies.get(new URL(t.url).host)?.values() ?? []),
    t.ann.email,
    t.ann.sub,
    t.clouds.box.account.email,
    t.clouds.dropbox.account.email,
  ]
  expect(secrets.length).toBeGreaterThan(15)
  const stored = t.stored()
  expect(stored).toContain('google-drive')
  expect(secrets.filter((secret) => secret === '' || stored.includes(secret))).toEqual([])
})

it('no address, token, code or secret is in the log', () => {
  const text = t.logged.join('')
  expect(text).toContain('/oauth/dropbox/callback')
  expect(text).not.toMatch(/@|access-|refresh-|code-|state=|[A-Za-z0-9_-]{43}/)
})
