import { WaybillError } from '../../shared/errors.ts'
import type { JobRequest } from '../../shared/job.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { moveDue } from './due-jobs.ts'
import { refuseErasing } from './freezes.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'
import { keepRun, newRun, readRun, runId } from './runs.ts'
import type { Run } from './runs.ts'
import { isOver } from '../../shared/job.ts'

/** What a job carries over from run to run. */
export interface Memory {
  /** For each corpus, where its changes go on. Empty before the first run is over. */
  readonly tokens: Readonly<Record<string, string>>
  /** Where the destination's own changes go on. */
  readonly cursor: string | null
  /** The destination folder. */
  readonly folder: { readonly id: string; readonly path: string } | null
  /** Items of the selection that some receipt accounts for. */
  readonly known: number
  /** The newest run that is done, and its receipt's root. */
  readonly since: { readonly run: number; readonly root: string } | null
  /** The one done before that: what did not change since is accounted for by its receipt. */
  readonly before: { readonly run: number; readonly root: string } | null
}

export interface Job {
  readonly id: string
  readonly user: string
  readonly createdAt: number
  /** Number of the newest run. */
  readonly latest: number
  readonly request: JobRequest
  /** When it runs by itself next, in milliseconds since 1970; null without a schedule. */
  readonly dueAt: number | null
  readonly memory: Memory
}

export const emptyMemory: Memory = {
  tokens: {},
  cursor: null,
  folder: null,
  known: 0,
  since: null,
  before: null,
}

/** @returns the job as a document, sealed for its owner. */
export function jobDocument(owner: Owner, job: Job): Document {
  const { id, user, createdAt, latest, request, dueAt, memory } = job
  return {
    key: id,
    fields: { user, createdAt, latest, dueAt },
    body: owner.seal('jobs', id, { request, memory }),
    expiresAt: null,
  }
}

function jobFrom(owner: Owner, document: Document): Job {
  const { request, memory } = owner.open<Pick<Job, 'request' | 'memory'>>(
    'jobs',
    document.key,
    document.body,
  )
  const { createdAt, latest, dueAt = null } = document.fields
  return {
    id: document.key,
    user: owner.user,
    createdAt: Number(createdAt),
    latest: Number(latest),
    request,
    dueAt: dueAt === null ? null : Number(dueAt),
    memory,
  }
}

/**
 * @returns the user's job; `not_found` also when it is somebody else's, `envelope_refused` when the keys it was sealed with
 * are lost.
 */
export async function readJob(
  from: Pick<Transaction, 'get'>,
  owners: Owners,
  user: string,
  id: string,
): Promise<Job> {
  const found = await from.get('jobs', id)
  if (found === null || found.fields['user'] !== user)
    throw new WaybillError('not_found', 'There is no such job.')
  return jobFrom(await owners.of(user), found)
}

/**
 * @returns a page of the user's jobs, oldest first: fewer than `limit` only at the end. Jobs that were sealed with lost
 * keys are lost with them, and left out.
 */
export async function listJobs(
  store: Store,
  owners: Owners,
  user: string,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly Job[]> {
  const { limit } = page
  const jobs: Job[] = []
  for (let from = page; ;) {
    const found = await store.list({ collection: 'jobs', where: { user }, ...from })
    const last = found.at(-1)
    // Who has nothing yet needs no keys.
    if (last === undefined) return jobs
    const owner = await owners.of(user)
    const opened = found.map((document) => unlessLost(() => jobFrom(owner, document)))
    jobs.push(...opened.filter((job) => job !== null))
    if (found.length < limit || jobs.length >= limit) return jobs.slice(0, limit)
    from = { after: last.key, limit }
  }
}

/** Keeps a new job and its first run, waiting; with them the leaf that tells of it. */
export async function createJob(store: Store, owners: Owners, job: Job, leaf?: Leaf): Promise<Run> {
  const owner = await owners.of(job.user)
  const run = newRun(job.user, job.id, job.latest, job.createdAt)
  return store.transact(async (transaction) => {
    await refuseErasing(transaction, job.user)
    transaction.put('jobs', jobDocument(owner, job))
    moveDue(transaction, null, job)
    if (leaf !== undefined) putLeaf(transaction, leaf)
    return keepRun(transaction, run)
  })
}

/** Adds the next run, and the leaf that tells of it. Throws `wrong_state` while the newest one is not over. */
export async function addRun(
  store: Store,
  owners: Owners,
  user: string,
  id: string,
  now: number,
  leaf?: Leaf,
): Promise<{ readonly job: Job; readonly run: Run }> {
  return store.transact(async (transaction) => {
    const job = await readJob(transaction, owners, user, id)
    const newest = await readRun(transaction, runId(id, job.latest))
    if (!isOver(newest.state))
      throw new WaybillError('wrong_state', 'The job’s newest run is not over yet.')
    const next = withNextRun(job, newest, now)
    transaction.put('jobs', jobDocument(await owners.of(user), next.job))
    if (leaf !== undefined) putLeaf(transaction, leaf)
    return { job: next.job, run: keepRun(transaction, next.run) }
  })
}

/** @returns the job with another run, neither of them kept yet; `newest` is its newest run, which is over. */
export function withNextRun(
  job: Job,
  newest: Run,
  now: number,
): { readonly job: Job; readonly run: Run } {
  const run = newRun(job.user, job.id, job.latest + 1, now)
  return { job: { ...job, latest: run.number, memory: withLines(job.memory, newest) }, run }
}

/** What a run that was cancelled or failed has recorded counts all the same: only a run that is done says so itself. */
function withLines(memory: Memory, newest: Run): Memory {
  if (newest.state === 'done') return memory
  return { ...memory, known: memory.known + newest.added - newest.left }
}
