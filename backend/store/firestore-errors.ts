import { WaybillError } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'

// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const invalidArgument = 3
const aborted = 10
const unauthenticated = 16
/** Cancelled, unknown, deadline exceeded, internal, unavailable: nobody knows what has become of the request. */
const away: readonly unknown[] = [1, 2, 4, 13, 14]

// What the others mean to the store: https://cloud.google.com/firestore/docs/understand-error-codes
const meanings: Readonly<Record<number, readonly [code: ErrorCode, message: string]>> = {
  5: [
    'settings_invalid',
    'There is no such Firestore database. Check the project and the name of the database.',
  ],
  7: [
    'settings_invalid',
    'Firestore refuses the service account, or its API is not enabled. Give it roles/datastore.user.',
  ],
  // Never `rate_limited`: a run that a cloud slows down in the end waits for a person, who could not mend this.
  8: ['store_unavailable', "Firestore's quota is used up. Raise it, or wait until it is renewed."],
  9: [
    'settings_invalid',
    'Firestore lacks an index, or the database is not in native mode. Deploy the index files.',
  ],
  [aborted]: ['busy', 'The store is busy: what was to be changed kept changing.'],
  [unauthenticated]: [
    'settings_invalid',
    'Firestore does not know who asks. Check the credentials of Google Cloud.',
  ],
}

function statusOf(error: unknown): number {
  const status =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (typeof status === 'number') return status
  // The one failure that the client gives no status.
  return says(error, 'Could not load the default credentials') ? unauthenticated : -1
}

function says(error: unknown, words: string): boolean {
  return error instanceof Error && error.message.includes(words)
}

/**
 * @param error what the Firestore client threw
 * @returns the same in our words; our own errors as they are
 */
export function asStoreError(error: unknown): WaybillError {
  if (error instanceof WaybillError) return error
  const cause = error
  if (mayHaveLanded(error))
    return new WaybillError('store_unavailable', 'Firestore cannot be reached, or is in trouble.', {
      cause,
    })
  const [code, message] = meanings[statusOf(error)] ?? [
    'internal',
    'Firestore refused what it was asked.',
  ]
  return new WaybillError(code, message, { cause })
}

/** @returns whether Firestore gave a transaction up for the sake of another one, or because it went on for too long */
export function wasAborted(error: unknown): boolean {
  const status = statusOf(error)
  if (status === invalidArgument) return says(error, 'transaction has expired')
  return status === aborted
}

/** @returns whether a commit that failed so may have landed all the same */
export function mayHaveLanded(error: unknown): boolean {
  return away.includes(statusOf(error))
}
