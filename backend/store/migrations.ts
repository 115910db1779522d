import type { DatabaseSync } from 'node:sqlite'
import { collections } from './limits.ts'
import { indexes } from './store.ts'
import type { Collection } from './store.ts'

/**
 * What brings a store file from one version to the next: the first makes version 1 out of an empty file. A released
 * step is never edited, only followed by another. Collections and indexes need no step: see `conform`.
 */
const steps: readonly string[] = [
  `CREATE TABLE about (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO about VALUES ('transactions', 0), ('indexes', '');`,
]

/** The version of the store files that this program writes, kept in `PRAGMA user_version`. */
export const storeVersion = steps.length

/** @returns the column that holds a field by which documents are listed */
export function columnOf(field: string): string {
  return `by_${field}`
}

/** @returns the fields of a collection's indexes, each once */
export function fieldsOf(collection: Collection): readonly string[] {
  return [...new Set(indexes[collection].flat())]
}

/**
 * Brings an older or empty store file up to date, in the transaction that the caller has begun.
 * @param db the file
 * @param from its version: 0 for an empty one
 */
export function migrate(db: DatabaseSync, from: number): void {
  for (const step of steps.slice(from)) db.exec(step)
  db.exec(`PRAGMA user_version = ${storeVersion}`)
  const recorded = db.prepare("SELECT value FROM about WHERE name = 'indexes'").get()?.['value']
  const wanted = JSON.stringify(indexes)
  if (recorded === wanted) return
  for (const collection of collections) conform(db, collection)
  db.prepare("UPDATE about SET value = ? WHERE name = 'indexes'").run(wanted)
}

/** @returns whether a file of the current version still has to be brought in line with `indexes` */
export function differs(db: DatabaseSync): boolean {
  const recorded = db.prepare("SELECT value FROM about WHERE name = 'indexes'").get()?.['value']
  return recorded !== JSON.stringify(indexes)
}

// Makes a collection's table, columns and indexes what `indexes` says. Columns are filled again from the fields even if
// they are there: a program that did not know them may have written rows in between.
function conform(db: DatabaseSync, collection: Collection): void {
  db.exec(`CREATE TABLE IF NOT EXISTS "${collection}" (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, expires INTEGER, fields TEXT NOT NULL, body BLOB
  ) STRICT`)
  db.exec(`CREATE INDEX IF NOT EXISTS "${collection}/expires" ON "${collection}" (expires)
    WHERE expires IS NOT NULL`)
  const present = db.prepare('SELECT name FROM pragma_table_info(?)').all(collection)
  for (const field of fieldsOf(collection)) {
    const column = columnOf(field)
    if (!present.some((one) => one['name'] === column))
      db.exec(`ALTER TABLE "${collection}" ADD COLUMN "${column}" ANY`)
    const value = `CASE json_type(fields, '$."${field}"')
      WHEN 'null' THEN x'00' WHEN 'false' THEN x'01' WHEN 'true' THEN x'02'
      ELSE fields ->> '$."${field}"' END`
    db.exec(`UPDATE "${collection}" SET "${column}" = ${value} WHERE "${column}" IS NOT ${value}`)
  }
  for (const fields of indexes[collection]) {
    const columns = fields.map((field) => `"${columnOf(field)}"`)
    // A document without one of the fields is not in the index, as in Firestore, and costs nothing there.
    db.exec(`CREATE INDEX IF NOT EXISTS "${collection}/${fields.join('+')}"
      ON "${collection}" (${columns.join(', ')}, key)
      WHERE ${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')}`)
  }
}
