import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import express from 'express'
import { eraseEndpoints } from '../../backend/api/erase-pages.ts'
import { createLog } from '../../backend/log.ts'
import { WaybillError } from '../../shared/errors.ts'
import { createBrowser } from '../backend/connect/browser.ts'
import type { Browser, Seen } from '../backend/connect/browser.ts'
import { listen } from '../backend/api/listen.ts'

const secret = 's'.repeat(43)
const operator = { name: 'Example Ltd', contact: 'help@example.com' }

let site: Awaited<ReturnType<typeof listen>>
let byHand: Awaited<ReturnType<typeof listen>>
let url: string
let codes: string[]
let erased: string[]
let isSignedIn: boolean
let browser: Browser

async function served(isByHand: boolean): Promise<Awaited<ReturnType<typeof listen>>> {
  const app = express()
  const serving = {
    log: createLog({ write: () => undefined, clock: Date.now }),
    clock: Date.now,
    publicUrl: () => url,
    operator,
    sessions: {
      begin: async () => secret,
      find: async (given: unknown) =>
        isSignedIn && given === secret ? { user: 'ann', label: 'ann@example.com' } : null,
      end: async () => {
        isSignedIn = false
      },
    },
    erasing: isByHand
      ? null
      : {
          giveCode: async () => {
            codes.push(`CODE-${codes.length}`)
            return { code: codes.at(-1) ?? '', until: '2027-01-15T12:10:00.000Z' }
          },
          begin: async (user: string, code: string) => {
            if (code !== codes.at(-1)) throw new WaybillError('invalid_request', 'Another code.')
            erased.push(user)
            return { certificate: 'https://waybill.example/certificate' }
          },
        },
  }
  for (const { method, path, handle } of eraseEndpoints(serving)) app[method](path, handle)
  return listen(createServer(app))
}

beforeAll(async () => {
  site = await served(false)
  byHand = await served(true)
})
afterAll(async () => {
  await site.close()
  await byHand.close()
})
beforeEach(() => {
  url = site.url
  codes = []
  erased = []
  isSignedIn = true
  browser = createBrowser()
  browser.cookies.set(new URL(url).host, new Map([['__Host-waybill-session', secret]]))
})

/** A page in which the code was typed. */
const typed = (seen: Seen, code: string): Seen => ({
  ...seen,
  text: seen.text.replace(/name="code"/, `name="code" value="${code}"`),
})

it('everything is deleted once the code is typed, and not before', async () => {
  const first = await browser.open(`${url}/delete-my-data`)
  expect(first.text).toContain('What will happen')
  const asks = await browser.press(first, /Go on/)
  expect([asks.text, erased]).toEqual([expect.stringContaining('CODE-0'), []])
  const end = await browser.press(typed(asks, 'CODE-0'), /Delete all my data/)
  expect([end.text, erased]).toEqual([
    expect.stringContaining('https://waybill.example/certificate'),
    ['ann'],
  ])
  expect([isSignedIn, browser.cookies.get(new URL(url).host)?.size]).toEqual([false, 0])
})

it('another code deletes nothing, and there is a new one', async () => {
  const asks = await browser.press(await browser.open(`${url}/delete-my-data`), /Go on/)
  const again = await browser.press(typed(asks, 'CODE-7'), /Delete all my data/)
  expect([again.status, again.text, erased]).toEqual([200, expect.stringContaining('CODE-1'), []])
  expect(again.text).toContain('so nothing was deleted')
  expect(isSignedIn).toBe(true)
})

it('nobody else deletes anything', async () => {
  const asks = await browser.press(await browser.open(`${url}/delete-my-data`), /Go on/)
  isSignedIn = false
  expect((await browser.press(typed(asks, 'CODE-0'), /Delete all/)).status).toBe(401)
  const stranger = await createBrowser().open(`${url}/delete-my-data`)
  expect(stranger.text).toContain('Sign in first')
  expect(erased).toEqual([])
})

it('where it has to be asked for, the page says of whom', async () => {
  const seen = await createBrowser().open(`${byHand.url}/delete-my-data`)
  expect(seen.text).toContain('mailto:help@example.com')
  expect(seen.text).not.toContain('<form')
  expect((await fetch(`${byHand.url}/delete-my-data`, { method: 'POST' })).status).toBe(404)
})
