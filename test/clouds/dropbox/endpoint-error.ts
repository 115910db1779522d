import { refusal } from '../call.ts'
import type { Answer, Refusal } from '../call.ts'

/** A union value as Dropbox sends it. */
export interface Tagged {
  readonly '.tag': string
  readonly [field: string]: unknown
}

/** A refusal with status 409: the route's own error, in Dropbox's envelope. */
export function endpointError(error: Tagged): Refusal {
  return refusal({ status: 409, json: envelope(error) })
}

/** 429 in its two reasons, with the time to wait in seconds. */
export function rateLimited(
  reason: 'too_many_requests' | 'too_many_write_operations',
  seconds: number,
): Answer {
  return {
    status: 429,
    headers: { 'retry-after': String(seconds) },
    json: {
      error_summary: `${reason}/..`,
      error: { reason: { '.tag': reason }, retry_after: seconds },
    },
  }
}

/** 400 as plain text: the call itself is wrong. */
export function badCall(route: string, reason: string): Answer {
  return { status: 400, body: `Error in call to API function "${route}": ${reason}` }
}

/** Dropbox's error document. Clients must look at the tags: the dots of the summary mean nothing. */
export function envelope(error: Tagged): { error_summary: string; error: Tagged } {
  return { error_summary: `${tagsOf(error).join('/')}/..`, error }
}

function tagsOf(error: Tagged): string[] {
  const tag = error['.tag']
  const inner = error[tag] ?? error['reason']
  return isTagged(inner) ? [tag, ...tagsOf(inner)] : [tag]
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === 'object' && value !== null && '.tag' in value
}
