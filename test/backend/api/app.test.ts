import express from 'express'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { WaybillError } from '../../../shared/errors.ts'
import { createHttpServer } from '../../../backend/app.ts'
import { startApi, type Api } from './start-api.ts'

let api: Api

beforeEach(async () => {
  api = await startApi()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

describe('every answer', () => {
  it.each(['/health', '/v1/openapi.json', '/v1/jobs', '/nowhere', '/v1/jobs/%E0%A4%A'])(
    'lets a browser do nothing with it: %s',
    async (path) => {
      const { headers } = await api.http.get(path)
      expect(headers).toMatchObject({
        'content-security-policy':
          "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
        'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
        'content-type': expect.stringMatching(/^application\/json\b/),
      })
      for (const name of ['x-powered-by', 'etag', 'set-cookie', 'access-control-allow-origin'])
        expect(headers).not.toHaveProperty(name)
    },
  )
})

describe('the server', () => {
  it('takes no more than 16 KiB of headers', async () => {
    const answer = await api.http.get('/health').set('X-Long', 'x'.repeat(17_000))
    expect(answer.status).toBe(431)
  })

  it('gives nobody more than ten seconds for headers and thirty for all', () => {
    const server = createHttpServer(express())
    const { headersTimeout, requestTimeout, maxHeadersCount } = server
    expect({ headersTimeout, requestTimeout, maxHeadersCount }).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      maxHeadersCount: 100,
    })
  })

  it('refuses two Authorization headers', async () => {
    const ada = await api.bearer()
    const header = `Authorization: ${ada}\r\n`
    const answer = await api.raw(
      `GET /v1/jobs HTTP/1.1\r\nHost: h\r\n${header}${header}Connection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
  })
})

describe('health', () => {
  it('needs no token', async () => {
    for (const path of ['/health', '/ready']) {
      const answer = await api.http.get(path)
      expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }])
    }
  })

  it('says when it cannot work, and lives on', async () => {
    api.setReady(() => Promise.reject(new WaybillError('key_unavailable', 'The wallet is locked.')))
    const answer = await api.http.get('/ready')
    expect(answer.status).toBe(503)
    expect(answer.body).toEqual({
      error: { code: 'key_unavailable', message: 'The wallet is locked.' },
    })
    expect(await api.http.get('/health')).toHaveProperty('status', 200)
  })
})

describe('connections', () => {
  it('are listed with their account and state, and with nothing else that they hold', async () => {
    const kept = {
      id: 'c1',
      provider: 'dropbox',
      account: 'ada@example.org',
      state: 'expired',
      tier: null,
      refreshToken: 'canary',
    } as const
    await using own = await startApi(() => ({ connections: { list: async () => [kept] } }))
    const ada = await own.bearer()
    const answer = await own.http.get('/v1/connections').set('Authorization', ada)
    const { refreshToken: _, ...shown } = kept
    expect(answer.body).toMatchObject({ connections: [shown] })
    expect(answer.text).not.toContain('canary')
  })
})

describe('the log', () => {
  it('has one line for each request, by its pattern', async () => {
    await api.http.get('/v1/jobs/secret-name').set('Authorization', await api.bearer())
    await api.http.get('/health?x=secret-name')
    await api.http.get('/secret-name')
    expect(await api.logged(3)).toEqual([
      expect.objectContaining({ method: 'GET', route: '/v1/jobs/:id', status: 404 }),
      expect.objectContaining({ route: '/health', status: 400, code: 'invalid_request' }),
      expect.not.objectContaining({ route: expect.anything() }),
    ])
    expect(api.log.join('')).not.toContain('secret')
  })
})
