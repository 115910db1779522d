import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { RequestListener } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { createDispatcher, createHttp } from '../../../backend/clouds/http.ts'
import type { Http } from '../../../backend/clouds/http.ts'
import {
  parseRetryAfter,
  statusError,
  transportError,
} from '../../../backend/clouds/http-errors.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { startServer } from './local-server.ts'
import type { LocalServer } from './local-server.ts'

const now = Date.parse('2026-10-21T07:27:00Z')

describe('a time to wait', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 60_000],
    ['Wed, 21 Oct 2026 07:26:00 GMT', 0],
    ['soon', undefined],
    ['-1', 0],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j milliseconds', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected)
  })
})

describe('a status', () => {
  it.each([
    [408, 'unavailable'],
    [425, 'unavailable'],
    [429, 'rate_limited'],
    [500, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [599, 'unavailable'],
    [200, undefined],
    [401, undefined],
    [404, undefined],
  ])('of %d means %s', (status, code) => {
    expect(statusError(status, () => undefined, now)?.code).toBe(code)
  })
})

describe('a connection that fails', () => {
  it.each([
    [{ code: 'ECONNRESET' }, 'unavailable'],
    [{ code: 'UND_ERR_BODY_TIMEOUT' }, 'unavailable'],
    [{ code: 'HPE_INVALID_EOF_STATE' }, 'unavailable'],
    [{ name: 'AbortError' }, 'cancelled'],
    [new TypeError('a mistake of ours'), 'internal'],
    [new WaybillError('lease_lost', ''), 'lease_lost'],
  ])('with %p is %s', (error, code) => {
    expect(transportError(error).code).toBe(code)
  })
})

describe('http', () => {
  const dispatcher = createDispatcher()
  let server: LocalServer
  let url: string
  let http: Http

  beforeEach(async () => {
    http = createHttp({ dispatcher, idleMs: 200 })
    server = await startServer()
    url = server.url
  })
  afterEach(() => server.close())
  afterAll(() => dispatcher.destroy())

  const answer = (listener: RequestListener) => server.answer(listener)

  it('sends parts as one body with its length', async () => {
    answer((request, response) => {
      void buffer(request).then((bytes) =>
        response.end(`${request.headers['content-length']} ${bytes.length} ${bytes.at(-1)}`),
      )
    })
    const parts = [Buffer.alloc(700_000), Buffer.alloc(0), Buffer.alloc(700_000, 7)]
    for (const body of [parts, [Buffer.from([7])]]) {
      // oxlint-disable-next-line no-await-in-loop
      const { body: stream } = await http.request(url, { method: 'POST', headers: {}, body })
      const length = body.reduce((sum, part) => sum + part.length, 0)
      // oxlint-disable-next-line no-await-in-loop
      expect(await stream.text()).toBe(`${length} ${length} 7`)
    }
  })

  it('follows no redirect', async () => {
    answer((_, response) => {
      response.writeHead(302, { location: url }).end()
    })
    expect((await http.fetch(url, new Headers())).status).toBe(302)
  })

  it('unpacks what an SDK asked to be packed', async () => {
    answer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":"ü"}'))
    })
    const packed = await http.fetch(url, new Headers({ 'accept-encoding': 'gzip' }))
    expect(await packed.json()).toEqual({ a: 'ü' })
  })

  it('gives up on a body that falls silent, with an error of ours', async () => {
    answer((_, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345')
    })
    const { body } = await http.request(url, { headers: {} })
    await expect(buffer(body)).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }))
  })

  it('gives up on an answer that does not come', async () => {
    answer(() => {})
    await expect(http.request(url, { headers: {} })).rejects.toEqual(
      expect.objectContaining({ code: 'unavailable' }),
    )
  })
})
