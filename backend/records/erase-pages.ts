import type { Collection, Document, Query, Store, Transaction } from '../store/store.ts'
import { moveDue } from './due-jobs.ts'
import { changeErasure } from './erasures.ts'
import type { ErasedKind, Erasure } from './erasures.ts'
import { keepRun, runFrom } from './runs.ts'
import { isOver } from '../../shared/job.ts'

/** What is read and removed by one transaction: bodies of some collections have 200 KiB, rows of the ledger one. */
const pageOf: Partial<Record<Collection, number>> = { ledger: 300, transfers: 100, sessions: 100 }
const SMALL_PAGE = 12

/** Said after each page: false ends the work for now. */
export type GoOn = () => boolean

/**
 * Deletes all jobs of a person with everything that belongs to them, page by page. First what would let anybody go on with
 * a job: its request, when it is due, and the leases of its runs; then nothing is added any more to what is deleted after.
 *
 * @returns whether nothing is left; throws what the store throws
 */
export async function eraseJobs(
  store: Store,
  erasure: Erasure,
  user: string,
  goOn: GoOn,
): Promise<boolean> {
  for (;;) {
    const jobs = await store.list({ collection: 'jobs', where: { user }, limit: SMALL_PAGE })
    if (jobs.length === 0) return true
    for (const job of jobs) {
      await stopJob(store, erasure, job)
      await stopRuns(store, erasure, job.key)
      for (const [collection, kind] of ofJobs)
        if (!(await erasePages(store, erasure, { collection, ...within(job.key) }, kind, goOn)))
          return false
      await removeAll(store, erasure, 'jobs', [job], 'jobs')
    }
  }
}

const ofJobs = [
  ['transfers', 'transfers'],
  ['receipts', 'receiptPages'],
  ['manifest', 'manifestPages'],
  ['ledger', 'ledgerRows'],
  ['runs', 'runs'],
] as const

/** Keys of what belongs to a job begin with the job's and go on with `-` or `.`, which sort before `0`. */
function within(job: string) {
  return { where: {}, after: job, before: `${job}0` }
}

/**
 * Deletes all documents that a query finds.
 *
 * @returns whether nothing is left
 */
export async function erasePages(
  store: Store,
  erasure: Erasure,
  query: Omit<Query, 'limit'>,
  kind: ErasedKind,
  goOn: GoOn,
): Promise<boolean> {
  const { collection } = query
  const limit = pageOf[collection] ?? SMALL_PAGE
  for (;;) {
    const found = await store.list({ ...query, limit })
    if (found.length === 0) return true
    const { step } = erasure
    if ((await removeAll(store, erasure, collection, found, kind)) !== step || !goOn()) return false
  }
}

/** Deletes the document of a collection in which each person has one, by their id. */
export async function eraseOne(
  store: Store,
  erasure: Erasure,
  collection: Collection,
  key: string,
  kind: ErasedKind,
): Promise<void> {
  const found = await store.get(collection, key)
  if (found !== null) await removeAll(store, erasure, collection, [found], kind)
}

/** Counted by who removes it, so that two who are at the same page count it once. */
async function removeAll(
  store: Store,
  erasure: Erasure,
  collection: Collection,
  found: readonly Document[],
  kind: ErasedKind,
): Promise<string | null> {
  const after = await changeErasure(store, erasure, async ({ deleted }, transaction) => {
    const there = await readAll(transaction, collection, found)
    for (const { key } of there) transaction.remove(collection, key)
    return { deleted: { ...deleted, [kind]: deleted[kind] + there.length } }
  })
  return after?.step ?? null
}

async function readAll(
  transaction: Transaction,
  collection: Collection,
  found: readonly Document[],
): Promise<readonly Document[]> {
  const read = await Promise.all(found.map(async ({ key }) => transaction.get(collection, key)))
  return read.filter((document) => document !== null)
}

/** Of a job only its key and its owner stay, until all that belongs to it is gone. */
async function stopJob(store: Store, erasure: Erasure, { key, body }: Document): Promise<void> {
  if (body === null) return
  await changeErasure(store, erasure, async (_, transaction) => {
    const found = await transaction.get('jobs', key)
    if (found === null) return null
    const { user, dueAt } = found.fields
    const before = {
      id: key,
      user: String(user),
      dueAt: typeof dueAt === 'number' ? dueAt : null,
    }
    moveDue(transaction, before, { ...before, dueAt: null })
    const fields = { user: before.user }
    transaction.put('jobs', { key, fields, body: null, expiresAt: null })
    return null
  })
}

/** Whoever works on one of its runs finds it cancelled, and writes nothing more. */
async function stopRuns(store: Store, erasure: Erasure, job: string): Promise<void> {
  let after: string | undefined
  for (;;) {
    const page = { collection: 'runs', where: { job }, limit: SMALL_PAGE } as const
    const found = await store.list(after === undefined ? page : { ...page, after })
    for (const { key } of found.filter((run) => !isOver(runFrom(run).state)))
      await changeErasure(store, erasure, async ({ startedAt }, transaction) => {
        const read = await transaction.get('runs', key)
        if (read === null) return null
        const run = runFrom(read)
        const nobody = { holder: null, leaseUntil: 0, wakeAt: null, checkpoint: null }
        const state = { state: 'cancelled', fence: run.fence + 1, endedAt: startedAt } as const
        keepRun(transaction, { ...run, ...state, ...nobody })
        return null
      })
    after = found.at(-1)?.key
    if (found.length < SMALL_PAGE || after === undefined) return
  }
}
