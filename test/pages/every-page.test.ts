import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { BrowserContext, Page } from 'playwright-core'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../backend/connect/start-connecting.ts'
import { complaintsOf, looks, overflowOf, startChromium, violationsOn } from './chromium.ts'
import type { Chromium } from './chromium.ts'
import { describeInChromium } from './describe-in-chromium.ts'
import { rendered, serveRendered } from './rendered.ts'

/*
 * Each page in each state, light and dark, on a phone and on a desk: nothing that keeps somebody from using it, no part of
 * it beside the window, and not a word of complaint from the browser, with the policy that it is served with.
 */

let t: ConnectingUnderTest
let chromium: Chromium | null
let pages: Awaited<ReturnType<typeof serveRendered>>
let context: BrowserContext
let page: Page
let complaints: readonly string[]
beforeAll(async () => {
  chromium = await startChromium()
  pages = await serveRendered()
  t = await startConnecting({
    WAYBILL_WHOLE_DRIVE: 'on',
    WAYBILL_OPERATOR: 'Example Ltd',
    WAYBILL_SUPPORT: 'help@example.com',
  })
  if (chromium === null) return
  context = await chromium.open()
  complaints = complaintsOf(context, [t.url, pages.urlOf('')])
  page = await context.newPage()
})
afterAll(async () => {
  await chromium?.close()
  await pages.close()
  await t.close()
})

const headings = `[...document.querySelectorAll('h1, h2, h3')].map((each) => Number(each.tagName[1]))`

async function isGood(): Promise<void> {
  for (const { width, scheme } of looks) {
    await page.setViewportSize({ width, height: 800 })
    await page.emulateMedia({ colorScheme: scheme })
    const here = { url: new URL(page.url()).pathname, width, scheme }
    const violations = await violationsOn(page)
    expect({ ...here, violations }).toEqual({ ...here, violations: [] })
    expect({ ...here, overflow: await overflowOf(page) }).toEqual({ ...here, overflow: 0 })
  }
  const levels = await page.evaluate<number[]>(headings)
  expect(levels.filter((level) => level === 1)).toEqual([1])
  expect(levels.every((level, at) => at === 0 || level <= (levels[at - 1] ?? 0) + 1)).toBe(true)
  expect(await page.getAttribute('html', 'lang')).toBe('en')
}

const press = async (name: string | RegExp): Promise<void> =>
  page.getByRole('button', { name }).click()

async function connect(link: string): Promise<void> {
  await page.goto(link)
  await press(/Continue to/)
  await page.waitForURL(/\/connect\/accounts\//)
}

describeInChromium('for somebody who is not signed in', () => {
  const open = [
    '/',
    '/help',
    '/help/permissions',
    '/support',
    '/privacy',
    '/terms',
    '/delete-my-data',
    '/signed-out',
    '/connect/accounts',
    '/connect/new',
  ]
  it('every page is good', async () => {
    for (const path of open) {
      expect((await page.goto(`${t.url}${path}`))?.status()).toBe(200)
      await isGood()
    }
    await page.goto(await t.link(t.ann, 'box'))
    await isGood()
    expect(complaints).toEqual([])
  })

  it('so is what is not there', async () => {
    const missing = [
      ['/nothing', 404],
      ['/connect/no-such-link', 404],
      ['/connect/%E0%A4%A', 400],
    ] as const
    const elsewhere = await chromium?.open()
    if (elsewhere === undefined) return
    const own = await elsewhere.newPage()
    for (const [path, status] of missing) {
      const response = await own.goto(`${t.url}${path}`)
      expect([path, response?.status()]).toEqual([path, status])
      expect(await own.title()).toMatch(/Waybill$/)
      expect(await violationsOn(own)).toEqual([])
    }
    await elsewhere.close()
  })
})

describeInChromium('for somebody who is signed in', () => {
  it('every page is good, from the first account to the last', async () => {
    await page.goto(t.url)
    await press('Sign in with Google')
    await page.waitForURL(`${t.url}/connect/accounts`)
    await isGood()
    for (const path of ['/', '/connect/new', '/connect/freeze', '/help', '/delete-my-data']) {
      await page.goto(`${t.url}${path}`)
      await isGood()
    }
    await page.goto(await t.link(t.ann, 'google-drive', 'picked'))
    await isGood()
    await press(/Continue to/)
    await page.waitForURL(/\/connect\/accounts\//)
    await isGood()
    await press('Yes, use this account')
    await isGood()
    t.clouds.drive.addFile('root', 'Letter to <b>everybody</b>.txt', 'Dear all')
    await page.getByRole('link', { name: 'Pick files' }).click()
    await page.waitForSelector('button:not([disabled])')
    await isGood()
    await connect(await t.link(t.ann, 'dropbox'))
    await page.getByRole('link', { name: 'Accounts' }).click()
    await isGood()
    expect(complaints).toEqual([])
  })
})

describeInChromium('in a state that is hard to come by', () => {
  it('every page is good', async () => {
    expect(Object.keys(rendered).length).toBeGreaterThan(40)
    for (const name of Object.keys(rendered)) {
      await page.goto(pages.urlOf(name))
      await isGood()
    }
    expect(complaints).toEqual([])
  })
})

it('a page is small, and asks for nothing from elsewhere', async () => {
  for (const path of ['/', '/privacy', '/help/permissions']) {
    const answer = await fetch(`${t.url}${path}`)
    const text = await answer.text()
    expect(text.length).toBeLessThan(20_000)
    const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
    expect(
      loaded.filter((url) => /\.(?:css|js|svg)/.test(url) && !url.startsWith('/static/')),
    ).toEqual([])
    expect(text).not.toMatch(/<script|style=/)
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
  }
})

it('dates are written as the browser’s language has them', async () => {
  const { url } = await t.waybill.connectLink('the-owner', { provider: 'box' }, true)
  const asked = async (language: string): Promise<string> =>
    (await fetch(url, { headers: { 'accept-language': language } })).text()
  expect(await asked('de-AT,de;q=0.9,en;q=0.5')).toMatch(/lang="de-AT"[^<]*>\d+\. \w+ \d{4} um /)
  expect(await asked('en-GB')).toMatch(/lang="en-GB"[^<]*>\d+ \w+ \d{4} at /)
  expect(await asked('*')).toMatch(/lang="en"/)
})
