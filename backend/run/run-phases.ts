import type { RunPhase } from '../../shared/job.ts'
import { checkpointOf } from '../plan/checkpoint.ts'
import { planItems } from '../plan/plan-items.ts'
import { topOf } from '../plan/roots.ts'
import { scan } from '../plan/scan.ts'
import { createTree } from '../plan/tree.ts'
import type { Tree } from '../plan/tree.ts'
import type { Progress, Work } from '../plan/work.ts'
import { readRun, underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { closeRun } from './close-run.ts'
import { copyItems } from './copy-items.ts'
import { makeFolders } from './make-folders.ts'
import { moveCopies } from './move-copies.ts'
import { notCarried } from './outcome.ts'
import { record } from './record.ts'

/**
 * Takes a run through its phases, from wherever it is.
 *
 * ```
 * scan ─► plan ─► copy ─► close
 *           ▲       │
 *           └───────┘  an item needs another name
 * ```
 *
 * @returns whether there is more to do than this slice had time for
 */
export async function runPhases(work: Work, run: Run): Promise<boolean> {
  let current = run
  let tree: Tree | null = null
  for (;;) {
    work.signal.throwIfAborted()
    if (current.phase === 'scan') {
      if ((await scan(work, current)) === 'time-is-up') return true
      current = await enter(work, 'plan')
      continue
    }
    tree ??= await openTree(work, current)
    if (current.phase === 'plan') {
      if ((await plan(work, tree)) === 'time-is-up') return true
      current = await enter(work, 'copy')
    } else if (current.phase === 'copy') {
      if ((await copy(work, tree)) === 'time-is-up') return true
      current = await enter(work, needsPlan(work) ? 'plan' : 'close')
    } else {
      await closeRun(work, tree, await readRun(work.store, current.id))
      return false
    }
  }
}

async function enter(work: Work, phase: RunPhase): Promise<Run> {
  return underLease(work.store, work.lease, () => ({ phase, attempts: 0 }))
}

async function openTree(work: Work, run: Run): Promise<Tree> {
  const { store, owners, job } = work
  const { folder } = checkpointOf(await owners.of(job.user), await readRun(store, run.id))
  return createTree(work.rows, topOf(job.request.source.selection), folder)
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

function needsPlan({ rows }: Work): boolean {
  return rows.waits('folder') || rows.waits('file')
}
