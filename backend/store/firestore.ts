import type { Firestore } from '@google-cloud/firestore'
import { WaybillError } from '../../shared/errors.ts'
import { fromFirestore } from './firestore-documents.ts'
import { asStoreError } from './firestore-errors.ts'
import { queryFor } from './firestore-query.ts'
import { transactInFirestore } from './firestore-transaction.ts'
import { checkKey, checkKeys, checkQuery } from './limits.ts'
import type { Collection, Document, Query, Store } from './store.ts'

// A page in which some were over is filled up with so many at least, lest many that are over make many queries.
const leastFillUp = 50

export interface FirestoreStoreOptions {
  /** The database of everything but keys. */
  readonly firestore: Firestore
  /** The database of keys, which nobody backs up. */
  readonly keysFirestore: Firestore
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Numbers in [0, 1), to spread the attempts of transactions that met. */
  readonly random?: () => number
}

/**
 * A store in two Firestore databases; both clients come from `openFirestore`, and `close` ends them.
 * @returns the store; besides what its contract says, everything throws `store_unavailable` when Firestore cannot be
 * reached for some ten seconds or its quota is used up, and `settings_invalid` when a database, an index or a permission
 * is missing
 */
export function createFirestoreStore({
  firestore,
  keysFirestore,
  clock,
  random = Math.random,
}: FirestoreStoreOptions): Store {
  const underWay = new Set<Promise<unknown>>()
  let isClosed = false
  const collectionOf = (collection: Collection) => databaseOf(collection).collection(collection)
  const live = (document: Document | null): Document | null =>
    document === null || isOver(document, clock()) ? null : document

  function databaseOf(collection: Collection): Firestore {
    if (isClosed) throw new WaybillError('internal', 'The store is closed.')
    return collection === 'keys' ? keysFirestore : firestore
  }

  async function untilDone<T>(working: Promise<T>): Promise<T> {
    underWay.add(working)
    try {
      return await working
    } finally {
      underWay.delete(working)
    }
  }

  async function translated<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await untilDone(work())
    } catch (error) {
      throw asStoreError(error)
    }
  }

  async function list(query: Query): Promise<readonly Document[]> {
    const wanted = checkQuery(query)
    if (wanted.some(([, values]) => values.length === 0)) return []
    const onwards = queryFor(collectionOf(query.collection), wanted)
    const all = query.before === undefined ? onwards : onwards.endBefore(query.before)
    const found: Document[] = []
    let after = query.after
    let asked = query.limit
    for (;;) {
      const page = await (after === undefined ? all : all.startAfter(after)).limit(asked).get()
      for (const snapshot of page.docs) {
        const document = live(fromFirestore(snapshot))
        if (document !== null) found.push(document)
      }
      after = page.docs.at(-1)?.id
      if (page.size < asked || found.length >= query.limit) return found.slice(0, query.limit)
      asked = Math.max(leastFillUp, query.limit - found.length)
    }
  }

  // A client that is ended under a request that tries again throws where nobody can catch it.
  async function end(): Promise<void> {
    await Promise.allSettled(underWay)
    await Promise.allSettled([firestore.terminate(), keysFirestore.terminate()])
  }

  return {
    async get(collection, key) {
      checkKey(key)
      return translated(async () =>
        live(fromFirestore(await collectionOf(collection).doc(key).get())),
      )
    },
    async getMany(collection, keys) {
      checkKeys(keys)
      if (keys.length === 0) return []
      const refs = keys.map((key) => collectionOf(collection).doc(key))
      return translated(async () =>
        (await databaseOf(collection).getAll(...refs)).map((one) => live(fromFirestore(one))),
      )
    },
    list: async (query) => translated(async () => list(query)),
    transact: async (change) =>
      untilDone(transactInFirestore({ databaseOf, live, random }, change)),
    close() {
      isClosed = true
      void end()
    },
  }
}

function isOver(document: Document, now: number): boolean {
  return document.expiresAt !== null && document.expiresAt <= now
}
