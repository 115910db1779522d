import { checkpointOf } from '../plan/checkpoint.ts'
import type { Checkpoint } from '../plan/checkpoint.ts'
import { goneSince } from '../plan/read-destination.ts'
import type { Work } from '../plan/work.ts'
import { jobDocument, readJob } from '../records/jobs.ts'
import { receiptLines } from '../records/receipts.ts'
import { underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { dropTransfers } from '../records/transfers.ts'
import { createTree } from './receipt-root.ts'

const TRANSFERS_AT_ONCE = 400

/**
 * The last step of a run: reads the destination's own changes past what this run wrote, computes the receipt's root, and
 * advances the change tokens in the transaction that ends the run.
 */
export async function closeRun(work: Work, run: Run): Promise<void> {
  const { store, owners, job, lease } = work
  const owner = await owners.of(job.user)
  const checkpoint = checkpointOf(owner, run)
  const cursor = await cursorAfter(work, checkpoint, run)
  const tree = createTree()
  for await (const line of receiptLines(store, owners, job.user, run.id)) {
    work.signal.throwIfAborted()
    tree.add(line)
  }
  const root = tree.root()
  while ((await dropTransfers(store, run.id, TRANSFERS_AT_ONCE)) > 0) work.signal.throwIfAborted()
  await underLease(store, lease, async (now, transaction) => {
    const current = await readJob(transaction, owners, job.user, job.id)
    const { since, known } = current.memory
    const unchanged = known - (now.lines - now.added)
    transaction.put(
      'jobs',
      jobDocument(await owners.of(job.user), {
        ...current,
        memory: {
          tokens: checkpoint.tokens,
          cursor,
          folder: checkpoint.folder,
          known: known + now.added - now.left,
          since: { run: run.number, root },
          before: since,
        },
      }),
    )
    const ended = work.now()
    return {
      state: 'done',
      root,
      unchanged,
      endedAt: ended,
      reason: null,
      wakeAt: null,
      leaseUntil: 0,
      holder: null,
    }
  })
}

/** Our own writes are among the destination's changes: reading past them keeps the next run short. */
async function cursorAfter(work: Work, checkpoint: Checkpoint, run: Run): Promise<string | null> {
  const wrote = run.totals.copied + run.totals.moved + run.totals.renamed > 0
  if (checkpoint.folder === null || (!wrote && checkpoint.cursor !== null)) return checkpoint.cursor
  const { cursor } = await goneSince(work, checkpoint.folder, checkpoint.cursor)
  return cursor
}
