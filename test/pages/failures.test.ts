import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createBrowser } from '../backend/connect/browser.ts'
import type { Browser, Seen } from '../backend/connect/browser.ts'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../backend/connect/start-connecting.ts'

/*
 * Each way in which connecting an account ends without it: what the person reads, and what they can do next.
 */

let t: ConnectingUnderTest
let browser: Browser
beforeAll(async () => {
  t = await startConnecting()
})
afterAll(async () => t.close())
beforeEach(async () => {
  browser = await t.browserOf(t.ann)
})

/** What a person sees. */
function told({ status, text }: Seen) {
  const title = /<h1>(.*?)<\/h1>/.exec(text)?.[1]
  return { status, title, text: text.replaceAll(/\s+/g, ' ') }
}

/** What it is compared with: the page says all of it. */
function page(status: number, title: string, ...more: readonly string[]) {
  const all = more.map((each) => `(?=.*${each.replaceAll('.', '[.]')})`).join('')
  const text: unknown = expect.stringMatching(new RegExp(`^${all}`))
  return { status, title, text }
}

const callback = () => `${t.url}/oauth/dropbox/callback`
const answered = async () => t.goThrough(browser, await t.link(t.ann, 'dropbox'), callback())

describe('who connects an account is told', () => {
  it('that they did not allow it, and can try again at once', async () => {
    t.oauth('dropbox').nextVisit({ decision: 'deny' })
    const seen = await t.goThrough(browser, await t.link(t.ann, 'dropbox'))
    expect(told(seen)).toMatchObject(
      page(200, 'Not connected', 'You did not allow', 'Your accounts'),
    )
    const again = await browser.press(seen, /Try again/)
    expect(told(again)).toMatchObject(page(200, 'Connect Dropbox'))
    expect(told(await browser.press(again, /Continue to/))).toMatchObject(
      page(200, 'Is this your Dropbox?'),
    )
  })

  it('that a box was left unticked', async () => {
    const scope = 'https://www.googleapis.com/auth/drive.file'
    t.oauth('google').withdraw(t.ann.sub)
    t.oauth('google').nextVisit({ decision: 'allow', untick: [scope] })
    const seen = await t.goThrough(browser, await t.link(t.ann, 'google-drive'))
    expect(told(seen)).toMatchObject(
      page(200, 'Not connected', 'left unticked', 'leave all boxes ticked', 'Try again'),
    )
  })

  it('that the link is over, or was never one', async () => {
    const seen = await browser.open(`${t.url}/connect/${'A'.repeat(43)}`)
    expect(told(seen)).toMatchObject(page(404, 'This link is over', 'Ask for a new link'))
  })

  it('that the link has been used', async () => {
    const link = await t.link(t.ann, 'dropbox')
    await t.goThrough(browser, link, t.clouds.dropbox.url)
    expect(told(await browser.open(link))).toMatchObject(
      page(409, 'This link has been used', 'Look among your accounts'),
    )
  })

  it('that the link is for somebody else', async () => {
    const seen = await browser.open(await t.link(t.bob, 'dropbox'))
    expect(told(seen)).toMatchObject(
      page(403, 'This link is for somebody else', 'sign out and open the link again'),
    )
    expect(told(await browser.press(seen, /Sign out/))).toMatchObject(page(200, 'Signed out'))
  })

  it('that they were signed out meanwhile', async () => {
    const { url } = await answered()
    browser.cookies.get(new URL(t.url).host)?.delete('__Host-waybill-session')
    expect(told(await browser.open(url))).toMatchObject(
      page(403, 'You were signed out', 'Sign in with Google'),
    )
  })

  it('that the sign-in is over', async () => {
    const { url } = await answered()
    const cookies = [...(browser.cookies.get(new URL(t.url).host) ?? [])]
    await browser.open(url)
    for (const [name, value] of cookies) browser.cookies.get(new URL(t.url).host)?.set(name, value)
    expect(told(await browser.open(url))).toMatchObject(
      page(404, 'This sign-in is over', 'begin again'),
    )
  })

  it('that their browser does not know the sign-in', async () => {
    const { url } = await answered()
    const another = await t.browserOf(t.ann)
    const seen = await another.open(url)
    expect(told(seen)).toMatchObject(
      page(404, 'Your browser does not know this sign-in', 'allow cookies', 'Try again'),
    )
  })

  it('that the provider does not answer', async () => {
    const { url } = await answered()
    t.clouds.dropbox.setOffline(true)
    const seen = await browser.open(url)
    t.clouds.dropbox.setOffline(false)
    expect(told(seen)).toMatchObject(
      page(503, 'Dropbox does not answer', 'You did nothing wrong', 'Try again'),
    )
  })

  it('that the answer was not what it should be', async () => {
    const { url } = await answered()
    const forged = new URL(url)
    forged.searchParams.set('code', 'another')
    expect(told(await browser.open(forged.href))).toMatchObject(
      page(400, 'That did not work', 'was not what it should be'),
    )
  })

  it('that the provider does not accept this Waybill', async () => {
    const plain = await startConnecting({ DROPBOX_APP_SECRET: 'another' })
    const seen = await plain.goThrough(
      await plain.browserOf(plain.ann),
      await plain.link(plain.ann, 'dropbox'),
    )
    await plain.close()
    expect(told(seen)).toMatchObject(
      page(409, 'Dropbox does not accept this Waybill', 'Write to support'),
    )
  })

  it('that everything is frozen', async () => {
    const { url } = await answered()
    await t.api(t.ann, 'POST', '/v1/freeze')
    const seen = await browser.open(url)
    await t.api(t.ann, 'POST', '/v1/unfreeze')
    expect(told(seen)).toMatchObject(page(409, 'Everything is frozen', 'End the freeze first'))
  })
})

it('who does not sign in is told so', async () => {
  const own = createBrowser()
  t.oauth('google').nextVisit({ decision: 'deny' })
  const seen = await own.press(await own.open(t.url), /Sign in with Google/)
  expect(told(seen)).toMatchObject(page(200, 'Not signed in', 'You did not sign in with Google'))
})

describe('what is not there', () => {
  it('is a page for a browser, and the usual answer for a program', async () => {
    const ask = async (path: string, accept: string) => {
      const answer = await fetch(`${t.url}${path}`, { headers: { accept } })
      return [answer.status, answer.headers.get('content-type')?.split(';')[0]]
    }
    const browserSays = 'text/html,application/xhtml+xml,*/*;q=0.8'
    expect(await ask('/nothing', browserSays)).toEqual([404, 'text/html'])
    expect(await ask('/connect/%E0%A4%A', browserSays)).toEqual([400, 'text/html'])
    expect(await ask('/nothing', '*/*')).toEqual([404, 'application/json'])
    expect(await ask('/v1/nothing', browserSays)).toEqual([404, 'application/json'])
  })
})
