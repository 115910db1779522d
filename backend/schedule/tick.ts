import type { Queue } from '../dispatch/queue.ts'
import { wake } from '../records/leases.ts'
import type { Store } from '../store/store.ts'

const SWEEP_AT_ONCE = 1000

/**
 * Looks after what would otherwise stop for ever: runs whose worker died, whose task was lost, or whose pause is over.
 * Also forgets what has had its time. Safe to call at any time, by any number of processes.
 *
 * @param now milliseconds since 1970
 * @param alone whether no other process can be at work on this store: then every lease is that of a dead one
 * @returns how many runs were woken
 */
export async function tick(
  deps: { readonly store: Store; readonly queue: Queue },
  now: number,
  alone: boolean,
): Promise<number> {
  const runs = await wake(deps.store, now, alone)
  for (const run of runs) {
    const task = { run: run.id, fence: run.fence }
    await deps.queue.enqueue(task, { name: `${run.id}-${run.fence}` })
  }
  await deps.store.sweep(SWEEP_AT_ONCE)
  return runs.length
}
