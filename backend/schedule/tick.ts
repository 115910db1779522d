import type { Queue } from '../dispatch/queue.ts'
import { listDue } from '../records/due-jobs.ts'
import { wake } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import type { Run } from '../records/runs.ts'
import { startDue } from '../records/schedules.ts'
import type { Store } from '../store/store.ts'
import { nextDue } from './due.ts'

const SWEEP_AT_ONCE = 1000
/** Done at the same time, of runs to be enqueued and of jobs to be started. */
const AT_ONCE = 20
/** Jobs started at most by one tick: those left are the first of the next. */
const DUE_AT_MOST = 500
/** Jobs looked at for that: those that cannot be started stand first in line each time, and keep nobody else waiting. */
const LOOKED_AT_MOST = 10_000

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
 * @returns how many runs were woken or started. Throws what went wrong with one of them once the others are under way and
 * all else is done.
 */
export async function tick(deps: TickDeps, now: number, alone: boolean): Promise<number> {
  const { store } = deps
  const runs = await wake(store, now, alone)
  const woken: PromiseSettledResult<void>[] = []
  for (let at = 0; at < runs.length; at += AT_ONCE) {
    const some = runs.slice(at, at + AT_ONCE)
    woken.push(...(await Promise.allSettled(some.map(async (run) => enqueue(deps.queue, run)))))
  }
  const due = await startAllDue(deps, now)
  await store.sweep?.(SWEEP_AT_ONCE)
  const failed = [...woken, ...due.results].find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return runs.length + due.started.length
}

/** What cannot be started, because its owner's keys are away, stays due and keeps nobody else from starting. */
async function startAllDue(
  deps: TickDeps,
  now: number,
): Promise<{
  readonly started: readonly Run[]
  readonly results: readonly PromiseSettledResult<void>[]
}> {
  const results: PromiseSettledResult<void>[] = []
  const started: Run[] = []
  let after: string | undefined
  // Most of the time nothing is due, and one document tells.
  for (
    let limit = 1;
    started.length < DUE_AT_MOST && results.length < LOOKED_AT_MOST;
    limit = AT_ONCE
  ) {
    const page = await listDue(deps.store, after === undefined ? { limit } : { after, limit })
    const due = page.filter(({ at }) => at <= now)
    const start = async (one: (typeof due)[number]): Promise<void> => {
      const run = await startDue(deps, one, (schedule, job) => nextDue(schedule, job, now), now)
      if (run === null) return
      // Whether or not the queue takes its task: a later tick enqueues it.
      started.push(run)
      await enqueue(deps.queue, run)
    }
    results.push(...(await Promise.allSettled(due.map(start))))
    after = due.at(-1)?.key
    if (due.length < limit || after === undefined) break
  }
  return { started, results }
}

async function enqueue(queue: Queue, { id, fence }: Run): Promise<void> {
  await queue.enqueue({ run: id, fence }, { name: `${id}-${fence}` })
}
