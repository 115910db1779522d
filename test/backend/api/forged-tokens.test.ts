import { randomBytes } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { newSecret } from '../../../backend/records/hashed-secret.ts'
import { startConnecting } from '../connect/start-connecting.ts'
import { startApi } from './start-api.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The secret with one thing changed: each character in several ways, cut short, made longer, put out of order. */
function changesOf(secret: string, others: string): readonly string[] {
  const changed: string[] = []
  for (let at = 0; at < secret.length; at += 1) {
    const [before, after] = [secret.slice(0, at), secret.slice(at + 1)]
    for (const other of others) changed.push(before + other + after)
    changed.push(before, before + after, `${before}A${secret.slice(at)}`)
    changed.push(before + after.slice(0, 1) + secret.charAt(at) + after.slice(1))
  }
  return [...new Set(changed)].filter((each) => each !== secret)
}

async function all<T>(asked: readonly string[], ask: (each: string) => Promise<T>) {
  const answers: T[] = []
  for (let at = 0; at < asked.length; at += 20)
    answers.push(...(await Promise.all(asked.slice(at, at + 20).map(ask))))
  return answers
}

it('no sign-in token that is one change away from a good one is taken', async () => {
  await using api = await startApi()
  const token = await api.issuer.token()
  const ask = async (each: string) => {
    const headers = { authorization: `Bearer ${each}` }
    const response = await fetch(`${api.url}/v1/jobs`, { headers })
    await response.text()
    return response.status
  }
  const forged = changesOf(token, 'Aa0_.')
  expect(forged.length).toBeGreaterThan(4_000)
  expect(new Set(await all(forged, ask))).toEqual(new Set([401]))
  expect(await ask(token)).toBe(200)
  api.pass(3_700_000)
  expect(await ask(token)).toBe(401)
})

it('no session is that of whoever has almost its secret, or one that is over', async () => {
  const t = await startConnecting()
  const browser = await t.browserOf(t.ann)
  const jar = browser.cookies.get(new URL(t.url).host)
  const secret = jar?.get('__Host-waybill-session') ?? ''
  const isIn = async (each: string) => {
    const headers = { cookie: `__Host-waybill-session=${each}` }
    const response = await fetch(`${t.url}/connect/accounts`, { headers })
    const text = await response.text()
    return [response.status, text.includes(t.ann.email)].join()
  }
  const forged = changesOf(secret, alphabet)
  const others = Array.from({ length: 200 }, () => newSecret(randomBytes))
  expect(forged.length).toBeGreaterThan(2_500)
  expect(new Set(await all([...forged, ...others], isIn))).toEqual(new Set(['200,false']))
  expect(await isIn(secret)).toBe('200,true')
  const page = await browser.open(`${t.url}/connect/accounts`)
  await browser.press(page, /Sign out/)
  expect(await isIn(secret)).toBe('200,false')
  await t.close()
})
