import { WaybillError } from '../../shared/errors.ts'
import { isOver } from '../../shared/job.ts'
import type { RunState } from '../../shared/job.ts'
import type { ReceiptSummary } from '../../shared/receipt.ts'
import type { Schedule } from '../../shared/schedule.ts'
import { createActs } from '../audit/acts.ts'
import type { Acts, TenantOf } from '../audit/acts.ts'
import { refuseUnusable } from '../connect/refresh-connection.ts'
import type { Queue } from '../dispatch/queue.ts'
import type { Connections } from '../records/connections.ts'
import { newId } from '../records/ids.ts'
import { addRun, createJob, emptyMemory, listJobs, readJob } from '../records/jobs.ts'
import type { Job } from '../records/jobs.ts'
import { turn } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import { receiptLines } from '../records/receipts.ts'
import { progressOf, readRun, runId } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { reschedule } from '../records/schedules.ts'
import { nextDue } from '../schedule/due.ts'
import type { Store } from '../store/store.ts'
import type { JobView, Jobs } from './jobs.ts'
import type { KeepToPolicy } from './keep-to-policy.ts'
import { enqueue } from './run-task.ts'

export interface JobsDeps {
  readonly store: Store
  readonly owners: Owners
  readonly connections: Connections
  readonly queue: Queue
  /** As that of `createActs`. */
  readonly tenantOf?: TenantOf
  /** Refuses what a domain's policy does; there is none unless given. */
  readonly keepToPolicy?: KeepToPolicy
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Resolves after that many milliseconds, or at once when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

const LOOK_AGAIN_MS = 200
/** Longer and longer: each look is a read that somebody pays for. */
const LONGEST_LOOK_MS = 1_000

/** @returns what people can do with their jobs, on the store and queue given. */
export function createJobs(deps: JobsDeps): Jobs {
  const { store, owners, connections, queue, now, random, sleep } = deps
  const acts = createActs(deps)

  const view = async (job: Job): Promise<JobView> =>
    viewOf(job, await readRun(store, runId(job.id, job.latest)))
  const get = async (user: string, id: string): Promise<JobView> =>
    view(await readJob(store, owners, user, id))

  const act = async (
    user: string,
    id: string,
    to: Extract<RunState, 'paused' | 'queued' | 'cancelled'>,
  ): Promise<JobView> => {
    const job = await readJob(store, owners, user, id)
    if (to === 'queued') await deps.keepToPolicy?.(user, job.request)
    const details = { job: id, run: job.latest }
    const leaf = await acts.leaf(user, { act: actOf[to], target: id, details })
    const run = await turn(store, runId(id, job.latest), to, now(), leaf)
    if (to === 'queued') await enqueue(queue, { run: run.id, fence: run.fence })
    return viewOf(job, run)
  }

  return {
    create: async (user, request) => {
      const source = await connections.get(user, request.source.connection)
      const destination = await connections.get(user, request.destination.connection)
      if (source.provider !== 'google-drive' || destination.provider !== 'dropbox')
        throw new WaybillError(
          'invalid_request',
          'Waybill copies from a Google Drive connection to a Dropbox connection.',
        )
      for (const each of [source, destination]) refuseUnusable(each)
      // An unreadable folder looks like an empty one: nobody would notice what is missing.
      if (source.credentials.tier === 'picked' && request.source.selection.kind !== 'items')
        throw new WaybillError(
          'invalid_request',
          'This Google Drive is connected with picked files only: name the files, or connect the whole Drive.',
        )
      await deps.keepToPolicy?.(user, request)
      const id = newId(now(), random)
      const createdAt = now()
      const { schedule = null } = request
      const dueAt = dueAfter(schedule, id, createdAt)
      const job: Job = { id, user, createdAt, latest: 1, request, dueAt, memory: emptyMemory }
      const leaf = await acts.leaf(user, {
        act: 'job_created',
        target: id,
        details: { job: id, kind: request.kind, from: source.id, to: destination.id },
      })
      const run = await createJob(store, owners, job, leaf)
      await enqueue(queue, { run: run.id, fence: run.fence })
      return viewOf(job, run)
    },
    list: async (user, { after, limit }) => {
      const page = after === undefined ? { limit } : { after, limit }
      const jobs = await listJobs(store, owners, user, page)
      const next = jobs.length < limit ? null : (jobs.at(-1)?.id ?? null)
      return { jobs: await Promise.all(jobs.map(view)), next }
    },
    get,
    wait: async (user, id, waitMs, signal) => {
      const until = now() + waitMs
      const first = await get(user, id)
      const before = JSON.stringify(first.run)
      let current = first
      let look = LOOK_AGAIN_MS
      while (
        JSON.stringify(current.run) === before &&
        !isOver(current.run.state) &&
        now() < until
      ) {
        if (signal?.aborted === true) break
        await sleep(Math.min(look, until - now()), signal)
        look = Math.min(look * 1.2, LONGEST_LOOK_MS)
        current = await get(user, id)
      }
      return current
    },
    again: async (user, id) => {
      if (deps.keepToPolicy !== undefined)
        await deps.keepToPolicy(user, (await readJob(store, owners, user, id)).request)
      const leaf = await acts.leaf(user, {
        act: 'job_run_again',
        target: id,
        details: { job: id },
      })
      const { job, run } = await addRun(store, owners, user, id, now(), leaf)
      await enqueue(queue, { run: run.id, fence: run.fence })
      return viewOf(job, run)
    },
    schedule: async (user, id, schedule) => {
      const dueAt = dueAfter(schedule, id, now())
      const details = { job: id, every: schedule?.every ?? null }
      const leaf = await acts.leaf(user, { act: 'job_rescheduled', target: id, details })
      return view(await reschedule(deps, user, id, { schedule, dueAt }, leaf))
    },
    pause: async (user, id) => act(user, id, 'paused'),
    resume: async (user, id) => act(user, id, 'queued'),
    cancel: async (user, id) => act(user, id, 'cancelled'),
    receipt: (user, id, number) => receipt({ ...deps, acts }, user, id, number),
  }
}

const actOf = {
  paused: 'job_paused',
  queued: 'job_resumed',
  cancelled: 'job_cancelled',
} as const

function dueAfter(schedule: Schedule | null, job: string, now: number): number | null {
  return schedule === null ? null : nextDue(schedule, job, now)
}

function viewOf({ id, createdAt, request, dueAt }: Job, run: Run): JobView {
  return {
    id,
    createdAt: new Date(createdAt).toISOString(),
    request,
    nextRunAt: dueAt === null ? null : new Date(dueAt).toISOString(),
    run: progressOf(run),
  }
}

async function* receipt(
  deps: JobsDeps & { readonly acts: Acts },
  user: string,
  id: string,
  number?: number,
): AsyncGenerator<string> {
  const { store, owners, acts } = deps
  const job = await readJob(store, owners, user, id)
  const run = await readRun(store, runId(id, number ?? job.latest))
  if (run.state !== 'done' || run.root === null)
    throw new WaybillError('wrong_state', 'The receipt is complete when the run is done.')
  // Told before the first line leaves: nobody gets any of it unseen.
  const details = { job: id, run: run.number }
  await acts.record(user, { act: 'receipt_fetched', target: id, details })
  yield* receiptLines(store, owners, user, run.id)
  const { memory } = job
  const since = memory.since?.run === run.number ? memory.before : null
  const summary: ReceiptSummary = {
    summary: {
      job: id,
      run: run.number,
      lines: run.lines,
      ...run.totals,
      unchanged: run.unchanged,
      since,
      root: run.root,
    },
  }
  yield JSON.stringify(summary)
}
