import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startApi, type Api } from './start-api.ts'

const minute = 60_000

let api: Api

beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const ask = async (token: Promise<string> = api.issuer.token()) =>
  api.http.get('/v1/connections').set('Authorization', `Bearer ${await token}`)
const status = async (token?: Promise<string>) => (await ask(token)).status

describe('Google’s keys', () => {
  it('are fetched once for many who ask at the same time, and kept as long as the answer says', async () => {
    expect(await Promise.all([status(), status(), status()])).toEqual([200, 200, 200])
    api.pass(59 * minute)
    expect(await status()).toBe(200)
    expect(api.issuer.requests()).toBe(1)
    api.pass(minute)
    expect(await status()).toBe(200)
    expect(api.issuer.requests()).toBe(2)
  })

  it.each(['no-store', '', 'max-age=0', 'max-age=x'])(
    'are kept for a minute if the answer says "%s"',
    async (value) => {
      api.issuer.setCacheControl(value)
      expect(await status()).toBe(200)
      api.pass(59_000)
      expect(await status()).toBe(200)
      expect(api.issuer.requests()).toBe(1)
      api.pass(1_000)
      expect(await status()).toBe(200)
      expect(api.issuer.requests()).toBe(2)
    },
  )

  it('are fetched anew for a key that is new', async () => {
    expect(await status()).toBe(200)
    await api.issuer.rotate()
    api.pass(5 * minute)
    expect(await status()).toBe(200)
    expect(api.issuer.requests()).toBe(2)
  })

  it('are fetched anew for invented key ids only once in 5 minutes', async () => {
    expect(await status()).toBe(200)
    const invented = (kid: string) => api.issuer.token({}, { kid })
    for (const kid of ['a', 'b', 'c']) expect(await status(invented(kid))).toBe(401)
    expect(api.issuer.requests()).toBe(1)
    api.pass(5 * minute)
    for (const kid of ['d', 'e', 'f']) expect(await status(invented(kid))).toBe(401)
    expect(api.issuer.requests()).toBe(2)
    expect(await status()).toBe(200)
  })

  it('no longer admit what an old key signed once it is withdrawn', async () => {
    const old = api.issuer.token()
    expect(await status(old)).toBe(200)
    await api.issuer.rotate()
    expect(await status(old)).toBe(200)
    api.pass(60 * minute - 1)
    expect(await status(old)).toBe(200)
    api.pass(1)
    expect(await status(old)).toBe(401)
  })
})

describe('while the key server is out', () => {
  it.each(['down', 'nonsense', 'redirect', 'endless'] as const)(
    'nobody is told that their token is bad (%s)',
    async (how) => {
      api.issuer.behave(how)
      const answer = await ask()
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('10')
      expect(answer.body).toEqual({
        error: {
          code: 'unavailable',
          message: 'Signing in does not work at the moment.',
          retryAfter: 10,
        },
      })
    },
  )

  it('asks it every 10 seconds at most, and works again when it does', async () => {
    api.issuer.behave('down')
    for (let each = 0; each < 5; each += 1) expect(await status()).toBe(503)
    expect(api.issuer.requests()).toBe(1)
    api.issuer.behave('well')
    api.pass(9_999)
    expect(await status()).toBe(503)
    api.pass(1)
    expect(await status()).toBe(200)
  })

  it('the keys at hand go on being used, and only an unknown key has to wait', async () => {
    expect(await status()).toBe(200)
    api.issuer.behave('down')
    api.pass(6 * minute)
    const unknown = api.issuer.token({}, { kid: 'key-2' })
    expect(await status(unknown)).toBe(503)
    expect(await status(unknown)).toBe(503)
    expect(api.issuer.requests()).toBe(2)
    expect(await status()).toBe(200)
  })

  it('a token without a proper shape is refused all the same', async () => {
    api.issuer.behave('down')
    expect(await status(Promise.resolve('a.b.c'))).toBe(401)
    expect(api.issuer.requests()).toBe(0)
  })
})
