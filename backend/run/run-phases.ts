import type { RunPhase } from '../../shared/job.ts'
import { checkpointOf, sealCheckpoint } from '../plan/checkpoint.ts'
import { planItems } from '../plan/plan-items.ts'
import { askBeforeReplacing } from '../plan/replacing.ts'
import { topOf } from '../plan/roots.ts'
import { scan } from '../plan/scan.ts'
import { createTree } from '../plan/tree.ts'
import type { Tree } from '../plan/tree.ts'
import type { Progress, Work } from '../plan/work.ts'
import { underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { closeRun } from './close-run.ts'
import { copyItems } from './copy-items.ts'
import { makeFolders } from './make-folders.ts'
import { moveCopies } from './move-copies.ts'
import { notCarried } from './outcome.ts'
import { record } from './record.ts'

/**
 * Takes a run through its phases, from wherever it is. A phase with nothing to do is left out.
 *
 * ```
 * scan ─► plan ─► copy ─► close
 *           ▲       │
 *           └───────┘  an item needs another name
 * ```
 *
 * @returns the run, now that it is over; null if there is more to do than this slice had time for
 */
export async function runPhases(work: Work, run: Run): Promise<Run | null> {
  const { store, owners, job, lease } = work
  let current = run
  let checkpoint = checkpointOf(await owners.of(job.user), run)
  let tree: Tree | null = null
  const enter = async (phase: RunPhase): Promise<Run> => {
    const owner = await owners.of(job.user)
    const kept = sealCheckpoint(owner, run.id, checkpoint)
    return underLease(store, lease, () => ({ phase, attempts: 0, checkpoint: kept }))
  }
  for (;;) {
    work.signal.throwIfAborted()
    if (current.phase === 'scan') {
      const scanned = await scan(work, current)
      checkpoint = scanned.checkpoint
      if (scanned.progress === 'time-is-up') {
        await enter('scan')
        return null
      }
      const next = afterScan(work)
      // Nothing has changed: the scan would be repeated as fast as its end is written down.
      current = next === 'close' ? { ...current, phase: next } : await enter(next)
      continue
    }
    tree ??= createTree(work.rows, topOf(job.request.source.selection), checkpoint.folder)
    if (current.phase === 'plan') {
      if ((await plan(work, tree)) === 'time-is-up') return null
      await askBeforeReplacing(work, current)
      current = await enter(nextPhase(work))
    } else if (current.phase === 'copy') {
      if ((await copy(work, tree)) === 'time-is-up') return null
      current = await enter(nextPhase(work))
    } else {
      return closeRun(work, tree, current, checkpoint)
    }
  }
}

/** What an earlier run left to copy is asked about like what this one planned: at the end of the plan. */
function afterScan(work: Work): RunPhase {
  const next = nextPhase(work)
  return next === 'copy' && work.job.request.kind === 'backup' ? 'plan' : next
}

function nextPhase({ rows }: Work): RunPhase {
  if (rows.waits('folder') || rows.waits('file')) return 'plan'
  return rows.waits('make') || rows.waits('move') || rows.waits('copy') ? 'copy' : 'close'
}

async function plan(work: Work, tree: Tree): Promise<Progress> {
  return planItems(work, tree, async ({ rows, verdicts, forgotten }) => {
    const ends = verdicts.map(({ row, reason }) => ({ ...notCarried(row, reason), row }))
    await record(work, tree, ends, { rows, forgotten })
  })
}

async function copy(work: Work, tree: Tree): Promise<Progress> {
  for (const step of [makeFolders, moveCopies, copyItems])
    if ((await step(work, tree)) === 'time-is-up') return 'time-is-up'
  return 'finished'
}
