import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { WaybillError } from '../../shared/errors.ts'
import { gather } from './gather.ts'
import type { Change } from './gather.ts'
import { collections, checkKey, checkKeys, checkLimit, checkQuery } from './limits.ts'
import { asStoreError, isBusy } from './sqlite-errors.ts'
import { openTable } from './sqlite-table.ts'
import { wipe } from './sqlite-wipe.ts'
import type { Row, Table } from './sqlite-table.ts'
import type { Collection, Document, Store } from './store.ts'

const attempts = 16
const longestWaitMs = 250

/** What a transaction read: a row, also one whose time is over, or that there was none. */
interface Seen {
  readonly collection: Collection
  readonly key: string
  readonly row: Row | null
}

export interface SqliteStoreOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Numbers in [0, 1), to spread the attempts of transactions that met. */
  readonly random?: () => number
}

/**
 * A store in one SQLite file. Several, also in several processes, may use the same file.
 * @param db what `openStoreFile` returned; `close` closes it, also for the local queue if that shares it
 * @returns the store; besides what its contract says, everything throws `busy` when other connections leave it no turn
 */
export function createSqliteStore(
  db: DatabaseSync,
  { clock, random = Math.random }: SqliteStoreOptions,
): Store {
  const tables = new Map(collections.map((collection) => [collection, openTable(db, collection)]))
  const number = db.prepare(
    "UPDATE about SET value = value + 1 WHERE name = 'transactions' RETURNING value",
  )
  const live = (row: Row | null): Document | null =>
    row === null || isOver(row.document, clock()) ? null : row.document

  function tableOf(collection: Collection): Table {
    const table = tables.get(collection)
    if (table === undefined) throw new WaybillError('internal', 'There is no such collection.')
    return table
  }

  const unchanged = (seen: readonly Seen[]): boolean =>
    seen.every((one) => tableOf(one.collection).versionOf(one.key) === (one.row?.version ?? null))

  // One turn of the event loop: verified and landed, or nothing and false.
  function land(seen: readonly Seen[], changes: readonly Change[]): boolean {
    try {
      db.exec(changes.length === 0 ? 'BEGIN' : 'BEGIN IMMEDIATE')
      const stands = unchanged(seen)
      if (stands && changes.length > 0) {
        const version = Number(number.get()?.['value'])
        for (const { collection, key, document } of changes) {
          if (document === null) tableOf(collection).remove(key)
          else tableOf(collection).put(document, version)
        }
      }
      db.exec('COMMIT')
      return stands
    } catch (error) {
      if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
      if (isBusy(error)) return false
      throw asStoreError(error)
    }
  }

  return {
    async get(collection, key) {
      checkKey(key)
      return translated(() => live(tableOf(collection).get(key)))
    },
    async getMany(collection, keys) {
      checkKeys(keys)
      const rows = translated(() => tableOf(collection).getMany(keys))
      const found = new Map(rows.map((row) => [row.document.key, row]))
      return keys.map((key) => live(found.get(key) ?? null))
    },
    async list(query) {
      const wanted = checkQuery(query)
      const between = { after: query.after ?? '', before: query.before ?? null }
      const rows = translated(() =>
        tableOf(query.collection).list(wanted, between, clock(), query.limit),
      )
      return rows.map((row) => row.document)
    },
    async transact(change) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0) await wait(random() * Math.min(longestWaitMs, 2 ** attempt))
        const seen: Seen[] = []
        const work = gather(async (collection, key) => {
          const row = translated(() => tableOf(collection).get(key))
          seen.push({ collection, key, row })
          return live(row)
        })
        let result
        try {
          result = await change(work.transaction)
        } catch (error) {
          // What it saw may never have been true all at once; only then is its complaint none.
          work.end()
          if (land(seen, [])) throw error
          continue
        }
        if (land(seen, work.end())) return result
      }
      throw new WaybillError('busy', 'The store is busy: what was to be changed kept changing.')
    },
    async sweep(limit) {
      checkLimit(limit, Number.MAX_SAFE_INTEGER)
      let swept = 0
      for (const table of tables.values())
        if (swept < limit) swept += translated(() => table.sweep(clock(), limit - swept))
      return swept
    },
    async wipe() {
      try {
        return wipe(db)
      } catch (error) {
        if (isBusy(error)) return false
        throw asStoreError(error)
      }
    },
    close: () => void (db.isOpen && db.close()),
  }
}

function isOver(document: Document, now: number): boolean {
  return document.expiresAt !== null && document.expiresAt <= now
}

function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asStoreError(error)
  }
}
