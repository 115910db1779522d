import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Agent, getGlobalDispatcher, request as undiciRequest } from 'undici'
import type { Dispatcher } from 'undici'
import { strangeAnswer, transportError } from './http-errors.ts'
import type { ReadHeader } from './http-errors.ts'

export interface HttpOptions {
  /** Whose connections are used; undici's global ones unless given. Pass one to all adapters, so that they share. */
  readonly dispatcher?: Dispatcher
  /** How many milliseconds a connection may be silent in the middle of a call: 60,000 unless given. */
  readonly idleMs?: number
}

interface HttpRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers: Record<string, string>
  /** Sent one after the other. */
  readonly body?: readonly Uint8Array[]
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly header: ReadHeader
  /** Must be read to its end or destroyed, else the connection stays taken. */
  readonly body: Dispatcher.ResponseData['body']
}

/** HTTP as both adapters speak it: streams both ways, follows no redirect, fails only with a WaybillError. */
export interface Http {
  /** Resolves with any status as soon as the headers are there. */
  request(url: string, options: HttpRequest): Promise<HttpAnswer>
  /** For SDKs that take a `fetch`, and ask for JSON. Their own would follow a redirect, and take the token along. */
  fetch(url: string, headers: Headers, body?: string): Promise<Response>
}

/**
 * Connections that are kept and shared: one for the whole process.
 *
 * @returns an undici dispatcher; whoever made it closes it
 */
export function createDispatcher(): Agent {
  // Google and Dropbox keep idle connections for minutes; undici's 4 s would cost a TLS handshake after each pause.
  return new Agent({ keepAliveTimeout: 30_000 })
}

const unzip = promisify(gunzip)

/** @returns HTTP over the given connections. */
export function createHttp({ dispatcher, idleMs = 60_000 }: HttpOptions): Http {
  const connections = (dispatcher ?? getGlobalDispatcher()).compose(namedErrors)

  async function request(url: string, options: HttpRequest): Promise<HttpAnswer> {
    const { method = 'GET', headers, body, signal } = options
    const answer = await undiciRequest(url, {
      dispatcher: connections,
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
      method,
      headers,
      body: body === undefined ? null : requestBody(body, headers),
      signal: signal ?? null,
    })
    return { status: answer.statusCode, header: headerReader(answer.headers), body: answer.body }
  }

  return {
    request,
    async fetch(url, headers, body) {
      const {
        status,
        header,
        body: stream,
      } = await request(url, {
        headers: Object.fromEntries(headers),
        ...(body === undefined ? {} : { method: 'POST', body: [Buffer.from(body)] }),
      })
      const bytes = await buffer(stream)
      // Google's client asks for it, and a page of a listing is a tenth of its size.
      const zipped = header('content-encoding') === 'gzip'
      const text = String(zipped ? await unzip(bytes) : bytes)
      const retryAfter = header('retry-after')
      return new Response(text === '' ? null : text, {
        status,
        headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
      })
    },
  }
}

/** Renames errors on the way up, so that also a body that breaks while it is read fails with a WaybillError. */
const namedErrors: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
  dispatch(options, {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onResponseStart: (controller, status, headers, message) =>
      handler.onResponseStart?.(controller, status, headers, message),
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) =>
      handler.onResponseError?.(controller, transportError(error)),
  })

// Up to this size one write is cheaper than many; above it, pieces keep the idle timeout about silence: it starts
// again with each piece that the network takes.
const oneWrite = 1024 * 1024
const piece = 256 * 1024

function requestBody(
  parts: readonly Uint8Array[],
  headers: Record<string, string>,
): Uint8Array | Readable {
  const total = parts.reduce((sum, part) => sum + part.byteLength, 0)
  headers['content-length'] = String(total)
  if (total > oneWrite) return Readable.from(inPieces(parts), { objectMode: false })
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, total)
}

function* inPieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts)
    for (let at = 0; at < part.byteLength; at += piece) yield part.subarray(at, at + piece)
}

function headerReader(headers: Record<string, string | string[] | undefined>): ReadHeader {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
}

const longestError = 64 * 1024

/**
 * Reads the body of a refusal.
 *
 * @returns what its JSON says; undefined if it is not JSON or longer than 64 KiB
 */
export async function readRefusal(body: HttpAnswer['body']): Promise<unknown> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestError) return undefined
    pieces.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(pieces, length).toString())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Reads the JSON of a success.
 *
 * @returns the value; throws `unavailable` if it is not JSON
 */
export async function readJson(body: HttpAnswer['body']): Promise<unknown> {
  try {
    return await body.json()
  } catch (error) {
    if (error instanceof SyntaxError) throw strangeAnswer(error)
    throw error
  }
}
