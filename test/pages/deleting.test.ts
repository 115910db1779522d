import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createBrowser } from '../backend/connect/browser.ts'
import type { Browser, Seen } from '../backend/connect/browser.ts'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../backend/connect/start-connecting.ts'

let t: ConnectingUnderTest
let browser: Browser
let asks: Seen
beforeEach(async () => {
  t = await startConnecting()
  browser = await t.browserOf(t.ann)
  await t.goThrough(browser, await t.link(t.ann, 'box'))
  asks = await browser.press(await browser.open(`${t.url}/delete-my-data`), /Go on/)
})
afterEach(async () => t.close())

const codeOn = ({ text }: Seen): string =>
  /<p class="account">([0-9A-Z]{5}-[0-9A-Z]{5})<\/p>/.exec(text)?.[1] ?? ''

/** A page in which a code was typed. */
const typed = (seen: Seen, code: string): Seen => ({
  ...seen,
  text: seen.text.replace(/name="code"/, `name="code" value="${code}"`),
})

const accounts = async (): Promise<unknown> =>
  (await t.api(t.ann, 'GET', '/v1/connections')).body['connections']

it('everything is deleted once the code is typed, and not before', async () => {
  expect(asks.text).toContain('What will happen')
  expect(await accounts()).toHaveLength(1)
  const end = await browser.press(typed(asks, codeOn(asks)), /Delete all my data/)
  expect([end.status, end.text]).toEqual([200, expect.stringContaining('You are signed out')])
  expect((await browser.open(`${t.url}/connect/accounts`)).text).toContain('Sign in to Waybill')
  expect(await accounts()).toEqual([])
  const certificate = /href="([^"]+\/v1\/certificates\/[^"]+)"/.exec(end.text)?.[1] ?? ''
  const answer = await fetch(certificate)
  expect([answer.status, await answer.json()]).toEqual([
    200,
    expect.objectContaining({ state: 'erased' }),
  ])
})

it('another code deletes nothing, and there is a new one', async () => {
  const again = await browser.press(typed(asks, 'AAAAA-AAAAA'), /Delete all my data/)
  expect([again.status, again.text]).toEqual([200, expect.stringContaining('nothing was deleted')])
  expect(codeOn(again)).not.toBe(codeOn(asks))
  const old = await browser.press(typed(again, codeOn(asks)), /Delete all my data/)
  expect(old.text).toContain('nothing was deleted')
  expect(await accounts()).toHaveLength(1)
})

it('nobody else deletes anything', async () => {
  const bob = await t.browserOf(t.bob)
  const theirs = await bob.press(await bob.open(`${t.url}/delete-my-data`), /Go on/)
  const tried = await bob.press(typed(theirs, codeOn(asks)), /Delete all/)
  expect(tried.text).toContain('nothing was deleted')
  browser.cookies.get(new URL(t.url).host)?.clear()
  expect((await browser.press(typed(asks, codeOn(asks)), /Delete all/)).status).toBe(401)
  const stranger = await createBrowser().open(`${t.url}/delete-my-data`)
  expect(stranger.text).toContain('Sign in first')
  expect(await accounts()).toHaveLength(1)
})
