import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Checkpoint } from '../plan/checkpoint.ts'
import { keepRows } from '../plan/keep-rows.ts'
import { drainChanges, forgetDeleted, isReplaced } from '../plan/read-destination.ts'
import type { Tree } from '../plan/tree.ts'
import type { Work } from '../plan/work.ts'
import { jobDocument, readJob } from '../records/jobs.ts'
import { underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { dropTransfers } from '../records/transfers.ts'

const TRANSFERS_AT_ONCE = 400

/**
 * The last step of a run: reads the destination's own changes past what this run wrote, takes the receipt's root, and
 * advances the change tokens in the transaction that ends the run.
 */
export async function closeRun(
  work: Work,
  tree: Tree,
  run: Run,
  checkpoint: Checkpoint,
): Promise<Run> {
  const { store, owners, job, lease } = work
  const cursor = await cursorAfter(work, tree, checkpoint, run)
  const hashes = await work.receipt.tree(run.pages)
  // Pages are kept for 90 days: a run that waited longer for somebody cannot prove any more what it did.
  if (hashes.size() !== run.lines)
    throw new WaybillError('receipt_invalid', 'Lines of the receipt are missing.')
  const root = hashes.root()
  // It may have been under way in an earlier slice.
  if (run.lines > 0 || run.plannedItems > 0)
    while ((await dropTransfers(store, run.id, TRANSFERS_AT_ONCE)) > 0) work.signal.throwIfAborted()
  return underLease(store, lease, async (now, transaction) => {
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
      phase: 'close',
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

/**
 * Our own writes are among the destination's changes: reading past them keeps the next run short. What somebody deleted
 * meanwhile is there too, and is taken up by the next run.
 */
async function cursorAfter(
  work: Work,
  tree: Tree,
  { folder, cursor }: Checkpoint,
  run: Run,
): Promise<string | null> {
  const wrote = run.totals.copied + run.totals.moved + run.totals.renamed > 0
  if (folder === null || (!wrote && cursor !== null)) return cursor
  const drained = await drainChanges(work, folder, cursor).catch((error: unknown) => {
    if (hasCode(error, 'gone')) return null
    throw error
  })
  // Without its folder or its place, the next run finds the same, and begins anew.
  if (drained === null || isReplaced(work, folder, drained)) return cursor
  if (cursor !== null && drained.present !== null) return cursor
  // After a first run this lists what the run has just written: there is nothing to compare it with.
  if (cursor !== null)
    await forgetDeleted(work, tree, folder, drained, async (rows) => keepRows(work, rows))
  return drained.cursor
}
