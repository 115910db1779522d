import { Timestamp } from '@google-cloud/firestore'
import type { DocumentData, DocumentSnapshot } from '@google-cloud/firestore'
import { WaybillError } from '../../shared/errors.ts'
import type { Document, Field } from './store.ts'

/*
 * A document in Firestore: `fields`, a map; `body`, bytes; `expiresAt`, a timestamp that the TTL policy looks at;
 * `written`, which names the transaction that wrote it. Body and time are absent where there is none.
 */

/** The map of plain fields, for queries and indexes. */
export const fieldsName = 'fields'

/** @returns what Firestore keeps of a document, `written` by the transaction of that name */
export function toFirestore({ fields, body, expiresAt }: Document, written: string): DocumentData {
  return {
    fields,
    written,
    ...(body === null ? {} : { body }),
    ...(expiresAt === null ? {} : { expiresAt: Timestamp.fromMillis(expiresAt) }),
  }
}

/** @returns the document; null if there is none. Throws `internal` for one that Waybill did not write. */
export function fromFirestore(snapshot: DocumentSnapshot): Document | null {
  if (!snapshot.exists) return null
  const fields: unknown = snapshot.get('fields')
  const body: unknown = snapshot.get('body') ?? null
  const expiresAt: unknown = snapshot.get('expiresAt') ?? null
  if (!areFields(fields) || !isBody(body) || !isTime(expiresAt)) throw foreign()
  return {
    key: snapshot.id,
    fields,
    body: body === null ? null : new Uint8Array(body.buffer, body.byteOffset, body.byteLength),
    expiresAt: expiresAt === null ? null : expiresAt.toMillis(),
  }
}

/** @returns the name of the transaction that wrote the document; null if there is none */
export function writtenBy(snapshot: DocumentSnapshot): string | null {
  const written: unknown = snapshot.get('written')
  return typeof written === 'string' ? written : null
}

function areFields(value: unknown): value is Record<string, Field> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isField)
}

function isField(value: unknown): value is Field {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function isBody(value: unknown): value is Uint8Array | null {
  return value === null || value instanceof Uint8Array
}

function isTime(value: unknown): value is Timestamp | null {
  return value === null || value instanceof Timestamp
}

function foreign(): WaybillError {
  return new WaybillError('internal', 'A document in Firestore is not one of ours.')
}
