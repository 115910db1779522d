import { WaybillError } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { statusError } from '../http-errors.ts'
import type { ReadHeader } from '../http-errors.ts'
import { member } from '../json.ts'

/** What Drive was asked for: the same refusal means different things. */
export type DriveCall =
  | 'account'
  | 'get'
  | 'list'
  | 'list-on'
  | 'children'
  | 'children-on'
  | 'changes'
  | 'download'

/** An answer that is not a success. */
export interface DriveRefusal {
  readonly status: number
  readonly header: ReadHeader
  /** The JSON of the answer; undefined if it was something else. */
  readonly body: unknown
}

const messages = {
  rate_limited: 'Google asks for fewer calls.',
  provider_limit: 'The daily limit of calls to Google Drive is reached.',
  token_expired: 'Google did not accept the access token.',
  connection_expired: 'Google did not grant the access that is needed.',
  forbidden: 'The administrators do not allow apps to use Drive.',
  source_missing: 'The drive is not there or not visible any more.',
  gone: 'It is not in Drive any more, or not visible.',
  item_forbidden: 'Drive does not allow this app to read it.',
  download_forbidden: 'Its owner or an administrator does not allow downloads.',
  download_quota: 'It was downloaded too often; Google allows it again after a day.',
  flagged_as_abusive: 'Google flagged it as malware or spam.',
  not_exportable: 'Google offers no such form of it.',
  export_too_large: 'It is larger than Google exports.',
  listing_restarted: 'Google refused to go on with the listing.',
  cursor_lost: 'Google refused to go on with the list of changes.',
  unavailable: 'Google Drive cannot answer at the moment.',
  internal: 'Google Drive refused a call in a way that Waybill does not know.',
} as const satisfies Partial<Record<ErrorCode, string>>

type DriveCode = keyof typeof messages

// https://developers.google.com/workspace/drive/api/guides/handle-errors
const byReason: Readonly<Record<string, DriveCode>> = {
  userRateLimitExceeded: 'rate_limited',
  rateLimitExceeded: 'rate_limited',
  RESOURCE_EXHAUSTED: 'rate_limited',
  dailyLimitExceeded: 'provider_limit',
  insufficientPermissions: 'connection_expired',
  ACCESS_TOKEN_SCOPE_INSUFFICIENT: 'connection_expired',
  domainPolicy: 'forbidden',
  accessNotConfigured: 'forbidden',
  teamDriveMembershipRequired: 'source_missing',
  appNotAuthorizedToFile: 'item_forbidden',
  appNotAuthorizedToChild: 'item_forbidden',
  insufficientFilePermissions: 'item_forbidden',
  cannotDownloadFile: 'download_forbidden',
  cannotExportFile: 'download_forbidden',
  cannotDownloadAbusiveFile: 'flagged_as_abusive',
  downloadQuotaExceeded: 'download_quota',
  fileNotDownloadable: 'not_exportable',
  fileNotExportable: 'not_exportable',
  exportSizeLimitExceeded: 'export_too_large',
}

const notFound: Readonly<Record<DriveCall, DriveCode>> = {
  account: 'source_missing',
  get: 'gone',
  list: 'source_missing',
  'list-on': 'source_missing',
  children: 'gone',
  'children-on': 'gone',
  changes: 'source_missing',
  download: 'gone',
}

/**
 * @param call what was asked for
 * @param refusal the answer
 * @param now milliseconds since 1970
 * @returns what it means. Decided by status and reason, never by text.
 */
export function driveError(call: DriveCall, refusal: DriveRefusal, now: number): WaybillError {
  const { status, header, body } = refusal
  if (status === 401) return named('token_expired')
  const reason = reasonOf(body)
  const code = Object.hasOwn(byReason, reason) ? byReason[reason] : undefined
  // Which of the two limits it is decides, also where both come with 429; its Retry-After counts in any case.
  const passing = statusError(status, header, now)
  if (code === 'rate_limited' || (code === undefined && passing !== null))
    return named(
      passing?.code === 'unavailable' ? 'unavailable' : 'rate_limited',
      passing?.retryAfterMs,
    )
  if (code !== undefined) return named(code)
  // Only Drive itself can say that something is not there: a proxy's page is no such answer.
  if (status === 404 || status === 410) return named(reason === '' ? 'unavailable' : notFound[call])
  if (status === 400 && call === 'changes')
    return named(tokenRefused(reason) ? 'cursor_lost' : 'internal')
  if (status === 400 && (call === 'list-on' || call === 'children-on'))
    return named(tokenRefused(reason) ? 'listing_restarted' : 'internal')
  if (status === 400 && call === 'download' && reason === 'badRequest')
    return named('not_exportable')
  return named('internal', undefined, `${call} ${status} ${/^\w*$/.test(reason) ? reason : ''}`)
}

/** @returns the error for a page that leads back to itself. */
export function loopingListing(call: 'list' | 'changes'): WaybillError {
  return named(call === 'list' ? 'listing_restarted' : 'cursor_lost')
}

function named(code: DriveCode, retryAfterMs?: number, cause?: string): WaybillError {
  return new WaybillError(code, messages[code], {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause,
  })
}

function tokenRefused(reason: string): boolean {
  return reason === 'invalid' || reason === 'invalidParameter' || reason === 'INVALID_ARGUMENT'
}

/** Reads the reason out of either of Google's two error documents; empty if there is none. */
function reasonOf(body: unknown): string {
  const error = member(body, 'error')
  const reason =
    member(first(member(error, 'errors')), 'reason') ??
    member(first(member(error, 'details')), 'reason') ??
    member(error, 'status')
  return typeof reason === 'string' ? reason : ''
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined
}
