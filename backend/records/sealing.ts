import type { Collection } from '../store/store.ts'
import type { UserKeys } from '../vault/user-keys.ts'

const SCHEMA_VERSION = 1

/** @returns what the body of a document is bound to, apart from its owner and DEK. */
export function placeOf(collection: Collection, docId: string) {
  return { collection, docId, field: 'body', schemaVersion: SCHEMA_VERSION, rev: 0 }
}

/**
 * Seals the body of a document anew, with the same kind of key, for the same place.
 *
 * @param from the keys it is sealed with
 * @param to the keys it is to be sealed with
 * @returns the new body; throws `envelope_refused` for what `from` did not seal for this very document
 */
export function sealAnew(
  collection: Collection,
  key: string,
  body: Uint8Array,
  { from, to }: { readonly from: UserKeys; readonly to: UserKeys },
): Uint8Array {
  // What lets an upload go on is sealed with a key of its own.
  const kind = collection === 'transfers' ? 'resume' : 'records'
  const place = placeOf(collection, key)
  const plain = from[kind].open(place, body)
  try {
    return to[kind].seal(place, plain)
  } finally {
    plain.fill(0)
  }
}
