import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { errorBody, placeOf, statusOf } from '../../../backend/api/errors.ts'
import {
  asWaybillError,
  dispositionOf,
  errorCodes,
  isErrorCode,
  WaybillError,
  type Disposition,
} from '../../../shared/errors.ts'
import { request, startApi, type Api } from './start-api.ts'

let api: Api
let ada: string

beforeEach(async () => {
  api = await startApi()
  ada = await api.bearer()
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

const post = () => api.http.post('/v1/jobs').set('Authorization', ada)

async function raw(body: string | Uint8Array<ArrayBuffer>, type = 'application/json') {
  const headers = { authorization: ada, 'content-type': type }
  const answer = await fetch(`${api.url}/v1/jobs`, { method: 'POST', headers, body })
  return { status: answer.status, body: await answer.json() }
}

describe('the table of errors', () => {
  it('has every code once, and retries are never the client’s fault', () => {
    expect(errorCodes.every(isErrorCode)).toBe(true)
    expect(errorCodes.length).toBeGreaterThan(40)
    for (const code of errorCodes) {
      expect(statusOf(code)).toBeGreaterThanOrEqual(400)
    }
    const statuses = (disposition: Disposition) =>
      new Set(errorCodes.filter((code) => dispositionOf(code) === disposition).map(statusOf))
    expect(statuses('retry')).toEqual(new Set([429, 503]))
    expect(statuses('skip')).toEqual(new Set([422]))
  })

  it('says how long to wait in whole seconds, at least one', () => {
    const seconds = (retryAfterMs: number) =>
      errorBody(new WaybillError('busy', 'Busy.', { retryAfterMs })).error.retryAfter
    expect([seconds(0), seconds(999), seconds(1_001)]).toEqual([1, 1, 2])
    expect(errorBody(new WaybillError('busy', 'Busy.'))).toEqual({
      error: { code: 'busy', message: 'Busy.' },
    })
  })
})

describe('what cannot be read', () => {
  it.each([
    ['{', 'is not valid JSON'],
    ['{"kind":"copy",}', 'is not valid JSON'],
    ['\ufeff{}', 'is not valid JSON'],
    ['{"kind":"copy","kind":"copy"}', 'has the same field twice'],
    ['{"__proto__":{}}', 'has a field with a reserved name'],
    ['{"kind":"\\ud800"}', 'holds text that is not Unicode'],
    ['['.repeat(40) + ']'.repeat(40), 'is nested too deeply'],
    [`[${'1,'.repeat(10_000)}1]`, 'has too many items'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['"copy"', 'must be a JSON object'],
  ])('is invalid_request: %s', async (text, why) => {
    const answer = await raw(text)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: expect.stringContaining(why) },
    })
  })

  it('is invalid_request if it is not UTF-8, not JSON by name, or packed', async () => {
    const notUtf8 = Uint8Array.from(Buffer.from(JSON.stringify(request)))
    notUtf8[notUtf8.lastIndexOf(0x44)] = 0xff
    expect(await raw(notUtf8)).toHaveProperty('status', 400)
    const form = await raw(JSON.stringify(request), 'text/plain')
    expect(form.body).toMatchObject({ error: { code: 'invalid_request' } })
    const packed = await post().set('Content-Encoding', 'gzip').send(request)
    expect(packed.body).toMatchObject({ error: { code: 'invalid_request' } })
    const utf8 = await raw(JSON.stringify(request), 'application/json; charset=utf-8')
    expect(utf8.status).toBe(201)
  })

  it('is invalid_request if the path is not well-formed', async () => {
    const answer = await api.http.get('/v1/jobs/%E0%A4%A').set('Authorization', ada)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: 'The request cannot be read.' },
    })
  })

  it('does not say again what does not look like a name', async () => {
    const answer = await post().send({ ...request, 'a@example.com': 1, 'ya29.secret': 2 })
    expect(answer.body).toEqual({
      error: { code: 'invalid_request', message: 'Unknown field "?". Unknown field "?".' },
    })
  })
})

describe('a body', () => {
  const padded = (length: number) => {
    const text = JSON.stringify(request)
    return text + ' '.repeat(length - text.length)
  }

  it('may be 64 KiB and not a byte more', async () => {
    expect(await raw(padded(65_536))).toHaveProperty('status', 201)
    const answer = await raw(padded(65_537))
    expect(answer.status).toBe(413)
    expect(answer.body).toEqual({
      error: { code: 'body_too_large', message: 'The body is larger than 64 KiB.' },
    })
  })

  it('may not be more without saying its length either', async () => {
    const answer = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { authorization: ada, 'content-type': 'application/json' },
      body: new Blob([padded(70_000)]).stream(),
      duplex: 'half',
    })
    expect(answer.status).toBe(413)
  })

  it('is not read from somebody who has not signed in', async () => {
    const answer = await api.http.post('/v1/jobs').send(request)
    expect(answer.status).toBe(401)
  })
})

describe('what is not there', () => {
  it.each(['/', '/v1', '/v2/jobs', '/v1/jobs/', '/V1/jobs', '/v1/jobs/j/delete', '/.env'])(
    'is not_found: %s',
    async (path) => {
      const answer = await api.http.get(path).set('Authorization', ada)
      expect(answer.status).toBe(404)
      expect(answer.body).toEqual({
        error: { code: 'not_found', message: 'There is nothing here.' },
      })
    },
  )

  it.each(['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'TRACE'])('is not_found by %s', async (method) => {
    const answer = await api.raw(
      `${method} /v1/jobs HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).toContain('"code":"not_found"')
  })
})

it('knows where in our code an unknown error was thrown, from the stack and not from the message', () => {
  const cause = new Error('no\n    at f (/x/backend/canary.ts:1:1)')
  const placed = (stack: string) =>
    placeOf(asWaybillError(Object.assign(cause, { stack: `Error: ${cause.message}${stack}` })))
  expect(placed('\n    at g (file:///app/backend/run/copy-item.ts:12:5)\n    at h (x)')).toBe(
    'backend/run/copy-item.ts:12',
  )
  expect(placed('\n    at g (node:net:1:1)')).toBeUndefined()
  expect(placeOf(new WaybillError('busy', 'Busy.'))).toBeUndefined()
})

it('tells nothing of an error that nobody foresaw, and logs only where in our code it was', async () => {
  await using own = await startApi(() => ({
    connections: {
      list: () => Promise.reject(new Error('token ya29.canary for ada@example.com')),
    },
  }))
  const answer = await own.http.get('/v1/connections').set('Authorization', await own.bearer())
  expect(answer.status).toBe(500)
  expect(answer.body).toEqual({
    error: { code: 'internal', message: 'Something went wrong inside Waybill.' },
  })
  expect(await own.logged(1)).toMatchObject([
    { event: 'request', severity: 'ERROR', code: 'internal', route: '/v1/connections' },
  ])
  expect(own.log.join('')).not.toMatch(/canary|example/)
})
