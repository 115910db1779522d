import { isOver } from '../../shared/job.ts'
import type { RunState } from '../../shared/job.ts'
import type { Document, Store, Transaction } from '../store/store.ts'

/**
 * Which runs somebody has to look after, and when, if nothing else happens to them: one small document for each run that
 * is not over, unless it waits for a person. As with jobs that are due (`due-jobs.ts`), its key begins with the time.
 */
export interface DueRun {
  readonly key: string
  readonly run: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A task that is a little late is not doubled. */
const GRACE_MS = 60_000
/**
 * So much too early a document may stand: a lease is renewed three times until its document is moved. A document in its
 * place comes up once more in vain only where a worker died.
 */
const EARLY_MS = 30_000
/** Enough for every millisecond that a store can keep. */
const DIGITS = 15

interface Standing {
  readonly id: string
  readonly state: RunState
  readonly holder: string | null
  readonly leaseUntil: number
  readonly wakeAt: number | null
  readonly dueAt: number | null
}

/**
 * @returns when a run needs to be looked after, in milliseconds since 1970: its lease has run out, its pause is over, its
 *   task must have been lost. Null if it is over or waits for a person.
 */
export function needsAt({ state, holder, leaseUntil, wakeAt }: Omit<Standing, 'dueAt'>) {
  if (isOver(state)) return null
  if (state === 'paused') return wakeAt
  if (holder !== null) return leaseUntil
  return wakeAt === null ? 0 : wakeAt + GRACE_MS
}

/**
 * Keeps a run's document in line with the run, in the transaction that changes it: never later than the run needs it, and
 * at most half a minute early.
 *
 * @param run as it is to be kept, with the `dueAt` that it had
 * @returns its new `dueAt`
 */
export function moveDueRun(transaction: Transaction, run: Standing): number | null {
  const { id, dueAt } = run
  const at = needsAt(run)
  if (at === dueAt) return at
  if (at !== null && dueAt !== null && dueAt <= at && at - dueAt < EARLY_MS) return dueAt
  if (dueAt !== null) transaction.remove('due', dueRunKey(id, dueAt))
  if (at !== null) {
    const fields = { waits: 'run', run: id, at }
    transaction.put('due', { key: dueRunKey(id, at), fields, body: null, expiresAt: null })
  }
  return at
}

/** @returns runs that are to be looked after, the first of all first, from a key on. */
export async function listDueRuns(
  store: Store,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly DueRun[]> {
  const found = await store.list({ collection: 'due', where: { waits: 'run' }, ...page })
  return found.map(dueRunFrom)
}

function dueRunKey(run: string, at: number): string {
  return `${String(at).padStart(DIGITS, '0')}.${run}`
}

function dueRunFrom({ key, fields }: Document): DueRun {
  return { key, run: String(fields['run']), at: Number(fields['at']) }
}
