import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createBrowser } from '../backend/connect/browser.ts'
import type { Browser } from '../backend/connect/browser.ts'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../backend/connect/start-connecting.ts'
import type { DriveTier } from '../../shared/account.ts'

let t: ConnectingUnderTest
let browser: Browser
let id: string
beforeAll(async () => {
  t = await startConnecting({ WAYBILL_WHOLE_DRIVE: 'on' })
  browser = await t.browserOf(t.ann)
  id = await connected(browser, 'picked')
})
afterAll(async () => t.close())

async function connected(by: Browser, tier: DriveTier): Promise<string> {
  const back = await t.goThrough(by, await t.link(t.ann, 'google-drive', tier))
  if (/Is this your/.test(back.text)) await by.press(back, /Yes, use/)
  return new URL(back.url).pathname.split('/').at(-1) ?? ''
}

const pickUrl = (of = id): string => `${t.url}/connect/accounts/${of}/pick`

async function post(ids: string, by = browser): Promise<Response> {
  const host = new URL(t.url).host
  const cookie = [...(by.cookies.get(host) ?? [])].map((pair) => pair.join('=')).join('; ')
  const { text } = await by.open(`${t.url}/connect/accounts`)
  const form = /name="form"\s+value="([^"]+)"/.exec(text)?.[1] ?? ''
  return fetch(pickUrl(), {
    method: 'POST',
    headers: { cookie, origin: t.url },
    body: new URLSearchParams({ form, ids }),
  })
}

const kept = async () => (await t.api(t.ann, 'GET', `/v1/connections/${id}/picked`)).body

describe('the page on which files are picked', () => {
  it('is the only one that lets a script run: those with its nonce, which is another one each time', async () => {
    const [one, two] = [await browser.open(pickUrl()), await browser.open(pickUrl())]
    const nonceOf = (policy: string | null) =>
      /script-src 'nonce-([\w-]{24})'/.exec(policy ?? '')?.[1]
    const policy = one.headers.get('content-security-policy')
    const nonce = nonceOf(policy)
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(
      `frame-src https://docs.google.com https://drive.google.com ${t.clouds.drive.url}`,
    )
    expect(nonce).not.toBe(nonceOf(two.headers.get('content-security-policy')))
    const scripts = [...one.text.matchAll(/<script [^>]*nonce="([^"]+)"[^>]*src="([^"]+)"/g)]
    expect(scripts.map(([, used]) => used)).toEqual([nonce, nonce])
    expect(scripts[0]?.[2]).toBe(`${t.clouds.drive.url}/js/api.js`)
    expect(one.headers.get('referrer-policy')).toBe('strict-origin')
    expect(one.headers.get('cache-control')).toBe('no-store')
    const other = await browser.open(`${t.url}/connect/accounts/${id}`)
    expect(other.headers.get('content-security-policy')).not.toContain('script-src')
  })

  it('shows only the files that were asked for, if some were', async () => {
    expect((await browser.open(`${pickUrl()}?files=1a,1b`)).text).toContain('data-files="1a,1b"')
    expect((await browser.open(`${pickUrl()}?files=1a"><x`)).text).toContain('data-files=""')
  })

  it('leads somebody who is not signed in through Google, and back', async () => {
    const own = createBrowser()
    const first = await own.open(`${pickUrl()}?files=1a,1b`)
    t.oauth('google').nextVisit({ decision: 'allow', as: t.ann.sub })
    const seen = await own.press(first, /Sign in with Google/)
    expect(seen.url).toBe(`${pickUrl()}?files=1a,1b`)
    expect(seen.text).toContain('Pick files for Waybill')
  })

  it('leads nobody anywhere else', async () => {
    for (const onward of ['//evil.example', 'accounts/../../x', 'accounts/a/pick?files=1#x']) {
      const own = createBrowser()
      const first = await own.open(`${pickUrl()}?files=1a`)
      t.oauth('google').nextVisit({ decision: 'allow', as: t.ann.sub })
      const text = first.text.replace(
        /name="onward"\s+value="[^"]+"/,
        `name="onward" value="${onward}"`,
      )
      expect((await own.press({ ...first, text }, /Sign in/)).url).toBe(`${t.url}/connect/accounts`)
    }
  })

  it('is for its owner, and tells nobody else that there is one', async () => {
    const bob = await t.browserOf(t.bob)
    expect((await bob.open(pickUrl())).status).toBe(404)
    expect((await post('1a', bob)).status).toBe(404)
    expect(await kept()).toMatchObject({ ids: [], pickedAt: null })
  })

  it('never has the token of a whole Drive, or of an account that nobody has confirmed', async () => {
    const third = await startConnecting({ WAYBILL_WHOLE_DRIVE: 'on' })
    const by = await third.browserOf(third.ann)
    const back = await third.goThrough(by, await third.link(third.ann, 'google-drive', 'whole'))
    const url = `${back.url}/pick`
    expect((await by.open(url)).status).toBe(409)
    await by.press(back, /Yes, use/)
    const seen = await by.open(url)
    expect([seen.status, seen.text]).toEqual([409, expect.stringContaining('no files have to be')])
    expect(seen.text).not.toContain('data-token')
    await third.close()
  })

  it('gives out no token, and takes no files, while everything is frozen', async () => {
    await t.waybill.freeze(t.ann.user)
    const seen = await browser.open(pickUrl())
    const { ok } = await post('1a')
    await t.waybill.unfreeze(t.ann.user)
    expect([seen.text.includes('data-token'), ok]).toEqual([false, false])
    expect((await browser.open(pickUrl())).text).toContain('data-token')
  })

  it('says so where this Waybill has no picker', async () => {
    const plain = await startConnecting({ GOOGLE_API_KEY: '', GOOGLE_APP_ID: '' })
    const by = await plain.browserOf(plain.ann)
    const back = await plain.goThrough(by, await plain.link(plain.ann, 'google-drive'))
    await by.press(back, /Yes, use/)
    const seen = await by.open(`${back.url}/pick`)
    expect([seen.status, seen.text]).toEqual([409, expect.stringContaining('no file picker')])
    await plain.close()
  })
})

describe('what is picked', () => {
  it('is kept until something else is, at most a thousand', async () => {
    const many = Array.from(
      { length: 1_000 },
      (_, number) => `1${String(number).padStart(43, 'x')}`,
    )
    const answer = await post(many.join(','))
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('1,000')])
    expect(await kept()).toMatchObject({ ids: many })
    expect((await post('1a,1b')).status).toBe(200)
    expect(await kept()).toMatchObject({ ids: ['1a', '1b'], pickedAt: expect.stringMatching(/Z$/) })
  })

  it.each(['', '1a,', '1a b', '../1a', Array.from({ length: 1_001 }, () => '1a').join(',')])(
    'is refused if it is none or cannot be files: %.20s',
    async (ids) => {
      const before = await kept()
      expect((await post(ids)).status).toBe(400)
      expect(await kept()).toEqual(before)
    },
  )
})
