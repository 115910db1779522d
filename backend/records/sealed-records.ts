import { hasCode } from '../../shared/errors.ts'
import type { Collection, Document, Query, Store } from '../store/store.ts'
import type { UserKeys } from '../vault/user-keys.ts'
import { sealAnew } from './sealing.ts'

/**
 * How the documents of each collection that hold something sealed are found, beginning with their user. A collection that
 * is not named here does not compile: what is not found would be lost when its DEK goes.
 */
const foundBy: Readonly<
  Record<
    Collection,
    'its key' | 'the user' | 'the job' | 'not sealed' | 'with another key' | 'soon over'
  >
> = {
  // The blind index's key in it is sealed anew when the DEK is made.
  keys: 'not sealed',
  connections: 'the user',
  jobs: 'the user',
  runs: 'the job',
  due: 'not sealed',
  manifest: 'the job',
  ledger: 'the job',
  transfers: 'the job',
  receipts: 'the job',
  // With what lasts as long as the user: a log hashes what was sealed.
  audit: 'with another key',
  heads: 'not sealed',
  tenants: 'its key',
  aliases: 'not sealed',
  people: 'its key',
  tickets: 'not sealed',
  // Within the ten minutes that both DEKs open at the least.
  signIns: 'soon over',
  sessions: 'the user',
  apiKeys: 'the user',
  sightings: 'the user',
  googleEvents: 'not sealed',
  picks: 'the user',
  freezes: 'not sealed',
  erasures: 'not sealed',
  // Each with one of its own, which a rotation leaves alone.
  revocations: 'with another key',
}

const collections = Object.keys(foundBy).filter((name): name is Collection =>
  Object.hasOwn(foundBy, name),
)
const ofKeys = collections.filter((name) => foundBy[name] === 'its key')
const ofUsers = collections.filter((name) => name !== 'jobs' && foundBy[name] === 'the user')
const ofJobs = collections.filter((collection) => foundBy[collection] === 'the job')

/** Bodies may have 256 KiB; these are the collections in which most do not. */
const pageOf: Partial<Record<Collection, number>> = { ledger: 200, connections: 50, transfers: 50 }
const SMALL_PAGE = 10
/** What one transaction brings along: the store takes 450 writes and 3.5 MiB. */
const WRITES_AT_ONCE = 100
const BYTES_AT_ONCE = 2 * 1024 * 1024

/** Some of what is kept for a user. */
export interface SealedPage {
  readonly collection: Collection
  readonly documents: readonly Document[]
  /** What {@link sealedPages} goes on from, after this page: at most 300 characters. */
  readonly at: string
}

/** A page's place: in the job named last, or before the first; the last key of the page. */
interface Position {
  readonly collection: Collection
  readonly job: string
  readonly after: string
}

/**
 * Reads all that is sealed for a user, page by page and always in the same order. What is added while it reads may or may
 * not be among it.
 *
 * @param from where an earlier reading had come to; empty for the beginning
 */
export async function* sealedPages(
  store: Store,
  user: string,
  from: string,
): AsyncGenerator<SealedPage> {
  const begun = positionFrom(from)
  // One document of each: who goes on from anywhere has them behind.
  if (from === '')
    for (const collection of ofKeys) {
      const found = await store.get(collection, user)
      if (found !== null) yield { collection, documents: [found], at: '' }
    }
  if (begun.job === '') {
    for (const collection of ofUsers.slice(Math.max(0, ofUsers.indexOf(begun.collection)))) {
      const after = collection === begun.collection ? begun.after : ''
      yield* listed(store, { collection, where: { user }, job: '', after })
    }
  } else yield* restOfJob(store, begun)
  for (let after = begun.job; ;) {
    const page = after === '' ? { limit: SMALL_PAGE } : { limit: SMALL_PAGE, after }
    const jobs = await store.list({ collection: 'jobs', where: { user }, ...page })
    for (const document of jobs) {
      const position: Position = { collection: 'jobs', job: document.key, after: '' }
      yield { collection: 'jobs', documents: [document], at: textOf(position) }
      yield* restOfJob(store, position)
      after = document.key
    }
    if (jobs.length === 0) return
  }
}

/** What was found under the older keys. */
export interface SealedAnew {
  readonly resealed: number
  /** Those that did not open: they were damaged before, and stay as they are. */
  readonly damaged: number
}

/**
 * Seals what is under older keys of a page under newer ones: only what is still there, as it is at that moment, and in
 * transactions, so that what somebody else writes meanwhile stays.
 *
 * @throws WaybillError `busy` when the documents keep changing; whatever the store throws
 */
export async function resealPage(
  store: Store,
  { collection, documents }: SealedPage,
  keys: { readonly from: UserKeys; readonly to: UserKeys },
): Promise<SealedAnew> {
  const { from } = keys
  const isOld = ({ body }: Document): boolean => body !== null && from.sealed(body)
  const done = { resealed: 0, damaged: 0 }
  for (const batch of cut(documents.filter(isOld))) {
    const { resealed, damaged } = await store.transact(async (transaction) => {
      const found = await Promise.all(
        batch.map(async ({ key }) => transaction.get(collection, key)),
      )
      const old = found.filter((document) => document !== null).filter(isOld)
      const fresh = old.flatMap((document) => anew(collection, document, keys))
      for (const document of fresh) transaction.put(collection, document)
      return { resealed: fresh.length, damaged: old.length - fresh.length }
    })
    done.resealed += resealed
    done.damaged += damaged
  }
  return done
}

function anew(
  collection: Collection,
  document: Document,
  keys: { readonly from: UserKeys; readonly to: UserKeys },
): readonly Document[] {
  const { key, body } = document
  if (body === null) return []
  try {
    return [{ ...document, body: sealAnew(collection, key, body, keys) }]
  } catch (error) {
    if (hasCode(error, 'envelope_refused')) return []
    throw error
  }
}

function cut(documents: readonly Document[]): readonly (readonly Document[])[] {
  const batches: Document[][] = []
  let bytes = Infinity
  for (const document of documents) {
    const size = document.body?.byteLength ?? 0
    if (bytes + size > BYTES_AT_ONCE || (batches.at(-1)?.length ?? 0) >= WRITES_AT_ONCE) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)?.push(document)
    bytes += size
  }
  return batches
}

/** What belongs to a job and comes after a position in it. Its keys begin with the job's and go on with `-` or `.`. */
async function* restOfJob(store: Store, from: Position): AsyncGenerator<SealedPage> {
  const { job } = from
  const known = ofJobs.indexOf(from.collection)
  for (const collection of ofJobs.slice(Math.max(0, known))) {
    const after = collection === from.collection ? from.after : job
    yield* listed(store, { collection, where: {}, job, after, before: `${job}0` })
  }
}

async function* listed(
  store: Store,
  query: Omit<Query, 'limit'> & { readonly job: string; readonly after: string },
): AsyncGenerator<SealedPage> {
  const { job, after: from, ...rest } = query
  const { collection } = query
  const limit = pageOf[collection] ?? SMALL_PAGE
  for (let after = from; ;) {
    const documents = await store.list({ ...rest, limit, ...(after === '' ? {} : { after }) })
    const last = documents.at(-1)
    if (last === undefined) return
    after = last.key
    yield { collection, documents, at: textOf({ collection, job, after }) }
    if (documents.length < limit) return
  }
}

function textOf({ collection, job, after }: Position): string {
  return [collection, job, after].join(' ')
}

function positionFrom(text: string): Position {
  const [name, job = '', after = ''] = text.split(' ')
  const collection = collections.find((each) => each === name) ?? 'connections'
  return { collection, job, after }
}
