import { WaybillError } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { statusError } from '../http-errors.ts'
import type { ReadHeader } from '../http-errors.ts'
import { member } from '../json.ts'

/** What Dropbox was asked for: `not_found` means different things. */
export type DropboxCall = 'account' | 'session' | 'write' | 'read' | 'move' | 'changes'

/** An answer that is not a success. */
export interface DropboxRefusal {
  readonly status: number
  readonly header: ReadHeader
  /** The JSON of the answer; undefined or text if it was something else. */
  readonly body: unknown
}

const messages = {
  rate_limited: 'Dropbox asks for fewer calls.',
  busy: 'Dropbox is busy with other changes in the account.',
  unavailable: 'Dropbox cannot answer at the moment.',
  damaged_in_transit: 'The bytes were damaged on the way to Dropbox.',
  token_expired: 'Dropbox did not accept the access token.',
  session_lost: 'Dropbox does not know the upload any more.',
  gone: 'It is not in Dropbox any more.',
  download_forbidden: 'Dropbox does not allow to read it.',
  not_exportable: 'Dropbox has no bytes of it.',
  name_refused: 'Dropbox does not allow this name.',
  name_taken: 'Something else has this name in Dropbox.',
  too_large: 'It is larger than Dropbox allows.',
  connection_expired: 'Dropbox does not allow access to the account.',
  destination_full: 'There is no room left in Dropbox.',
  destination_forbidden: 'Dropbox does not allow to write there.',
  provider_limit: 'The plan of the Dropbox account allows no more uploads at the moment.',
  cursor_lost: 'Dropbox refused to go on with the list of changes.',
  internal: 'Dropbox refused a call in a way that Waybill does not know.',
} as const satisfies Partial<Record<ErrorCode, string>>

type DropboxCode = keyof typeof messages

// https://github.com/dropbox/dropbox-api-spec files.stone and auth.stone
const byTag: Readonly<Record<string, DropboxCode>> = {
  expired_access_token: 'token_expired',
  invalid_access_token: 'token_expired',
  missing_scope: 'connection_expired',
  user_suspended: 'connection_expired',
  too_many_requests: 'rate_limited',
  too_many_write_operations: 'busy',
  content_hash_mismatch: 'damaged_in_transit',
  length_mismatch: 'damaged_in_transit',
  closed: 'session_lost',
  not_closed: 'session_lost',
  incorrect_offset: 'session_lost',
  too_large: 'too_large',
  conflict: 'name_taken',
  disallowed_name: 'name_refused',
  malformed_path: 'name_refused',
  insufficient_space: 'destination_full',
  insufficient_quota: 'destination_full',
  team_folder_insufficient_quota: 'destination_full',
  member_folder_insufficient_quota: 'destination_full',
  no_write_permission: 'destination_forbidden',
  access_restricted: 'destination_forbidden',
  team_folder: 'destination_forbidden',
  operation_suppressed: 'destination_forbidden',
  encryption_not_supported: 'destination_forbidden',
  cant_move_shared_folder: 'destination_forbidden',
  cant_nest_shared_folder: 'destination_forbidden',
  // Changed place of the account's root: whoever joined or left a team connects again.
  invalid_root: 'connection_expired',
  no_permission: 'connection_expired',
  restricted_content: 'download_forbidden',
  locked: 'download_forbidden',
  unsupported_file: 'not_exportable',
  not_file: 'gone',
  reset: 'cursor_lost',
  internal_error: 'unavailable',
}

const notFound: Readonly<Record<DropboxCall, DropboxCode>> = {
  account: 'internal',
  session: 'session_lost',
  write: 'internal',
  read: 'gone',
  move: 'gone',
  // The folder itself is gone, whatever its cursor could still say.
  changes: 'gone',
}

/**
 * @param call what was asked for
 * @param refusal the answer
 * @param now milliseconds since 1970
 * @returns what it means, with Dropbox's own error as its cause. Decided by status and tags, never by text.
 */
export function dropboxError(
  call: DropboxCall,
  { status, header, body }: DropboxRefusal,
  now: number,
): WaybillError {
  const error = member(body, 'error')
  const passing = statusError(status, header, now)
  if (passing !== null) {
    const seconds = member(error, 'retry_after')
    const told = typeof seconds === 'number' ? seconds * 1000 : 0
    const wait = Math.max(told, passing.retryAfterMs ?? 0)
    const busy = tagsOf(error).includes('too_many_write_operations')
    const code = busy ? 'busy' : passing.code === 'rate_limited' ? 'rate_limited' : 'unavailable'
    return named(code, error, wait === 0 ? undefined : wait)
  }
  if (status === 403 && tagsOf(error).length === 0)
    // The monthly limit of uploads, which has no tag: https://www.dropbox.com/developers/reference/data-transport-limit
    return named('provider_limit', error)
  if (status === 403) return named('destination_forbidden', error)
  return entryError(call, error, status)
}

/**
 * @param error an error of Dropbox's, out of a refusal or of one entry of a batch
 * @returns what it means, with the error as its cause
 */
export function entryError(call: DropboxCall, error: unknown, status = 200): WaybillError {
  const tags = tagsOf(error)
  for (const tag of tags.toReversed()) {
    if (tag === 'not_found') return named(notFound[call], error)
    const code = Object.hasOwn(byTag, tag) ? byTag[tag] : undefined
    if (code !== undefined) return named(code, error)
  }
  // Without its token only a 401 can be told apart, and then it is the token.
  if (status === 401) return named('token_expired', error)
  return named('internal', { call, status, tags })
}

/** @returns how many bytes a session holds, if that is what the error says; else null. */
export function correctOffset(error: unknown): number | null {
  for (let at = error, depth = 0; depth < 4; depth++) {
    const offset = member(at, 'correct_offset')
    if (typeof offset === 'number') return offset
    at = inner(at)
  }
  return null
}

/** @returns the tags of an error from the outside in, as in its summary: `path`, `conflict`, `file`. */
export function tagsOf(error: unknown): readonly string[] {
  const tags: string[] = []
  for (let at = error; tags.length < 6; at = inner(at)) {
    const tag = member(at, '.tag')
    if (typeof tag === 'string') tags.push(tag)
    else if (member(at, 'reason') === undefined) return tags
  }
  return tags
}

function inner(error: unknown): unknown {
  const tag = member(error, '.tag')
  return (typeof tag === 'string' ? member(error, tag) : undefined) ?? member(error, 'reason')
}

function named(code: DropboxCode, cause: unknown, retryAfterMs?: number): WaybillError {
  return new WaybillError(code, messages[code], {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause,
  })
}
