import type { Response } from 'express'
import { asWaybillError, WaybillError, type ErrorCode } from '../../shared/errors.ts'

/**
 * What each error is over HTTP (RFC 9110 §15). Codes that belong to one item or to the program's start never come this
 * far in practice; they are here so that a new code cannot be forgotten.
 */
const statuses = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  body_too_large: 413,
  rate_limited: 429,

  wrong_state: 409,
  cancelled: 409,
  source_missing: 409,
  connection_expired: 409,
  connection_unconfirmed: 409,
  account_changed: 409,
  frozen: 409,
  policy_refused: 409,
  destination_full: 409,
  destination_forbidden: 409,
  many_changes: 409,

  gone: 422,
  download_forbidden: 422,
  download_quota: 422,
  not_exportable: 422,
  export_too_large: 422,
  flagged_as_abusive: 422,
  dangling_shortcut: 422,
  shortcut: 422,
  keeps_changing: 422,
  damaged_at_source: 422,
  damaged_at_destination: 422,
  name_refused: 422,
  name_taken: 422,
  folder_taken: 409,
  too_large: 422,
  item_forbidden: 422,
  left_selection: 422,

  unavailable: 503,
  store_unavailable: 503,
  busy: 503,
  damaged_in_transit: 503,
  incomplete_listing: 503,
  token_expired: 503,
  session_lost: 503,
  provider_limit: 503,
  key_unavailable: 503,
  store_full: 503,
  store_in_use: 503,
  listing_restarted: 503,
  cursor_lost: 503,
  lease_lost: 503,

  envelope_refused: 500,
  wallet_missing: 500,
  wallet_exists: 500,
  wallet_corrupt: 500,
  wrong_passphrase: 500,
  passphrase_weak: 500,
  store_newer: 500,
  settings_invalid: 500,
  receipt_invalid: 500,
  audit_invalid: 500,
  internal: 500,
} as const satisfies Record<ErrorCode, number>

/** @returns the HTTP status of `code`. */
export function statusOf(code: ErrorCode): number {
  return statuses[code]
}

/** The one shape of an error over HTTP. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode
    /** For people. */
    readonly message: string
    /** In seconds. */
    readonly retryAfter?: number
  }
}

/** @returns what is sent for `error`: its code, its message and how long to wait; never its cause or stack. */
export function errorBody(error: WaybillError): ErrorBody {
  const { code, message, retryAfterMs } = error
  if (retryAfterMs === undefined) return { error: { code, message } }
  return { error: { code, message, retryAfter: Math.max(1, Math.ceil(retryAfterMs / 1_000)) } }
}

/**
 * @param thrown anything that a handler, Express or its body reader threw
 * @returns it as one of ours; what the client did wrong in HTTP itself is `invalid_request`
 */
export function asAnswer(thrown: unknown): WaybillError {
  if (thrown instanceof WaybillError || typeof thrown !== 'object' || thrown === null)
    return asWaybillError(thrown)
  // Express, its router and its body reader mark what a client did wrong with a status. https://www.npmjs.com/package/http-errors
  const status = 'status' in thrown ? thrown.status : undefined
  if (status === 413) return new WaybillError('body_too_large', 'The body is larger than 64 KiB.')
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new WaybillError('invalid_request', 'The request cannot be read.')
  return asWaybillError(thrown)
}

/** Sends `error` as the answer; if the answer has begun, cuts the connection so that nobody takes it for whole. */
export function sendError(response: Response, error: WaybillError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = errorBody(error)
  // RFC 9110 §11.6.1 asks for the challenge, RFC 6750 §3 says how it looks.
  if (error.code === 'unauthenticated') response.set('WWW-Authenticate', 'Bearer')
  if (body.error.retryAfter !== undefined) response.set('Retry-After', `${body.error.retryAfter}`)
  response.status(statusOf(error.code)).json(body)
}

/**
 * @returns where in our own code the unknown error behind `error` was thrown, if that can be told. Only a file and a
 * line: a stack begins with the message, and with it whatever a provider said.
 */
export function placeOf(error: WaybillError): string | undefined {
  if (!(error.cause instanceof Error)) return undefined
  const frame = /\n\s+at [^\n]*\/((?:backend|shared)\/[a-z0-9/-]+\.ts:\d+)/
  const { stack = '', message } = error.cause
  return frame.exec(stack.replace(message, ''))?.[1]
}
