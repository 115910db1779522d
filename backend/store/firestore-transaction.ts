import type { DocumentSnapshot, Firestore } from '@google-cloud/firestore'
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { fromFirestore, toFirestore, writtenBy } from './firestore-documents.ts'
import { asStoreError, mayHaveLanded, wasAborted } from './firestore-errors.ts'
import { gather } from './gather.ts'
import type { Change } from './gather.ts'
import type { Collection, Document, Transaction } from './store.ts'

// Transactions that met hold each other up for seconds, so they go apart by seconds before they try again.
const attempts = 12
const firstWaitMs = 50
const longestWaitMs = 5_000

export interface Transacting {
  readonly databaseOf: (collection: Collection) => Firestore
  /** The document, or null if its time is over. */
  readonly live: (document: Document | null) => Document | null
  /** Numbers in [0, 1), to spread the attempts of transactions that met. */
  readonly random: () => number
}

/** How an attempt ended. */
type End<T> =
  | { readonly kind: 'result'; readonly result: T }
  | { readonly kind: 'complaint'; readonly complaint: unknown }
  | { readonly kind: 'again'; readonly error: unknown }

/** A commit by its name, and one of the documents that it puts: if that bears the name, all of it has landed. */
interface Sent<T> {
  readonly name: string
  readonly collection: Collection
  readonly key: string
  readonly result: T
}

/** Firestore's own transaction. */
interface Native {
  read(collection: Collection, key: string): Promise<DocumentSnapshot>
  write(change: Change, name: string): void
}

/** Runs `change` as the store's contract says. */
export async function transactInFirestore<T>(
  transacting: Transacting,
  change: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const unsure: Sent<T>[] = []
  for (let attempt = 1; ; attempt++) {
    const end = await attemptOnce(transacting, change, unsure)
    if (end.kind === 'result') return end.result
    if (end.kind === 'complaint') throw end.complaint
    if (attempt === attempts) throw asStoreError(end.error)
    await wait(transacting.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** attempt))
  }
}

/**
 * @param unsure commits of earlier attempts of which nobody knows whether they landed. They are looked for first, within
 * the transaction, so that one that lands late makes this attempt fail. This attempt's own is added if its answer gets
 * lost, unless it only removes: that may be done twice.
 */
async function attemptOnce<T>(
  { databaseOf, live }: Transacting,
  change: (transaction: Transaction) => Promise<T>,
  unsure: Sent<T>[],
): Promise<End<T>> {
  const failedReads: unknown[] = []
  let isCommitting = false
  let sent: Sent<T> | undefined

  async function within(native: Native): Promise<End<T>> {
    for (const one of unsure) {
      if (writtenBy(await native.read(one.collection, one.key)) !== one.name) continue
      isCommitting = true
      return { kind: 'result', result: one.result }
    }
    const work = gather(async (collection, key) => {
      try {
        return live(fromFirestore(await native.read(collection, key)))
      } catch (error) {
        failedReads.push(error)
        throw asStoreError(error)
      }
    })
    const end = await endOf(change(work.transaction))
    const changes = work.end()
    // Whatever was made of it: what was not read is not known.
    if (failedReads.length > 0) throw failedReads[0]
    isCommitting = true
    if (end.kind !== 'result') return end
    const name = randomUUID()
    for (const one of lastOfEach(changes)) {
      native.write(one, name)
      if (one.document !== null)
        sent ??= { name, collection: one.collection, key: one.key, result: end.result }
    }
    return end
  }

  try {
    return await inBoth(databaseOf, within)
  } catch (error) {
    if (wasAborted(error)) return { kind: 'again', error }
    if (!isCommitting || !mayHaveLanded(error)) throw asStoreError(error)
    if (sent !== undefined) unsure.push(sent)
    return { kind: 'again', error }
  }
}

async function endOf<T>(working: Promise<T>): Promise<End<T>> {
  try {
    return { kind: 'result', result: await working }
  } catch (complaint) {
    // It is thrown once the commit of nothing has confirmed that what it complains of was true all at once.
    return { kind: 'complaint', complaint }
  }
}

function lastOfEach(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((one) => [`${one.collection}/${one.key}`, one])).values()]
}

/**
 * A transaction of Firestore begins with its first read or write, so the one that is not touched costs nothing. Each is
 * tried once: its own repetitions would not notice that a commit has landed whose answer was lost.
 */
async function inBoth<T>(
  databaseOf: (collection: Collection) => Firestore,
  work: (native: Native) => Promise<T>,
): Promise<T> {
  const once = { maxAttempts: 1 }
  return databaseOf('jobs').runTransaction(
    async (main) =>
      databaseOf('keys').runTransaction(async (keys) => {
        const of = (collection: Collection) => (collection === 'keys' ? keys : main)
        const refOf = (collection: Collection, key: string) =>
          databaseOf(collection).collection(collection).doc(key)
        return work({
          read: async (collection, key) => of(collection).get(refOf(collection, key)),
          write: ({ collection, key, document }, name) => {
            const ref = refOf(collection, key)
            if (document === null) of(collection).delete(ref)
            else of(collection).set(ref, toFirestore(document, name))
          },
        })
      }, once),
    once,
  )
}
