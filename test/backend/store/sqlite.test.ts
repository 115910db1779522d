import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'
import { storeBench } from '../../contract/store-bench.ts'
import { describeStore } from '../../contract/store.ts'
import { document, putAll } from '../../contract/store-documents.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-store-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describeStore('SQLite', async () => {
  const open = () => openStoreFile(join(folder, 'store.db'))
  return storeBench(
    (clock) => createSqliteStore(open(), { clock }),
    async (clock) => createSqliteStore(withoutDisk(open()), { clock }),
  )
})

/** A connection whose statements can be prepared, and end as SQLite ends them when the disk does not answer. */
function withoutDisk(db: DatabaseSync): DatabaseSync {
  const fail = (): never => {
    // https://www.sqlite.org/rescode.html#ioerr_read
    throw Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 266 })
  }
  return new Proxy(db, {
    get(target, name) {
      if (name === 'exec') return fail
      if (name === 'prepare') return () => ({ get: fail, all: fail, run: fail })
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('the SQLite store', () => {
  let db: DatabaseSync
  let store: Store
  beforeEach(() => {
    db = openStoreFile(join(folder, 'store.db'))
    store = createSqliteStore(db, { clock: () => 0, random: () => 0 })
  })
  afterEach(() => store.close())

  it('gives up with busy when what it read keeps changing', async () => {
    let attempts = 0
    const changing = store.transact(async (transaction) => {
      await transaction.get('jobs', 'a')
      attempts += 1
      await putAll(store, 'jobs', [document('a', { attempts })])
      transaction.put('jobs', document('a', { attempts: -1 }))
    })
    await expect(changing).rejects.toThrow(expect.objectContaining({ code: 'busy' }))
    expect(attempts).toBeGreaterThan(5)
    expect((await store.get('jobs', 'a'))?.fields).toEqual({ attempts })
  })

  it('tries again when another connection is writing', async () => {
    const other = openStoreFile(join(folder, 'store.db'))
    other.exec('BEGIN IMMEDIATE')
    setTimeout(() => other.exec('COMMIT'), 1)
    await putAll(store, 'jobs', [document('a')])
    expect(other.isTransaction).toBe(false)
    other.close()
    expect(await store.get('jobs', 'a')).toEqual(document('a'))
  })

  it('says store_full when the disk is full, lands nothing of that transaction, and goes on later', async () => {
    await putAll(store, 'ledger', [document('before')])
    const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count'])
    db.exec(`PRAGMA max_page_count = ${pages + 20}`)
    const many = Array.from({ length: 40 }, (_, at) => {
      return document(`k${at}`, { job: 'j', todo: 'copy' }, new Uint8Array(9_000))
    })
    await expect(putAll(store, 'ledger', many)).rejects.toThrow(
      expect.objectContaining({ code: 'store_full', message: expect.stringContaining('disk') }),
    )
    expect(
      await store.list({ collection: 'ledger', where: { job: 'j', todo: 'copy' }, limit: 9 }),
    ).toEqual([])
    expect(await store.get('ledger', 'before')).not.toBeNull()
    db.exec('PRAGMA max_page_count = 1000000')
    await putAll(store, 'ledger', many)
    expect(await store.get('ledger', 'k39')).not.toBeNull()
  })

  it('forgets what is over when it is swept, at most as many as it may, and counts them', async () => {
    const over = { ...document('a'), expiresAt: 0 }
    await putAll(store, 'jobs', [over, { ...over, key: 'b' }, document('c')])
    await putAll(store, 'receipts', [{ ...document('d'), expiresAt: 1 }])
    expect(await store.sweep?.(1)).toBe(1)
    expect(await store.sweep?.(9)).toBe(1)
    expect(await store.sweep?.(9)).toBe(0)
    expect(Number(db.prepare('SELECT count(*) AS n FROM jobs').get()?.['n'])).toBe(1)
    expect(await store.get('receipts', 'd')).not.toBeNull()
  })

  it.each([0, -1, 1.5])('refuses to sweep %d documents', async (limit) => {
    await expect(store.sweep?.(limit)).rejects.toMatchObject({ code: 'internal' })
  })

  it('lists by its indexes and never sorts', async () => {
    const live = `key > ?1 AND key < ?4 AND (expires IS NULL OR expires > ?2)`
    const plan = (terms: readonly string[], where = `by_job = ?5 AND ${live}`): string =>
      db
        .prepare(
          `EXPLAIN QUERY PLAN ${terms
            .map((term) => `SELECT key, body FROM ledger WHERE ${where} ${term}`)
            .join(' UNION ALL ')} ORDER BY key LIMIT ?3`,
        )
        .all()
        .map((row) => row['detail'])
        .join('\n')
    expect(plan(['AND by_todo = ?6'])).toContain('USING INDEX ledger/job+todo ')
    const several = plan(['AND by_todo = ?6', 'AND by_todo = ?7', 'AND by_todo = ?8'])
    expect(several.match(/USING INDEX ledger\/job\+todo /g)).toHaveLength(3)
    expect(several).not.toContain('TEMP B-TREE')
    expect(plan([''], live)).toMatch(/SEARCH ledger USING INDEX \S+ \(key>\? AND key<\?\)$/)
  })

  it('does not leave what was removed in the file', async () => {
    const secret = Buffer.from('wrapped-data-key')
    await putAll(store, 'keys', [document('a', {}, secret), document('b')])
    await store.transact(async (transaction) => transaction.remove('keys', 'a'))
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(Buffer.from(db.serialize()).includes(secret)).toBe(false)
  })

  it('closes twice without complaint and gives nothing afterwards', async () => {
    store.close()
    store.close()
    await expect(store.get('jobs', 'a')).rejects.toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
  })
})
