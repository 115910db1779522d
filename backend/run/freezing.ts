import type { Queue } from '../dispatch/queue.ts'
import type { Acts } from '../audit/acts.ts'
import { freeze, frozenSince, unfreeze } from '../records/freezes.ts'
import type { FrozenBy } from '../records/freezes.ts'
import { unlessKeysAway } from '../records/audit-lines.ts'
import type { Leaf } from '../records/audit-lines.ts'
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
  /** As `freeze`, because something is wrong: it ends only by a sign-in afterwards. */
  freezeByAlarm(user: string): Promise<FreezeView>
  /**
   * As `unfreeze`, for somebody of whom only this is known. Throws `forbidden` if an alarm froze it and they have not
   * signed in since then, and within ten minutes.
   *
   * @param signedInAt when they have proven who they are, in milliseconds since 1970; null if that is not known
   */
  unfreezeSignedIn(user: string, signedInAt: number | null): Promise<FreezeView>
}

/** The same, for whoever ends the freeze of somebody else. */
export interface FreezingOfOthers extends Freezing {
  /** Lets the runs go on that a freeze has stopped, once it is over. */
  goOn(user: string): Promise<void>
}

const JOBS_AT_ONCE = 100
const FRESH_MS = 10 * 60_000

/** @returns the switch, on the store and queue given. */
export function createFreezing(deps: {
  readonly store: Store
  readonly owners: Owners
  readonly queue: Queue
  readonly acts: Pick<Acts, 'leaf'>
  readonly now: () => number
}): FreezingOfOthers {
  const { store, owners, acts, now } = deps
  const leafOf = async (user: string, act: 'user_frozen' | 'user_unfrozen'): Promise<Leaf> =>
    acts.leaf(user, { act, target: user, details: { user } })

  const stop = async (user: string, by: FrozenBy): Promise<FreezeView> => {
    // An alarm has a line of its own.
    const leaf = by === 'owner' ? await unlessKeysAway(leafOf(user, 'user_frozen')) : undefined
    const since = await freeze(store, user, now(), by, leaf)
    owners.forget(user)
    return viewOf(since)
  }

  const goOnAll = async (user: string): Promise<void> => {
    let after: string | undefined
    for (;;) {
      const limit = JOBS_AT_ONCE
      const page = after === undefined ? { limit } : { after, limit }
      const jobs = await listJobs(store, owners, user, page)
      for (const job of jobs) await goOn(deps, runId(job.id, job.latest))
      after = jobs.at(-1)?.id
      if (jobs.length < limit || after === undefined) return
    }
  }

  const letGoOn = async (
    user: string,
    isEnough: (alarm: number) => boolean = () => true,
  ): Promise<FreezeView> => {
    await unfreeze(store, user, { leaf: await leafOf(user, 'user_unfrozen'), isEnough })
    await goOnAll(user)
    return viewOf(null)
  }

  return {
    look: async (user) => viewOf(await frozenSince(store, user)),
    freeze: async (user) => stop(user, 'owner'),
    freezeByAlarm: async (user) => stop(user, 'alarm'),
    unfreeze: async (user) => letGoOn(user),
    unfreezeSignedIn: async (user, signedInAt) => {
      const isFresh = (since: number): boolean =>
        signedInAt !== null && signedInAt > since && signedInAt > now() - FRESH_MS
      return letGoOn(user, isFresh)
    },
    goOn: goOnAll,
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
