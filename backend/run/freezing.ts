import type { Queue } from '../dispatch/queue.ts'
import { freeze, frozenSince, unfreeze } from '../records/freezes.ts'
import { listJobs } from '../records/jobs.ts'
import { turn } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import { readRun, runId } from '../records/runs.ts'
import type { Store } from '../store/store.ts'
import { enqueue } from './run-task.ts'

/** Whether everything of a person is frozen, and since when, RFC 3339. */
export interface FreezeView {
  readonly frozen: boolean
  readonly since: string | null
}

/** A person's own emergency stop (`records/freezes.ts`). */
export interface Freezing {
  look(user: string): Promise<FreezeView>
  /** Slices at work end with the next renewal of their lease, 20 seconds later at most; nothing begins. */
  freeze(user: string): Promise<FreezeView>
  /** Ends it, and lets the runs that it stopped go on. May be asked for again if it was cut off. */
  unfreeze(user: string): Promise<FreezeView>
}

const JOBS_AT_ONCE = 100

/** @returns the switch, on the store and queue given. */
export function createFreezing(deps: {
  readonly store: Store
  readonly owners: Owners
  readonly queue: Queue
  readonly now: () => number
}): Freezing {
  const { store, owners, now } = deps
  return {
    look: async (user) => viewOf(await frozenSince(store, user)),
    freeze: async (user) => {
      const since = await freeze(store, user, now())
      owners.forget(user)
      return viewOf(since)
    },
    unfreeze: async (user) => {
      await unfreeze(store, user)
      let after: string | undefined
      for (;;) {
        const limit = JOBS_AT_ONCE
        const page = after === undefined ? { limit } : { after, limit }
        const jobs = await listJobs(store, owners, user, page)
        for (const job of jobs) await goOn(deps, runId(job.id, job.latest))
        after = jobs.at(-1)?.id
        if (jobs.length < limit || after === undefined) return viewOf(null)
      }
    },
  }
}

async function goOn(
  { store, queue, now }: Parameters<typeof createFreezing>[0],
  id: string,
): Promise<void> {
  const { state, reason } = await readRun(store, id)
  if (state !== 'paused' || reason !== 'frozen') return
  const { fence } = await turn(store, id, 'queued', now())
  await enqueue(queue, { run: id, fence })
}

function viewOf(since: number | null): FreezeView {
  return { frozen: since !== null, since: since === null ? null : new Date(since).toISOString() }
}
