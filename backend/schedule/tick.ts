import type { Queue } from '../dispatch/queue.ts'
import { listDue } from '../records/due-jobs.ts'
import { wake } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import type { Run } from '../records/runs.ts'
import { startDue } from '../records/schedules.ts'
import type { Store } from '../store/store.ts'
import { nextDue } from './due.ts'

const SWEEP_AT_ONCE = 1000
/** Jobs started at the same time, and at most by one tick: those left are the first of the next. */
const DUE_AT_ONCE = 20
const DUE_AT_MOST = 500

export interface TickDeps {
  readonly store: Store
  readonly owners: Owners
  readonly queue: Queue
}

/**
 * Looks after what would otherwise stop for ever, runs whose worker died, whose task was lost, or whose pause is over, and
 * starts the runs of jobs that are due. Also forgets what has had its time. Safe to call at any time, by any number of
 * processes, and to end anywhere: a run that was started and has no task yet is among those that stopped.
 *
 * @param now milliseconds since 1970
 * @param alone whether no other process can be at work on this store: then every lease is that of a dead one
 * @returns how many runs were woken or started. Throws what went wrong with one of them once the others are under way.
 */
export async function tick(deps: TickDeps, now: number, alone: boolean): Promise<number> {
  const { store } = deps
  const runs = await wake(store, now, alone)
  for (const run of runs) await enqueue(deps.queue, run)
  const started = await startAllDue(deps, now)
  await store.sweep(SWEEP_AT_ONCE)
  const failed = started.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return (
    runs.length +
    started.filter((each) => each.status === 'fulfilled' && each.value !== null).length
  )
}

/** What cannot be started, because its owner's keys are away, stays due and keeps nobody else from starting. */
async function startAllDue(
  deps: TickDeps,
  now: number,
): Promise<readonly PromiseSettledResult<Run | null>[]> {
  const results: PromiseSettledResult<Run | null>[] = []
  let after: string | undefined
  // Most of the time nothing is due, and one document tells.
  for (let limit = 1; results.length < DUE_AT_MOST; limit = DUE_AT_ONCE) {
    const page = await listDue(deps.store, after === undefined ? { limit } : { after, limit })
    const due = page.filter(({ at }) => at <= now)
    const start = async (one: (typeof due)[number]): Promise<Run | null> => {
      const run = await startDue(deps, one, (schedule, job) => nextDue(schedule, job, now), now)
      if (run !== null) await enqueue(deps.queue, run)
      return run
    }
    results.push(...(await Promise.allSettled(due.map(start))))
    after = due.at(-1)?.key
    if (due.length < limit || after === undefined) break
  }
  return results
}

async function enqueue(queue: Queue, { id, fence }: Run): Promise<void> {
  await queue.enqueue({ run: id, fence }, { name: `${id}-${fence}` })
}
