import { mkdir, stat } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import { startChromium } from './chromium.ts'

/*
 * The pictures in the documentation: `npm run pictures`, whenever the pages look different.
 */

const folder = new URL('../../docs/pictures/', import.meta.url).pathname
const most = 100 * 1024

const chromium = await startChromium()
if (chromium === null) throw new Error('There is no Chromium on this machine.')
const t = await startConnecting()
await mkdir(folder, { recursive: true })

/** As much of the page as ends below what this finds; what is below may be another each time. */
async function take(page: Page, name: string, last: string): Promise<void> {
  const box = await page.locator(last).last().boundingBox()
  if (box === null) throw new Error(`There is no ${last} on ${page.url()}.`)
  const path = `${folder}${name}.png`
  const clip = { x: 0, y: 0, width: 760, height: Math.ceil(box.y + box.height + 16) }
  await page.screenshot({ path, clip, fullPage: true })
  const { size } = await stat(path)
  if (size > most) throw new Error(`${path} has ${size} bytes, more than ${most}.`)
}

try {
  const context = await chromium.open({ locale: 'en-US' })
  const page = await context.newPage()
  await page.setViewportSize({ width: 760, height: 700 })
  const press = async (name: string | RegExp): Promise<void> =>
    page.getByRole('button', { name }).click()
  await page.goto(t.url)
  await press('Sign in with Google')
  await page.waitForURL(/\/connect\/accounts$/)
  for (const provider of ['google-drive', 'dropbox'] as const) {
    await page.goto(await t.link(t.ann, provider))
    if (provider === 'dropbox') await take(page, 'connecting', 'main button')
    await press(/Continue to/)
    await page.waitForURL(/\/connect\/accounts\//)
    await press('Yes, use this account')
  }
  await page.goto(`${t.url}/connect/accounts`)
  await take(page, 'accounts', 'main .button')
} finally {
  await chromium.close()
  await t.close()
}
