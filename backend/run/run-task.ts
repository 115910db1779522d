import pLimit from 'p-limit'
import { asWaybillError, dispositionOf, hasCode } from '../../shared/errors.ts'
import type { ErrorCode, WaybillError } from '../../shared/errors.ts'
import type { Destination, Source } from '../clouds/cloud.ts'
import type { Delivery, Queue, Task } from '../dispatch/queue.ts'
import { openJobRows } from '../records/job-rows.ts'
import { readJob } from '../records/jobs.ts'
import type { Job } from '../records/jobs.ts'
import { claim, handOver, pauseFrozen, renew, settle } from '../records/leases.ts'
import type { Watch } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import { openReceipt } from '../records/receipts.ts'
import { usualLeaseMs } from '../records/runs.ts'
import type { Lease, Run } from '../records/runs.ts'
import type { KeepToPolicy } from './keep-to-policy.ts'
import type { Store } from '../store/store.ts'
import { runPhases } from './run-phases.ts'

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 10 * 60_000
/** Slices in a row that end in something that may pass, before a person is asked to look. */
const ATTEMPTS = 12
/** After so many it is tried less often, but it is: a schedule has nobody who looks. */
const MUCH_LATER_MS = 60 * 60_000

/** What operators mend, not the person whose run it is: it goes on by itself. */
const mendedByOthers: readonly ErrorCode[] = [
  'settings_invalid',
  'key_unavailable',
  'store_unavailable',
]
const MENDED_MS = 5 * 60_000

/** What became of a slice, for the log: codes and opaque ids only. */
export interface SliceEnd {
  readonly run: string
  readonly end: 'more' | 'over' | 'waits' | 'paused' | 'failed' | 'lost'
  readonly code?: string
  readonly error?: unknown
  /** Of a run that is over: lines of its receipt, and bytes written. */
  readonly items?: number
  readonly bytes?: number
}

export interface RunnerDeps {
  readonly store: Store
  readonly owners: Owners
  readonly queue: Queue
  /** Opens the two sides of a job with tokens that are kept valid. Throws `connection_expired`. */
  readonly open: (
    job: Job,
    signal: AbortSignal,
  ) => Promise<{ readonly source: Source; readonly destination: Destination }>
  /** Refuses what a domain's policy does; there is none unless given. */
  readonly keepToPolicy?: KeepToPolicy
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Lets timers and the network have their turn. */
  readonly turn: () => Promise<void>
  /** How long a slice works, in milliseconds. */
  readonly sliceMs: number
  /** How long a dead worker keeps others from its run, in milliseconds; a minute unless told. */
  readonly leaseMs?: number
  readonly onEnd: (end: SliceEnd) => void
}

/** @returns the queue's handler: works on a run for one slice, under its lease. */
export function createRunner(deps: RunnerDeps): {
  handle(task: Task, stop: AbortSignal): Promise<Delivery>
} {
  return {
    handle: async (task, stop) => {
      const holder = Buffer.from(deps.random(12)).toString('base64url')
      const taken = await claim(deps.store, task, holder, deps.now(), deps.leaseMs)
      switch (taken.kind) {
        case 'busy':
          return 'again'
        case 'stale':
          // Whoever counted the number up may have ended before its task was enqueued.
          await enqueue(
            deps.queue,
            { run: task.run, fence: taken.fence },
            taken.wakeAt ?? undefined,
          )
          return 'done'
        case 'idle':
          return 'done'
        case 'held':
          await slice(deps, taken.run, taken.lease, stop)
          return 'done'
        default:
          return taken satisfies never
      }
    },
  }
}

/** Names come from run and number: what was delivered once is never mistaken for what comes next. */
export async function enqueue(queue: Queue, task: Task, notBefore?: number): Promise<void> {
  const name = `${task.run}-${task.fence}`
  await queue.enqueue(task, notBefore === undefined ? { name } : { name, notBefore })
}

async function slice(outer: RunnerDeps, run: Run, lease: Lease, stop: AbortSignal): Promise<void> {
  const deps = { ...outer, store: oneAtATime(outer.store) }
  const lost = new AbortController()
  let watch: Watch | undefined
  const renewal = setInterval(
    () => {
      renew(deps.store, lease, deps.now(), deps.leaseMs, watch).catch((error: unknown) =>
        lost.abort(error),
      )
    },
    (deps.leaseMs ?? usualLeaseMs) / 3,
  )
  renewal.unref()
  try {
    const job = await readJob(deps.store, deps.owners, run.user, run.job)
    watch = (await deps.keepToPolicy?.(run.user, job.request)) ?? undefined
    const over = await workOn(deps, run, job, lease, AbortSignal.any([lost.signal, stop]))
    if (over === null) await goOn(deps, lease, run, deps.now(), 'more')
    else {
      const { lines, totals } = over
      deps.onEnd({ run: run.id, end: 'over', items: lines, bytes: totals.bytes })
    }
  } catch (error) {
    // It has been handed over: whoever gets this task again enqueues the next one.
    if (error instanceof NotEnqueued) throw error.cause
    await endBadly(deps, run, lease, stop.aborted ? stop.reason : error).catch((later: unknown) => {
      if (later instanceof NotEnqueued) throw later.cause
      // Its owner paused or cancelled it in that very moment.
      if (!hasCode(later, 'lease_lost') && !hasCode(later, 'cancelled')) throw later
      deps.onEnd({ run: run.id, end: 'lost', code: later.code })
    })
  } finally {
    clearInterval(renewal)
  }
}

/** All transactions of a slice read its run, and most write it: side by side they would only make each other begin again. */
function oneAtATime(store: Store): Store {
  const inTurn = pLimit(1)
  return { ...store, transact: async (change) => inTurn(async () => store.transact(change)) }
}

async function workOn(
  deps: RunnerDeps,
  run: Run,
  job: Job,
  lease: Lease,
  signal: AbortSignal,
): Promise<Run | null> {
  const { store, owners, now, random, turn } = deps
  const { source, destination } = await deps.open(job, signal)
  const until = now() + deps.sliceMs
  const isNew = run.number === 1 && run.checkpoint === null
  const rows = await openJobRows({ store, owners, user: run.user, job: run.job, isNew, turn })
  const work = {
    store,
    owners,
    lease,
    job,
    rows,
    receipt: openReceipt(store, owners, run.user, run.id),
    number: run.number,
    source,
    destination,
    now,
    random,
    turn,
    signal,
    until,
  }
  return runPhases(work, run)
}

async function goOn(
  deps: RunnerDeps,
  lease: Lease,
  run: Run,
  wakeAt: number,
  end: 'more' | 'waits',
  error?: WaybillError,
): Promise<void> {
  const attempts = error === undefined ? 0 : run.attempts + 1
  const released = await handOver(deps.store, lease, {
    wakeAt,
    attempts,
    reason: error?.code ?? null,
  })
  await enqueue(deps.queue, { run: run.id, fence: released.fence }, wakeAt).catch(
    (cause: unknown) => {
      throw new NotEnqueued('The next task was not taken.', { cause })
    },
  )
  deps.onEnd({ run: run.id, end, ...(error === undefined ? {} : { code: error.code, error }) })
}

/** What went wrong decides: wait and go on, wait for a person, or give up. Nothing that was recorded is lost by any of them. */
async function endBadly(deps: RunnerDeps, run: Run, lease: Lease, thrown: unknown): Promise<void> {
  if (isStop(thrown)) {
    await goOn(deps, lease, run, deps.now(), 'more')
    return
  }
  const error = asWaybillError(thrown)
  const { code } = error
  if (code === 'lease_lost' || code === 'cancelled') {
    deps.onEnd({ run: run.id, end: 'lost', code })
    return
  }
  if (code === 'frozen') {
    deps.owners.forget(run.user)
    if (await pauseFrozen(deps.store, lease))
      deps.onEnd({ run: run.id, end: 'paused', code, error })
    else await goOn(deps, lease, run, deps.now(), 'more')
    return
  }
  const now = deps.now()
  const newest = await renew(deps.store, lease, now, deps.leaseMs)
  const disposition = dispositionOf(code)
  if (disposition === 'retry' || disposition === 'refresh' || disposition === 'reopen') {
    if (newest.attempts < ATTEMPTS) {
      const backoff = Math.min(FIRST_WAIT_MS * 2 ** newest.attempts, LONGEST_WAIT_MS)
      await goOn(
        deps,
        lease,
        newest,
        now + Math.max(backoff, error.retryAfterMs ?? 0),
        'waits',
        error,
      )
      return
    }
    await pause(deps, run, lease, error, MUCH_LATER_MS)
  } else if (disposition === 'pause') await pause(deps, run, lease, error)
  else {
    await settle(deps.store, lease, 'failed', code, { wakeAt: null, endedAt: now })
    deps.onEnd({ run: run.id, end: 'failed', code, error })
  }
}

/** @param later when the run goes on by itself unless the error says, in milliseconds; null if somebody has to act first */
async function pause(
  deps: RunnerDeps,
  run: Run,
  lease: Lease,
  error: WaybillError,
  later: number | null = null,
): Promise<void> {
  const after = error.retryAfterMs ?? (mendedByOthers.includes(error.code) ? MENDED_MS : later)
  const wakeAt = after === null ? null : deps.now() + after
  await settle(deps.store, lease, 'paused', error.code, { wakeAt, endedAt: null })
  deps.onEnd({ run: run.id, end: 'paused', code: error.code, error })
}

/** The slice has ended well, and its successor's task could not be enqueued. */
class NotEnqueued extends Error {}

/** The process is asked to end: the run goes on elsewhere, at once. */
export class Stop extends Error {}

function isStop(thrown: unknown): boolean {
  return thrown instanceof Stop
}
