/**
 * Every way a thing can go wrong, and what Waybill does about it.
 *
 * One code has exactly one disposition. Adapters translate whatever a provider says into one of these codes and throw
 * nothing else; what nobody has classified is `internal`, and is never read as "not there".
 */
export type Disposition =
  /** Try the same call again after a while (or after `retryAfterMs`). */
  | 'retry'
  /** Get a new access token, then try again. */
  | 'refresh'
  /** The upload session is gone: begin the item again. */
  | 'reopen'
  /** This item cannot be carried; say why in the receipt and go on. */
  | 'skip'
  /** The run waits until somebody (or the time in `retryAfterMs`) changes something. */
  | 'pause'
  /** Stop, and say what is wrong. */
  | 'fail'

const dispositions = {
  rate_limited: 'retry',
  unavailable: 'retry',
  store_unavailable: 'retry',
  busy: 'retry',
  damaged_in_transit: 'retry',
  incomplete_listing: 'retry',

  token_expired: 'refresh',

  session_lost: 'reopen',

  gone: 'skip',
  download_forbidden: 'skip',
  download_quota: 'skip',
  not_exportable: 'skip',
  export_too_large: 'skip',
  flagged_as_abusive: 'skip',
  dangling_shortcut: 'skip',
  shortcut: 'skip',
  keeps_changing: 'skip',
  damaged_at_source: 'skip',
  damaged_at_destination: 'skip',
  name_refused: 'skip',
  name_taken: 'skip',
  too_large: 'skip',
  item_forbidden: 'skip',
  left_selection: 'skip',

  connection_expired: 'pause',
  connection_unconfirmed: 'pause',
  account_changed: 'pause',
  frozen: 'pause',
  policy_refused: 'pause',
  destination_full: 'pause',
  destination_forbidden: 'pause',
  folder_taken: 'pause',
  provider_limit: 'pause',
  many_changes: 'pause',
  key_unavailable: 'pause',
  store_full: 'pause',

  unauthenticated: 'fail',
  forbidden: 'fail',
  invalid_request: 'fail',
  body_too_large: 'fail',
  not_found: 'fail',
  wrong_state: 'fail',
  source_missing: 'fail',
  listing_restarted: 'fail',
  cursor_lost: 'fail',
  lease_lost: 'fail',
  cancelled: 'fail',
  envelope_refused: 'fail',
  wallet_missing: 'fail',
  wallet_exists: 'fail',
  wallet_corrupt: 'fail',
  wrong_passphrase: 'fail',
  passphrase_weak: 'fail',
  store_newer: 'fail',
  store_in_use: 'fail',
  settings_invalid: 'pause',
  receipt_invalid: 'fail',
  audit_invalid: 'fail',
  internal: 'fail',
} as const satisfies Record<string, Disposition>

export type ErrorCode = keyof typeof dispositions

/** All of them. */
export const errorCodes: readonly ErrorCode[] = Object.keys(dispositions).filter(isErrorCode)

/** @returns what to do about `code`. */
export function dispositionOf(code: ErrorCode): Disposition {
  return dispositions[code]
}

/** @returns whether `value` is one of our codes (for codes read back from a store or over HTTP). */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(dispositions, value)
}

export interface ErrorDetail {
  readonly cause?: unknown
  /** How long the other side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number
}

/**
 * The only error that crosses a room's border. The message is for people and may be shown: it holds no token, e-mail
 * address, file name or provider text. `cause` may hold anything and is never logged nor sent.
 */
export class WaybillError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message)
    this.name = 'WaybillError'
    this.code = code
    this.retryAfterMs = detail.retryAfterMs
    // Not enumerable, so that printing the error does not print what a provider sent (tokens, names).
    if (detail.cause !== undefined)
      Object.defineProperty(this, 'cause', { value: detail.cause, enumerable: false })
  }
}

/**
 * @param error anything that was thrown
 * @returns it, if it is ours, or an `internal` error that carries it as its cause
 */
export function asWaybillError(error: unknown): WaybillError {
  if (error instanceof WaybillError) return error
  return new WaybillError('internal', 'Something went wrong inside Waybill.', { cause: error })
}

/** @returns whether `error` is a WaybillError with this very code. */
export function hasCode(error: unknown, code: ErrorCode): error is WaybillError {
  return error instanceof WaybillError && error.code === code
}
