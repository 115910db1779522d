import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { storeVersion } from '../../../backend/store/migrations.ts'
import { holdStore, openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import { document, putAll } from '../../contract/store-documents.ts'

const newer = expect.objectContaining({ code: 'store_newer' })
const notAStore = expect.objectContaining({ code: 'settings_invalid' })
const clock = (): number => 0
let path: string
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-store-'))
  path = join(folder, 'store.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

function change(sql: string): void {
  const db = new DatabaseSync(path)
  db.exec(sql)
  db.close()
}

const userOf = async (user: string): Promise<readonly string[]> => {
  const store = createSqliteStore(openStoreFile(path), { clock })
  const found = await store.list({ collection: 'jobs', where: { user }, limit: 9 })
  store.close()
  return found.map((one) => one.key)
}

describe('a store file', () => {
  it('is made when it is not there, and only its owner may read it', () => {
    const db = openStoreFile(path)
    const modes = [path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600])
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: storeVersion })
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    db.close()
  })

  it('has what was put into it when it is opened again', async () => {
    const store = createSqliteStore(openStoreFile(path), { clock })
    await putAll(store, 'jobs', [document('a', { user: 'u' })])
    store.close()
    expect(await userOf('u')).toEqual(['a'])
  })

  it('may be kept in memory only', async () => {
    const store = createSqliteStore(openStoreFile(':memory:'), { clock })
    await putAll(store, 'jobs', [document('a')])
    expect(await store.get('jobs', 'a')).not.toBeNull()
    store.close()
  })

  it('of a newer version is refused and left as it is', () => {
    openStoreFile(path).close()
    change(`PRAGMA user_version = ${storeVersion + 1}`)
    const before = readFileSync(path)
    expect(() => openStoreFile(path)).toThrow(newer)
    expect(readFileSync(path)).toEqual(before)
  })

  it('that is no database is refused and left as it is', () => {
    writeFileSync(path, 'Shopping list: milk, bread, string. '.repeat(200))
    const before = readFileSync(path)
    expect(() => openStoreFile(path)).toThrow(notAStore)
    expect(() => holdStore(path.replace('store.db', 'x'))).not.toThrow()
    expect(readFileSync(path)).toEqual(before)
  })

  it('of another program is refused and left as it is', () => {
    change('CREATE TABLE shopping (item)')
    const before = readFileSync(path)
    expect(() => openStoreFile(path)).toThrow(notAStore)
    expect(readFileSync(path)).toEqual(before)
  })

  it('that was cut off is refused', () => {
    openStoreFile(path).close()
    writeFileSync(path, readFileSync(path).subarray(0, 5_000))
    expect(() => openStoreFile(path)).toThrow(notAStore)
  })

  it('that cannot be opened is refused', () => {
    mkdirSync(path)
    expect(() => openStoreFile(path)).toThrow(notAStore)
    expect(() => openStoreFile(join(folder, 'nowhere', 'store.db'))).toThrow(notAStore)
    expect(() => holdStore(join(folder, 'nowhere', 'store.db'))).toThrow(notAStore)
  })

  it('of a program with other indexes is brought in line, whatever that program wrote', async () => {
    const store = createSqliteStore(openStoreFile(path), { clock })
    const users = { text: 'u', yes: true, none: null, number: 7 }
    await putAll(
      store,
      'jobs',
      Object.entries(users).map(([key, user]) => document(key, { user })),
    )
    store.close()
    change(`DROP INDEX "jobs/user"; DROP INDEX "connections/user"; DROP TABLE receipts;
      ALTER TABLE connections DROP COLUMN by_user; UPDATE jobs SET by_user = 'other';
      UPDATE about SET value = '{}' WHERE name = 'indexes'`)
    expect(await userOf('u')).toEqual(['text'])
    const again = createSqliteStore(openStoreFile(path), { clock })
    for (const [key, user] of Object.entries(users)) {
      const [found] = await again.list({ collection: 'jobs', where: { user }, limit: 9 })
      expect(found?.key).toBe(key)
    }
    await putAll(again, 'connections', [document('c', { user: 'u' })])
    expect(await again.list({ collection: 'receipts', where: { run: 'r' }, limit: 9 })).toEqual([])
    again.close()
  })
})
