import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { BrowserContext, Page } from 'playwright-core'
import { z } from 'zod'
import { accountNames, accountProviders } from '../../shared/account.ts'
import type { AccountProvider } from '../../shared/account.ts'
import { startConnecting } from '../backend/connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../backend/connect/start-connecting.ts'
import { complaintsOf, startChromium } from './chromium.ts'
import type { Chromium } from './chromium.ts'
import { describeInChromium } from './describe-in-chromium.ts'
import { keyboardOn } from './keyboard.ts'
import type { Keyboard } from './keyboard.ts'

/*
 * The whole way of each provider without a pointer: signing in, connecting, confirming, using, disconnecting. The
 * providers show their consent pages, and nobody answers for the person.
 */

let t: ConnectingUnderTest
let chromium: Chromium | null
let context: BrowserContext
let page: Page
let keyboard: Keyboard
let complaints: readonly string[]
const files: string[] = []
const connections = z.array(z.looseObject({ id: z.string(), provider: z.string() }))
beforeAll(async () => {
  chromium = await startChromium()
  t = await startConnecting()
  for (const at of accountProviders) t.oauth(at).everyVisit(null)
  for (const name of ['Letter.txt', 'Photo.jpg', 'Song.mp3'])
    files.push(t.clouds.drive.addFile('root', name, name))
  if (chromium === null) return
  context = await chromium.open()
  complaints = complaintsOf(context, [t.url])
  page = await context.newPage()
  keyboard = keyboardOn(page)
})
afterAll(async () => {
  await chromium?.close()
  await t.close()
})

const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
const nameOf = (provider: AccountProvider): string => accountNames[provider]

describeInChromium('without a pointer', () => {
  it('a person signs in', async () => {
    await page.goto(t.url)
    await keyboard.press(/^Sign in with Google$/)
    await heading('Sign in with Google (simulated)')
    await keyboard.press(/^Allow$/)
    await heading('Your accounts')
    await keyboard.press(/^Skip to the content$/)
    expect(new URL(page.url()).hash).toBe('#main')
  })

  it.each(accountProviders)('%s is connected, confirmed and shown', async (provider) => {
    await page.goto(`${t.url}/connect/accounts`)
    await keyboard.press(/^Connect an account$/)
    await heading('Connect an account')
    await keyboard.press(new RegExp(`^Connect ${nameOf(provider)}(?:, picked files)?$`))
    await heading(`Connect ${nameOf(provider)}`)
    await keyboard.press(/^Continue to/)
    await heading('Sign in with')
    await keyboard.press(/^Allow$/)
    await heading(`Is this your ${nameOf(provider)}?`)
    await keyboard.press(/^Yes, use this account$/)
    await heading(`Your ${nameOf(provider)} is connected`)
    const { body } = await t.api(t.ann, 'GET', '/v1/connections')
    expect(body['connections']).toEqual(
      expect.arrayContaining([expect.objectContaining({ provider, state: 'ready' })]),
    )
  })

  it('files are picked, kept for the job, and copied by it', async () => {
    await page.goto(`${t.url}/connect/accounts`)
    await keyboard.press(/^Google Drive/)
    await heading('Your Google Drive is connected')
    await keyboard.press(/^Pick files$/)
    await heading('Pick files for Waybill')
    await page.waitForSelector('main button:not([disabled])')
    await keyboard.press(/^Choose files$/)
    await page.frameLocator('iframe').getByRole('checkbox').first().waitFor()
    await keyboard.press(/^Letter\.txt$/, 'Space')
    await keyboard.press(/^Photo\.jpg$/, 'Space')
    await keyboard.press(/^Select$/)
    await heading('Files picked')
    const { body } = await t.api(t.ann, 'GET', '/v1/connections')
    const all = connections.parse(body['connections'])
    const idOf = (provider: AccountProvider) =>
      all.find((each) => each.provider === provider)?.id ?? ''
    const picked = await t.api(t.ann, 'GET', `/v1/connections/${idOf('google-drive')}/picked`)
    expect(picked.body).toMatchObject({
      ids: files.slice(0, 2),
      url: `${t.url}/connect/accounts/${idOf('google-drive')}/pick`,
    })
    const created = await t.api(t.ann, 'POST', '/v1/jobs', {
      kind: 'copy',
      source: {
        connection: idOf('google-drive'),
        selection: { kind: 'items', ids: picked.body['ids'] },
      },
      destination: { connection: idOf('dropbox'), folder: '/Picked' },
    })
    expect(created.status).toBe(201)
    expect(
      (await t.api(t.bob, 'GET', `/v1/connections/${idOf('google-drive')}/picked`)).status,
    ).toBe(404)
  })

  it.each(accountProviders)('%s is disconnected', async (provider) => {
    await page.goto(`${t.url}/connect/accounts`)
    await keyboard.press(new RegExp(`^${nameOf(provider)}`))
    await heading(`Your ${nameOf(provider)} is connected`)
    await keyboard.press(/^Disconnect this account$/)
    await keyboard.press(/^Disconnect$/)
    await heading('Disconnected')
    const { body } = await t.api(t.ann, 'GET', '/v1/connections')
    expect(JSON.stringify(body)).not.toContain(provider)
    const isTakenBack = (await page.textContent('main'))?.includes('Its access was taken back')
    expect(isTakenBack).toBe(provider !== 'microsoft')
  })

  it('and at last signs out', async () => {
    await page.goto(`${t.url}/connect/accounts`)
    await page.getByText('No account is connected.').waitFor()
    await keyboard.press(/^Sign out$/)
    await heading('Signed out')
    await page.goto(`${t.url}/connect/accounts`)
    await heading('Sign in to Waybill')
    expect(complaints).toEqual([])
  })
})
