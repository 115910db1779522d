import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createGate } from '../../../backend/api/gate.ts'
import { createLockouts } from '../../../backend/api/lockouts.ts'
import { createRates } from '../../../backend/api/rates.ts'
import { newApiKey } from '../../../backend/records/api-key-text.ts'
import { newSecret } from '../../../backend/records/hashed-secret.ts'
import { startConnecting } from '../connect/start-connecting.ts'
import type { ConnectingUnderTest } from '../connect/start-connecting.ts'
import { startApi } from './start-api.ts'

const tooOften = {
  error: {
    code: 'rate_limited',
    message: 'That was too often. Wait a little.',
    retryAfter: expect.any(Number),
  },
}

let t: ConnectingUnderTest
let address = 0
let here: string

beforeAll(async () => {
  t = await startConnecting({ WAYBILL_LIMITS: 'on', WAYBILL_TRUSTED_PROXIES: '1' })
})
afterAll(async () => t.close())
beforeEach(() => {
  here = `203.0.113.${(address += 1)}`
})

const get = async (path: string, headers: Readonly<Record<string, string>>, from = here) =>
  fetch(`${t.url}${path}`, { headers: { 'x-forwarded-for': from, ...headers } })

const guess = async (from = here) =>
  (await get('/v1/jobs', { authorization: `Bearer ${newApiKey(randomBytes)}` }, from)).status

async function newKey() {
  const asked = { name: 'Test', scopes: ['jobs:read'] }
  const { body } = await t.api(t.ann, 'POST', '/v1/keys', asked)
  return { authorization: `Bearer ${String(body['key'])}` }
}

async function times<T>(count: number, ask: () => Promise<T>): Promise<readonly T[]> {
  const all: T[] = []
  for (let time = 0; time < count; time += 1) all.push(await ask())
  return all
}

describe('whoever asks too often', () => {
  it('is told when to come back, in the shape of every error, and only they are', async () => {
    const key = await newKey()
    const statuses = await times(300, async () => (await get('/v1/jobs', key)).status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    const answer = await get('/v1/jobs', key)
    expect([answer.status, await answer.json()]).toEqual([429, tooOften])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await get('/v1/jobs', await newKey())).status).toBe(200)
    expect((await t.api(t.ann, 'GET', '/v1/jobs')).status).toBe(200)
  })

  it('has a smaller budget for what makes us call others', async () => {
    const link = async () =>
      (await t.api(t.ann, 'POST', '/v1/connections/start', { provider: 'dropbox' })).status
    expect(new Set(await times(30, link))).toEqual(new Set([201]))
    expect(await link()).toBe(429)
    const other = await t.api(t.bob, 'POST', '/v1/connections/start', { provider: 'dropbox' })
    expect(other.status).toBe(201)
  })

  it('is told so by a page in a page', async () => {
    const begin = async () =>
      fetch(`${t.url}/connect/sign-in`, {
        method: 'POST',
        headers: { origin: t.url, 'x-forwarded-for': here },
      })
    expect(new Set(await times(600, async () => (await begin()).status))).toEqual(new Set([200]))
    const answer = await begin()
    expect(answer.status).toBe(429)
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await answer.text()).toContain('Wait a little')
  })
})

describe('whoever guesses', () => {
  it('has to wait after five failures, whatever they bring, and nobody elsewhere has', async () => {
    expect(await times(6, guess)).toEqual([401, 401, 401, 401, 401, 429])
    expect(await guess('198.51.100.1')).toBe(401)
    const key = await newKey()
    expect((await get('/v1/jobs', key)).status).toBe(429)
    expect((await get('/v1/jobs', key, '198.51.100.2')).status).toBe(200)
  })

  it('keeps nobody at the same address out who was there before, or signs in with Google', async () => {
    const key = await newKey()
    expect((await get('/v1/jobs', key)).status).toBe(200)
    await times(6, guess)
    expect((await get('/v1/jobs', key)).status).toBe(200)
    const token = await t.clouds.issuer.mintIdToken({
      sub: t.bob.sub,
      aud: t.clouds.drive.account.clientId,
    })
    expect((await get('/v1/jobs', { authorization: `Bearer ${token}` })).status).toBe(200)
  })

  it('is slowed with sign-in tokens, malformed keys and links as well', async () => {
    for (const bearer of ['e30.e30.e30', 'wbk_short'])
      expect(
        await times(6, async () => {
          const from = `198.51.100.${bearer.length + 10}`
          return (await get('/v1/jobs', { authorization: `Bearer ${bearer}` }, from)).status
        }),
      ).toEqual([401, 401, 401, 401, 401, 429])
    const open = async () => (await get(`/connect/${newSecret(randomBytes)}`, {})).status
    expect(await times(6, open)).toEqual([404, 404, 404, 404, 404, 429])
  })

  it('keeps nobody at the same address from signing in', async () => {
    // Browsers here come from no proxy: from the address of this machine.
    const unknown = async () => (await fetch(`${t.url}/connect/${newSecret(randomBytes)}`)).status
    expect((await times(8, unknown)).at(-1)).toBe(429)
    const browser = await t.browserOf(t.bob)
    expect((await browser.open(`${t.url}/connect/accounts`)).text).toContain(t.bob.email)
    const foreign = `${t.url}/oauth/google/callback?state=${newSecret(randomBytes)}&code=x`
    expect((await fetch(foreign)).status).toBe(429)
    expect((await browser.open(await t.link(t.bob, 'dropbox'))).status).toBe(200)
  })

  it('cannot shut the owner out by failing with their own key from elsewhere', async () => {
    const asked = { name: 'Test', scopes: ['jobs:read'], from: ['192.0.2.7'] }
    const { body } = await t.api(t.ann, 'POST', '/v1/keys', asked)
    const key = { authorization: `Bearer ${String(body['key'])}` }
    const statuses = await times(30, async () => (await get('/v1/jobs', key)).status)
    expect(statuses.slice(0, 6)).toEqual([401, 401, 401, 401, 401, 429])
    expect((await get('/v1/jobs', key, '192.0.2.7')).status).toBe(200)
    expect((await get('/v1/jobs', await newKey(), '192.0.2.8')).status).toBe(200)
  })

  it('is one party with a whole /64 of IPv6', async () => {
    let host = 0
    const moving = async () => guess(`2001:db8:5::${(host += 1).toString(16)}`)
    expect((await times(6, moving)).at(-1)).toBe(429)
    expect(await guess('2001:db8:5:1::1')).toBe(401)
  })
})

it('what a client says of its address is believed of trusted proxies only', async () => {
  let number = 0
  const moving = async () => guess(`198.51.100.${(number += 1)}, 203.0.113.250`)
  expect((await times(6, moving)).at(-1)).toBe(429)
  const alone = await startConnecting({ WAYBILL_LIMITS: 'on' })
  const ask = async () =>
    (
      await fetch(`${alone.url}/v1/jobs`, {
        headers: {
          'x-forwarded-for': `198.51.100.${(number += 1)}`,
          authorization: `Bearer ${newApiKey(randomBytes)}`,
        },
      })
    ).status
  expect((await times(6, ask)).at(-1)).toBe(429)
  await alone.close()
})

it('an address has a budget for everything but what is proven to be a person’s, and the queue has none', async () => {
  const rates = createRates({ address: { free: 3, seconds: 600 } })
  const silent = { seen: async () => undefined, raise: async () => undefined }
  const gate = createGate({
    limits: { rates, lockouts: createLockouts() },
    watch: silent,
    alarms: silent,
    trustedProxies: 0,
    countryHeader: null,
  })
  await using api = await startApi((deps) => ({
    gate,
    tasks: {
      ...deps,
      authenticate: async () => undefined,
      handle: async () => 'done',
      tick: async () => undefined,
      stop: new AbortController().signal,
    },
  }))
  const ask = async (path: string, authorization = '') =>
    (await api.http.get(path).set('Authorization', authorization)).status
  const description = async () => ask('/v1/openapi.json')
  expect(await times(4, description)).toEqual([200, 200, 200, 429])
  expect(await ask('/v1/jobs')).toBe(429)
  expect(await ask('/v1/jobs', 'Bearer e30.e30.e30')).toBe(429)
  expect(await ask('/v1/jobs', `Bearer ${newApiKey(randomBytes)}`)).toBe(429)
  // All sidebars ask from the same few addresses.
  const bearer = await api.bearer()
  const signedIn = async () => ask('/v1/jobs', bearer)
  expect(await times(10, signedIn)).toEqual(Array.from({ length: 10 }, () => 200))
  const tick = async () => (await api.http.post('/v1/tick')).status
  expect(new Set(await times(50, tick))).toEqual(new Set([204]))
})
