import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Wanted } from './limits.ts'
import { columnOf, fieldsOf } from './migrations.ts'
import type { Collection, Document, Field } from './store.ts'

/** A document together with the number of the transaction that wrote it, which is never used again. */
export interface Row {
  readonly document: Document
  readonly version: number
}

/** Keys that a list begins after and ends before; null if it goes on to the last. */
interface Between {
  readonly after: string
  readonly before: string | null
}

/** One collection's table. Nothing here looks at the time, and everything throws what SQLite throws. */
export interface Table {
  get(key: string): Row | null
  getMany(keys: readonly string[]): readonly Row[]
  versionOf(key: string): number | null
  /** Rows between two keys whose time is not over at `now`, in the order of their keys. */
  list(wanted: Wanted, between: Between, now: number, limit: number): readonly Row[]
  put(document: Document, version: number): void
  remove(key: string): void
  /** Removes rows whose time is over at `now`; returns how many. */
  sweep(now: number, limit: number): number
}

// Sorts after every character that a key may have.
const afterAllKeys = '~'
const cells = 'key, version, expires, fields, body'

/** @returns the table of `collection`; its statements are prepared once, when they are first needed */
export function openTable(db: DatabaseSync, collection: Collection): Table {
  const prepare = preparedIn(db)
  const table = `"${collection}"`
  const fields = fieldsOf(collection)
  const always = ['key', 'version', 'fields', 'body']
  const placing = ['expires', ...fields.map(columnOf)]
  const getSql = `SELECT ${cells} FROM ${table} WHERE key = ?`
  const getManySql = `SELECT ${cells} FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`
  const versionSql = `SELECT version FROM ${table} WHERE key = ?`
  const removeSql = `DELETE FROM ${table} WHERE key = ?`
  const sweepSql = `DELETE FROM ${table} WHERE key IN
    (SELECT key FROM ${table} WHERE expires <= ? ORDER BY expires LIMIT ?)`
  const insertSql = `INSERT INTO ${table} (${[...always, ...placing].join(', ')})
    VALUES (${[...always, ...placing].map(() => '?').join(', ')})`
  const compareSql = `SELECT ${['rowid AS place', ...placing.map((one) => `${one} IS ? AS ${one}`)].join(', ')}
    FROM ${table} WHERE key = ?`

  // SQLite writes the index entries of every column that is set, also to the value that it has. Most documents are
  // replaced without moving in any index, or in one, so only what differs is set: several times as fast.
  function put(document: Document, version: number): void {
    const { key, body } = document
    const plain = JSON.stringify(document.fields)
    const places = [document.expiresAt, ...fields.map((field) => toColumn(document.fields[field]))]
    const found = prepare(compareSql).get(...places, key)
    if (found === undefined) {
      prepare(insertSql).run(key, version, plain, body, ...places)
      return
    }
    const moved = placing.filter((column) => found[column] !== 1)
    const sets = ['version', 'fields', 'body', ...moved].map((column) => `${column} = ?`)
    const values = places.filter((_, at) => found[placing[at] ?? ''] !== 1)
    prepare(`UPDATE ${table} SET ${sets.join(', ')} WHERE rowid = ?`).run(
      version,
      plain,
      body,
      ...values,
      found['place'] ?? null,
    )
  }

  return {
    get(key) {
      const row = prepare(getSql).get(key)
      return row === undefined ? null : toRow(row)
    },
    getMany: (keys) => prepare(getManySql).all(JSON.stringify(keys)).map(toRow),
    versionOf(key) {
      const row = prepare(versionSql).get(key)
      return row === undefined ? null : Number(row['version'])
    },
    list(wanted, { after, before }, now, limit) {
      const { sql, values } = listing(table, wanted)
      if (sql === '') return []
      return prepare(sql)
        .all(after, now, limit, before ?? afterAllKeys, ...values)
        .map(toRow)
    },
    put,
    remove: (key) => void prepare(removeSql).run(key),
    sweep: (now, limit) => Number(prepare(sweepSql).run(now, limit).changes),
  }
}

// For several values the index is walked once for each, side by side, so that no page is ever sorted.
function listing(table: string, wanted: Wanted): { sql: string; values: SQLInputValue[] } {
  const values: SQLInputValue[] = []
  const places = wanted.map(([field, some]) =>
    some.map((value) => `"${columnOf(field)}" = ?${values.push(toColumn(value)) + 4}`),
  )
  const walks = places
    .reduce<readonly string[]>(
      (before, terms) => before.flatMap((one) => terms.map((term) => `${one} AND ${term}`)),
      [`key > ?1 AND key < ?4 AND (expires IS NULL OR expires > ?2)`],
    )
    .map((where) => `SELECT ${cells} FROM ${table} WHERE ${where}`)
  if (walks.length === 0) return { sql: '', values: [] }
  return { sql: `${walks.join(' UNION ALL ')} ORDER BY key LIMIT ?3`, values }
}

// Keeps true apart from 1 and null apart from a field that is not there, which nothing equals.
function toColumn(value: Field | undefined): SQLInputValue {
  if (value === undefined) return null
  if (value === null) return Uint8Array.of(0)
  if (typeof value === 'boolean') return Uint8Array.of(value ? 2 : 1)
  return value
}

function toRow(row: Readonly<Record<string, SQLOutputValue>>): Row {
  const { key, version, expires, fields: plain, body } = row
  const fields: Document['fields'] = JSON.parse(String(plain))
  return {
    document: {
      key: String(key),
      fields,
      body: body instanceof Uint8Array ? body : null,
      expiresAt: expires === null ? null : Number(expires),
    },
    version: Number(version),
  }
}

function preparedIn(db: DatabaseSync): (sql: string) => StatementSync {
  const known = new Map<string, StatementSync>()
  return (sql) => {
    let statement = known.get(sql)
    if (statement === undefined) {
      statement = db.prepare(sql)
      known.set(sql, statement)
    }
    return statement
  }
}
