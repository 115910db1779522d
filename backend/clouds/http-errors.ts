import { WaybillError } from '../../shared/errors.ts'
import { member } from './json.ts'

/** One response header by its lower-case name, or undefined. */
export type ReadHeader = (name: string) => string | undefined

/**
 * Names what went wrong with a connection.
 *
 * @param error whatever undici or a socket failed with
 * @returns it, if it is ours already; `unavailable` for a connection that failed, was cut or fell silent; `cancelled`
 * for an abort; `internal` for what is none of these
 */
export function transportError(error: unknown): WaybillError {
  if (error instanceof WaybillError) return error
  const code = member(error, 'code')
  if (member(error, 'name') === 'AbortError' || code === 'UND_ERR_ABORTED')
    return new WaybillError('cancelled', 'The transfer was stopped.', { cause: error })
  if (typeof code === 'string' && isConnectionFailure(code))
    return new WaybillError('unavailable', 'The connection to the cloud failed.', { cause: error })
  return new WaybillError('internal', 'A request could not be made.', { cause: error })
}

const connectionFailures: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

// HPE_…: the HTTP parser met something that is not HTTP, such as a body that ended in the middle.
function isConnectionFailure(code: string): boolean {
  return connectionFailures.has(code) || code.startsWith('HPE_')
}

/**
 * What a status means whoever sends it: a proxy on the way answers like this in the place of the provider.
 *
 * @param now milliseconds since 1970, for a Retry-After that is a date
 * @returns `rate_limited` for 429, `unavailable` for 408, 425 and 5xx, null for every other status
 */
export function statusError(status: number, header: ReadHeader, now: number): WaybillError | null {
  const passing = status === 408 || status === 425 || status >= 500
  if (!passing && status !== 429) return null
  const retryAfterMs = parseRetryAfter(header('retry-after'), now)
  const detail = retryAfterMs === undefined ? {} : { retryAfterMs }
  return passing
    ? new WaybillError('unavailable', 'The cloud cannot answer at the moment.', detail)
    : new WaybillError('rate_limited', 'The cloud asks for fewer calls.', detail)
}

/**
 * Reads a Retry-After in either of its forms, seconds or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 *
 * @param now milliseconds since 1970
 * @returns milliseconds from now, never negative; undefined if there is none that can be read
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** @returns the error for an answer that says success and is not what was asked for, as a proxy's page is. */
export function strangeAnswer(cause?: unknown): WaybillError {
  return new WaybillError('unavailable', 'The cloud answered with something else.', { cause })
}
