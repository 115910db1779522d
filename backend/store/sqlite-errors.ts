import { WaybillError } from '../../shared/errors.ts'

// https://www.sqlite.org/rescode.html. The lowest byte is the primary code, the rest says which kind of it.
const busy = 5
const readOnly = 8
const readOrWriteFailed = 10
const corrupt = 11
const full = 13
const cannotOpen = 14
const notADatabase = 26
// The file of the shared-memory index could not be made larger: also a full disk.
const sharedMemorySize = 4874

function codeOf(error: unknown): number {
  const code =
    typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code : 0
}

/** @returns whether SQLite gave up because another connection is writing */
export function isBusy(error: unknown): boolean {
  return (codeOf(error) & 0xff) === busy
}

/** @returns whether SQLite cannot make sense of the file */
export function isDamaged(error: unknown): boolean {
  return [corrupt, notADatabase].includes(codeOf(error) & 0xff)
}

/** @returns whether the file or its directory may not be read or written */
export function isUnusable(error: unknown): boolean {
  return [readOnly, cannotOpen].includes(codeOf(error) & 0xff)
}

/**
 * @param error what `node:sqlite` threw
 * @returns the same in our words: `store_full`, `busy`, `store_unavailable` or `internal`; our own errors as they are
 */
export function asStoreError(error: unknown): WaybillError {
  if (error instanceof WaybillError) return error
  const code = codeOf(error)
  const cause = error
  if ((code & 0xff) === full || code === sharedMemorySize)
    return new WaybillError(
      'store_full',
      'The disk that holds the store is full. Free some space, then resume.',
      { cause },
    )
  if (isBusy(error))
    return new WaybillError('busy', 'The store is busy with another process.', { cause })
  if (isDamaged(error))
    return new WaybillError('internal', 'The store file is damaged. Restore it from a backup.', {
      cause,
    })
  if (isUnusable(error) || (code & 0xff) === readOrWriteFailed)
    return new WaybillError(
      'store_unavailable',
      'The disk that holds the store cannot be read or written.',
      { cause },
    )
  return new WaybillError('internal', 'The store failed.', { cause })
}
