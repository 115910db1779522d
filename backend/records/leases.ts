import { WaybillError } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { isOver, mayBecome } from '../../shared/job.ts'
import type { RunState } from '../../shared/job.ts'
import type { Store, Transaction } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { frozenSince, refuseFrozen } from './freezes.ts'
import { domainFrozenSince } from './people.ts'
import { listDueRuns, needsAt } from './due-runs.ts'
import type { DueRun } from './due-runs.ts'
import { keepRun, readRun, runFrom, underLease, usualLeaseMs } from './runs.ts'
import type { Lease, Run } from './runs.ts'

/**
 * Who works on a run: one function per change, each a transaction that names the state it expects.
 *
 * ```
 *            claim                    renew (in time)
 *   waiting ───────► held by a worker ─┐
 *      ▲                │   ▲──────────┘
 *      │                ├─ handOver: number + 1, a new task
 *      │                ├─ the lease runs out: wake takes it away, number + 1, a new task
 *      └────────────────┘
 * ```
 */
export type Claim =
  | { readonly kind: 'held'; readonly run: Run; readonly lease: Lease }
  /** Another worker holds it: deliver again later. */
  | { readonly kind: 'busy' }
  /** The task is an old one; `fence` is the number of the one that counts, `wakeAt` when that one is due. */
  | { readonly kind: 'stale'; readonly fence: number; readonly wakeAt: number | null }
  /** Nothing to do: over, paused by somebody, or unknown. */
  | { readonly kind: 'idle' }

/**
 * Takes the lease of a run for a task.
 *
 * @param holder names this worker, different each time
 * @param now milliseconds since 1970
 * @param leaseMs how long it is his without being renewed
 */
export async function claim(
  store: Store,
  task: { readonly run: string; readonly fence: number },
  holder: string,
  now: number,
  leaseMs = usualLeaseMs,
): Promise<Claim> {
  return store.transact(async (transaction): Promise<Claim> => {
    const found = await transaction.get('runs', task.run)
    if (found === null) return { kind: 'idle' }
    const run = runFrom(found)
    if (isOver(run.state) || run.state === 'paused') return { kind: 'idle' }
    if (task.fence < run.fence) return { kind: 'stale', fence: run.fence, wakeAt: run.wakeAt }
    if (run.holder !== null && run.leaseUntil > now) return { kind: 'busy' }
    if ((await frozenSince(transaction, run.user)) !== null) {
      const stopped = { state: 'paused', reason: 'frozen', holder: null, wakeAt: null } as const
      keepRun(transaction, { ...run, ...stopped, leaseUntil: 0 })
      return { kind: 'idle' }
    }
    const held: Run = {
      ...run,
      state: 'running',
      holder,
      leaseUntil: now + leaseMs,
      wakeAt: null,
      // Whatever it waited for, it waits no longer.
      reason: null,
    }
    const kept = keepRun(transaction, held)
    return { kind: 'held', run: kept, lease: { run: run.id, holder } }
  })
}

/** Looks whether the run may still go on, and throws if not: read in the transaction that renews its lease. */
export type Watch = (from: Pick<Transaction, 'get'>) => Promise<void>

/**
 * Keeps the lease for another while. Throws `lease_lost`, `cancelled`, or `frozen` as everything of its owner is, and what
 * `watch` throws.
 */
export async function renew(
  store: Store,
  lease: Lease,
  now: number,
  leaseMs = usualLeaseMs,
  watch?: Watch,
): Promise<Run> {
  return underLease(store, lease, async ({ user }, transaction) => {
    await refuseFrozen(transaction, user)
    await watch?.(transaction)
    return { leaseUntil: now + leaseMs }
  })
}

/**
 * Ends a slice: gives the lease back and counts the number up.
 *
 * @param next when to go on, how many slices have failed in a row, and why the run waits
 * @returns the run, whose `fence` is the number of the task to enqueue
 */
export async function handOver(
  store: Store,
  lease: Lease,
  next: { readonly wakeAt: number; readonly attempts: number; readonly reason: ErrorCode | null },
): Promise<Run> {
  return store.transact(async (transaction) => {
    const run = await readRun(transaction, lease.run)
    if (run.holder !== lease.holder)
      throw new WaybillError('lease_lost', 'The run is in other hands.')
    const over = run.state !== 'running'
    const released: Run = {
      ...run,
      holder: null,
      leaseUntil: 0,
      fence: run.fence + 1,
      ...(over ? {} : { wakeAt: next.wakeAt, attempts: next.attempts, reason: next.reason }),
    }
    return keepRun(transaction, released)
  })
}

/** Ends a slice in a state in which nobody works on the run: paused, done, failed. */
export async function settle(
  store: Store,
  lease: Lease,
  state: RunState,
  reason: ErrorCode,
  times: { readonly wakeAt: number | null; readonly endedAt: number | null },
): Promise<Run> {
  return underLease(store, lease, () => ({ state, reason, ...times, leaseUntil: 0 }))
}

/**
 * Pauses a run whose slice was stopped because everything of its owner is frozen.
 *
 * @returns whether it is paused. Not if that has ended meanwhile: whoever ended it did not find this run among those that
 *   it stopped, so nobody else lets it go on.
 */
export async function pauseFrozen(store: Store, lease: Lease): Promise<boolean> {
  const { state } = await underLease(store, lease, async ({ user }, transaction) =>
    (await frozenSince(transaction, user)) === null &&
    (await domainFrozenSince(transaction, user)) === null
      ? {}
      : { state: 'paused', reason: 'frozen', wakeAt: null, leaseUntil: 0 },
  )
  return state === 'paused'
}

/**
 * What its owner does to a run from outside. Takes the lease from whoever holds it.
 *
 * @param leaf tells of it
 * @throws WaybillError `wrong_state` when the run's state does not allow it
 */
export async function turn(
  store: Store,
  id: string,
  to: Extract<RunState, 'paused' | 'queued' | 'cancelled'>,
  now: number,
  leaf?: Leaf,
): Promise<Run> {
  return store.transact(async (transaction) => {
    const run = await readRun(transaction, id)
    if (!mayBecome(run.state, to))
      throw new WaybillError('wrong_state', `A run that is ${run.state} cannot become ${to}.`)
    const turned: Run = {
      ...run,
      state: to,
      holder: null,
      leaseUntil: 0,
      fence: run.fence + 1,
      attempts: 0,
      reason: null,
      mayReplaceMany: run.mayReplaceMany || (to === 'queued' && run.reason === 'many_changes'),
      wakeAt: to === 'queued' ? now : null,
      endedAt: to === 'cancelled' ? now : null,
    }
    if (leaf !== undefined) putLeaf(transaction, leaf)
    return keepRun(transaction, turned)
  })
}

/** A task that was handed on this long ago is gone, whatever its queue says. */
const LOST_MS = 60 * 60_000
const AT_ONCE = 100
/** Runs looked at by one tick: it has to be over before the next. */
const LOOKED_AT_MOST = 500

/**
 * Finds the runs that should be worked on and are not: their lease ran out, their time has come, or their task was lost.
 * Whoever took a lease or a pause away gives a new number, so that the task to enqueue is never mistaken for an old one.
 * A run that merely waits keeps its number: its task may be far back in the queue, which takes a task of the same name
 * once. Only after an hour is that task given up.
 *
 * @param dead also takes leases that have not run out (at start, when no other process can be at work)
 */
export async function wake(store: Store, now: number, dead: boolean): Promise<readonly Run[]> {
  const woken: Run[] = []
  let looked = 0
  for await (const run of dead ? unfinishedRuns(store) : neglectedRuns(store, now)) {
    // At start all of them: whoever is not looked at now would stand still. A later tick begins with those left.
    if (!dead && (looked += 1) > LOOKED_AT_MOST) break
    const need = needOf(run, now, dead)
    if (need === 'its task') woken.push(run)
    if (need === null && run.dueAt === null && needsAt(run) !== null) await keepAgain(store, run.id)
    if (need !== 'a new number') continue
    const changed = await renumber(store, run.id, now, dead)
    if (changed !== null) woken.push(changed)
  }
  return woken
}

/** Whatever is known of when they need somebody: at start it costs little to be sure. */
async function* unfinishedRuns(store: Store): AsyncGenerator<Run> {
  for (const state of ['queued', 'running', 'paused'] as const) {
    let after: string | undefined
    for (;;) {
      const from = after === undefined ? {} : { after }
      const query = { collection: 'runs', where: { state }, limit: AT_ONCE, ...from } as const
      const page = await store.list(query)
      yield* page.map(runFrom)
      after = page.at(-1)?.key
      if (page.length < AT_ONCE || after === undefined) break
    }
  }
}

/** A run that was kept before there was `due` for runs gets its place there. */
async function keepAgain(store: Store, id: string): Promise<void> {
  await store.transact(async (transaction) => keepRun(transaction, await readRun(transaction, id)))
}

/** Those whose time in `due` has come. Most of the time there are none, and one document tells. */
async function* neglectedRuns(store: Store, now: number): AsyncGenerator<Run> {
  let after: string | undefined
  // Pages grow, so that few others are read with those that are due.
  for (let limit = 1; ; limit = Math.min(4 * limit, AT_ONCE)) {
    const page = await listDueRuns(store, after === undefined ? { limit } : { after, limit })
    const due = page.filter(({ at }) => at <= now)
    const ids = due.map(({ run }) => run)
    const runs = due.length === 0 ? [] : await store.getMany('runs', ids)
    for (const [index, one] of due.entries()) {
      const found = runs[index] ?? null
      const run = found === null ? null : runFrom(found)
      if (stands(one, run)) yield run
      else await dropUnlessItStands(store, one)
    }
    after = due.at(-1)?.key
    if (due.length < limit || after === undefined) return
  }
}

/** @returns whether a document in `due` is that of its run as the run is now. */
function stands(due: DueRun, run: Run | null): run is Run {
  return run !== null && run.dueAt === due.at && needsAt(run) !== null
}

async function dropUnlessItStands(store: Store, due: DueRun): Promise<void> {
  await store.transact(async (transaction) => {
    const found = await transaction.get('runs', due.run)
    if (!stands(due, found === null ? null : runFrom(found))) transaction.remove('due', due.key)
  })
}

/** @returns what a run needs to be worked on again; null if nothing. */
function needOf(run: Run, now: number, dead: boolean): 'a new number' | 'its task' | null {
  const { state, holder, wakeAt } = run
  const isWaiting = state !== 'paused' && holder === null && wakeAt !== null
  const at = needsAt(run)
  if (at === null) return null
  if (dead && state !== 'paused') return isWaiting && wakeAt > now ? null : 'a new number'
  if (at > now) return null
  return isWaiting && wakeAt + LOST_MS > now ? 'its task' : 'a new number'
}

async function renumber(store: Store, id: string, now: number, dead: boolean): Promise<Run | null> {
  return store.transact(async (transaction) => {
    const run = await readRun(transaction, id)
    // Somebody may have taken it since it was listed.
    if (needOf(run, now, dead) !== 'a new number') return null
    const woken: Run = {
      ...run,
      state: run.state === 'paused' ? 'queued' : run.state,
      holder: null,
      leaseUntil: 0,
      fence: run.fence + 1,
      wakeAt: now,
    }
    return keepRun(transaction, woken)
  })
}
