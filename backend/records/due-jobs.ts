import type { Document, Store, Transaction } from '../store/store.ts'

/**
 * Which jobs are to run by themselves, and when: one small document for each job with a schedule, whose key begins with the
 * time. Listed in the order of their keys, those that are due come first, however many others there are and however long
 * nobody looked. A bucket of time in a field of the job would have to be asked for bucket by bucket, and whoever asks
 * would have to know since when.
 */
export interface Due {
  readonly key: string
  readonly job: string
  readonly user: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** Enough for every millisecond that a store can keep. */
const DIGITS = 15

function dueKey(job: string, at: number): string {
  return `${String(at).padStart(DIGITS, '0')}.${job}`
}

interface WithDue {
  readonly id: string
  readonly user: string
  readonly dueAt: number | null
}

/** Keeps when a job is next due in line with the job, in the transaction that changes it. */
export function moveDue(transaction: Transaction, before: WithDue | null, after: WithDue): void {
  const { id, user, dueAt } = after
  if ((before?.dueAt ?? null) === dueAt) return
  if (before !== null && before.dueAt !== null) transaction.remove('due', dueKey(id, before.dueAt))
  if (dueAt === null) return
  const fields = { waits: true, job: id, user, at: dueAt }
  transaction.put('due', { key: dueKey(id, dueAt), fields, body: null, expiresAt: null })
}

/** @returns jobs that wait for their time, the first of all first, from a key on. */
export async function listDue(
  store: Store,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly Due[]> {
  const found = await store.list({ collection: 'due', where: { waits: true }, ...page })
  return found.map(dueFrom)
}

function dueFrom({ key, fields }: Document): Due {
  return {
    key,
    job: String(fields['job']),
    user: String(fields['user']),
    at: Number(fields['at']),
  }
}
