import type { Collection, Document, Field, Store } from '../../backend/store/store.ts'

/** @returns a document that is kept for ever */
export function document(
  key: string,
  fields: Record<string, Field> = {},
  body: Uint8Array | null = null,
): Document {
  return { key, fields, body, expiresAt: null }
}

/** Lands all `documents` in transactions of at most 450. */
export async function putAll(
  store: Store,
  collection: Collection,
  documents: readonly Document[],
): Promise<void> {
  for (let from = 0; from < documents.length; from += 450)
    await store.transact(async (transaction) => {
      for (const one of documents.slice(from, from + 450)) transaction.put(collection, one)
    })
}

/** @returns their keys, in their order. */
export const keysOf = (documents: readonly Document[]): readonly string[] =>
  documents.map((one) => one.key)
