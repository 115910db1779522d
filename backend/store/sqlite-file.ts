import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { WaybillError } from '../../shared/errors.ts'
import { differs, migrate, storeVersion } from './migrations.ts'
import { asStoreError, isBusy, isDamaged, isUnusable } from './sqlite-errors.ts'

// "Wayb" in `PRAGMA application_id` marks a file as ours: https://www.sqlite.org/pragma.html#pragma_application_id
const mark = 0x57617962
// While SQLite waits, the whole process waits, so it does not wait long: the store waits again, without blocking.
const openAttempts = 20
const betweenAttemptsMs = 100
const waitMs = 500

/**
 * Opens a store file, creates it (readable by its owner only) or brings an older one up to date.
 * @param path the file, in a directory that exists; `:memory:` for a store that nobody keeps
 * @returns the open database, for the store and for the local queue
 *
 * Throws `store_newer` for a file written by a later version of Waybill, `settings_invalid` for one that cannot be
 * opened or is not a store, `store_full` when the disk is full. In none of these cases is the file changed.
 */
export function openStoreFile(path: string): DatabaseSync {
  const db = openPrivately(path)
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        prepare(db)
        return db
      } catch (error) {
        // SQLite does not wait by itself while another process turns a new file into one with a write-ahead log.
        if (!isBusy(error) || attempt >= openAttempts) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, betweenAttemptsMs)
      }
    }
  } catch (error) {
    db.close()
    throw asOpeningError(error)
  }
}

function prepare(db: DatabaseSync): void {
  const version = atOnce(db, () => versionOf(db))
  // Keys are blinded, so that every write lands somewhere else: larger pages halve the calls into the operating system.
  db.exec('PRAGMA page_size = 8192')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = NORMAL')
  // What is forgotten is wiped where a page is written anyway, above all a wrapped data key.
  db.exec('PRAGMA secure_delete = FAST')
  db.exec('PRAGMA cache_size = -8192')
  // 64 MiB: writing pages back seldom is what makes many small writes in the order of blinded keys fast.
  db.exec('PRAGMA wal_autocheckpoint = 8192')
  db.exec('PRAGMA journal_size_limit = 67108864')
  if (version < storeVersion || differs(db)) bringUpToDate(db)
}

export interface Hold {
  /** Lets the next process in. */
  release(): void
}

/**
 * Claims a store for this process, so that only one works on its runs. The claim ends with the process, however it ends.
 * @param path the store file; the claim is a lock on a file beside it
 * @returns the claim; throws `store_in_use` while another process (or another part of this one) has it
 */
export function holdStore(path: string): Hold {
  const db = openPrivately(`${path}.lock`)
  try {
    // A lock of the operating system, which SQLite takes on every platform and which dies with its process.
    db.exec('PRAGMA journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!isBusy(error)) throw asOpeningError(error)
    throw new WaybillError(
      'store_in_use',
      'Another Waybill process works with this store. Stop it first, or give this one a store of its own.',
      { cause: error },
    )
  }
  return { release: () => void (db.isOpen && db.close()) }
}

function openPrivately(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') createPrivately(path)
    return new DatabaseSync(path, { timeout: waitMs })
  } catch (error) {
    throw cannotOpen(error)
  }
}

// Only ever opens a file that is new: closing one that this process has open elsewhere would let go of the locks that
// SQLite has on it (https://www.sqlite.org/howtocorrupt.html, "POSIX advisory locks").
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if (
      !(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST')
    )
      throw error
  }
}

// Reads only, so that a file that is not ours stays as it is.
function versionOf(db: DatabaseSync): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  const application = Number(db.prepare('PRAGMA application_id').get()?.['application_id'])
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (application !== mark && !isEmpty) throw notAStore(undefined)
  if (version > storeVersion)
    throw new WaybillError(
      'store_newer',
      'The store was written by a newer version of Waybill. Start that version, or a newer one.',
    )
  return version
}

// In one transaction: between two reads another process may have made the file what it is to be.
function atOnce<T>(db: DatabaseSync, read: () => T): T {
  db.exec('BEGIN')
  try {
    return read()
  } finally {
    if (db.isTransaction) db.exec('COMMIT')
  }
}

function bringUpToDate(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have done it while this one waited for its turn.
    const version = versionOf(db)
    db.exec(`PRAGMA application_id = ${mark}`)
    migrate(db, version)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function asOpeningError(error: unknown): WaybillError {
  if (isDamaged(error)) return notAStore(error)
  if (isUnusable(error)) return cannotOpen(error)
  return asStoreError(error)
}

function cannotOpen(cause: unknown): WaybillError {
  return new WaybillError(
    'settings_invalid',
    'The store file cannot be opened. Check that its directory exists and that Waybill may write there.',
    { cause },
  )
}

function notAStore(cause: unknown): WaybillError {
  return new WaybillError(
    'settings_invalid',
    'The file given as the store is not a store of Waybill, or it is damaged. Name another file, or restore it from a backup.',
    { cause },
  )
}
