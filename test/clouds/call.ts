import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Content } from './content.ts'
import type { Random } from './random.ts'

/** What a route is good for: quota, faults and reports group routes by it. */
export type RouteKind = 'read' | 'list' | 'download' | 'write' | 'token' | 'control'

/** One HTTP request, matched to its route. */
export interface Call {
  /** The route's name, such as `drive.files.list`. */
  readonly route: string
  readonly kind: RouteKind
  readonly method: string
  /** The path as it was sent, without the query. */
  readonly path: string
  /** The values of the `{name}` parts of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Where this server listens, without a slash at the end. */
  readonly baseUrl: string
  /** The whole body. Throws a refusal with status 413 when it is longer than `limit` bytes. */
  body(limit?: number): Promise<Buffer>
  /** The body as it arrives, each piece counted. */
  chunks(): AsyncIterable<Buffer>
  /** A fault which the handler itself must act out (kind `inside`), or null. */
  readonly fault: InsideFault | null
  /** Node's own request, for what the rest does not cover. */
  readonly request: IncomingMessage
}

/** A fault that only the handler can act out, such as one failed entry of a batch. */
interface InsideFault {
  readonly id: string
  /** Seeded for this call: picks the entry, the byte, the moment. */
  readonly random: Random
}

/** A part of a content as a response body. */
interface ContentRange {
  readonly content: Content
  /** First byte. */
  readonly from: number
  /** One past the last byte. */
  readonly to: number
  /** Sends it without Content-Length, as exports are. */
  readonly chunked?: boolean
}

/** What a handler returns. At most one of `json`, `body` and `content`. */
export interface Answer {
  /** 200 unless given. */
  readonly status?: number
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: Buffer | string
  readonly content?: ContentRange
}

/** One operation of a provider's API. */
export interface Route {
  /** Counted under this name; a function where one path serves several operations. */
  readonly name: string | ((query: URLSearchParams, headers: IncomingHttpHeaders) => string)
  readonly kind: RouteKind | ((query: URLSearchParams) => RouteKind)
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** Segments in braces match one segment each: `/drive/v3/files/{fileId}/export`. */
  readonly path: string
  /** The price of a call in the provider's quota units. */
  readonly units?: number | ((query: URLSearchParams) => number)
  /** Answers the call, or throws a refusal. */
  handle(call: Call): Answer | Promise<Answer>
}

/** An answer that is thrown. */
export interface Refusal extends Error {
  readonly answer: Answer
}

/** An error that ends a handler with `answer`. */
export function refusal(answer: Answer): Refusal {
  return Object.assign(new Error(`refused with status ${answer.status ?? 200}`), { answer })
}

/** Whether something thrown is an answer. */
export function isRefusal(thrown: unknown): thrown is Refusal {
  return thrown instanceof Error && 'answer' in thrown
}
