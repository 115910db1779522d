import { WaybillError } from '../../shared/errors.ts'
import { indexes } from './store.ts'
import type { Collection, Document, Field, Query } from './store.ts'

const mostBodyBytes = 900 * 1024
const mostWrites = 450
// Firestore takes 10 MiB at once, its emulator 4, in which the fields and names of 450 documents need room as well:
// https://cloud.google.com/firestore/quotas#writes_and_transactions
const mostWrittenBytes = 3.5 * 1024 * 1024
const mostKeys = 1_000
const mostRows = 1_000
const mostValues = 30

// A Firestore document may have 1 MiB with everything that is in it, and an index entry sees 1,500 bytes of a value:
// https://cloud.google.com/firestore/quotas#collections_documents_and_fields
const mostFields = 60
const mostTextBytes = 1_500
const fieldPattern = /^[A-Za-z][A-Za-z0-9]{0,63}$/
// The last millisecond of the year 9999, where Firestore's timestamps end.
const lastTime = 253_402_300_799_999

const keyPattern = /^[A-Za-z0-9_.-]{1,200}$/
// Firestore takes these for itself: https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
const reservedKey = /^(\.{1,2}|__.*__)$/

/** What a query asks for, field by field in the order of its index, each with the values it may have. */
export type Wanted = readonly (readonly [field: string, values: readonly Field[]])[]

/** Every collection. */
export const collections: readonly Collection[] = Object.keys(indexes).filter(
  (name): name is Collection => Object.hasOwn(indexes, name),
)

// Whoever breaks a limit is our own code, so it is an `internal` error: nothing that a person could mend.
function refuse(message: string): never {
  throw new WaybillError('internal', message)
}

/** Throws `internal` unless every store can keep a document under `key`. */
export function checkKey(key: string): void {
  if (!keyPattern.test(key) || reservedKey.test(key)) refuse('A key is not fit for the store.')
}

/** Throws `internal` if so many keys may not be asked for at once, or one of them is unfit. */
export function checkKeys(keys: readonly string[]): void {
  if (keys.length > mostKeys) refuse(`The store gives at most ${mostKeys} documents at once.`)
  for (const key of keys) checkKey(key)
}

function checkField(value: Field): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    refuse('A field of a document is not a finite number.')
  if (typeof value === 'string' && Buffer.byteLength(value) > mostTextBytes)
    refuse(`A field of a document is longer than ${mostTextBytes} bytes.`)
}

function checkTime(time: number): void {
  if (!Number.isSafeInteger(time) || time < 0 || time > lastTime)
    refuse('A document expires at a time that is not whole milliseconds since 1970.')
}

/** Throws `internal` unless every store can keep `document`. */
export function checkDocument(document: Document): void {
  checkKey(document.key)
  const fields = Object.entries(document.fields)
  if (fields.length > mostFields) refuse(`A document has more than ${mostFields} fields.`)
  for (const [name, value] of fields) {
    if (!fieldPattern.test(name)) refuse('A field of a document has a name unfit for the store.')
    checkField(value)
  }
  if (document.body !== null && document.body.byteLength > mostBodyBytes)
    refuse(`A document's body is larger than ${mostBodyBytes} bytes.`)
  if (document.expiresAt !== null) checkTime(document.expiresAt)
}

/** Throws `internal` if a transaction has made more than 450 writes, or has written more than 3.5 MiB of bodies. */
export function checkWrites(count: number, bytes: number): void {
  if (count > mostWrites) refuse(`A transaction may write at most ${mostWrites} times.`)
  if (bytes > mostWrittenBytes)
    refuse(`A transaction may write at most ${mostWrittenBytes} bytes of bodies.`)
}

/** Throws `internal` unless `limit` is a whole number of documents from 1 up (to 1,000 when listing). */
export function checkLimit(limit: number, most = mostRows): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > most)
    refuse('The limit on the number of documents is out of range.')
}

function isList(value: Field | readonly Field[]): value is readonly Field[] {
  return typeof value === 'object' && value !== null
}

function indexOf(collection: Collection, asked: readonly string[]): readonly string[] {
  const index = indexes[collection].find(
    (fields) => fields.length === asked.length && fields.every((field) => asked.includes(field)),
  )
  return index ?? refuse('There is no index for this query.')
}

/**
 * @param query what is to be listed
 * @returns the fields of the index that answers it with the values wanted, each value once; throws `internal` if there
 * is no such index or the query is beyond a limit. Nothing is wanted of documents that are listed by their keys alone.
 */
export function checkQuery(query: Query): Wanted {
  checkLimit(query.limit)
  if (query.after !== undefined) checkKey(query.after)
  if (query.before !== undefined) checkKey(query.before)
  const asked = Object.keys(query.where)
  if (asked.length === 0 && query.before !== undefined) return []
  const wanted = indexOf(query.collection, asked).map((field) => {
    const value = query.where[field] ?? null
    return [field, isList(value) ? [...new Set(value)] : [value]] as const
  })
  const lists = Object.values(query.where).filter(isList)
  if (lists.length > 1) refuse('Only one field of a query may have a list of values.')
  for (const [, values] of wanted) {
    if (values.length > mostValues) refuse(`A query may name at most ${mostValues} values.`)
    for (const value of values) checkField(value)
  }
  return wanted
}
