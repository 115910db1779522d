import { hasCode } from '../../shared/errors.ts'
import { isOver } from '../../shared/job.ts'
import type { Schedule } from '../../shared/schedule.ts'
import type { Store } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { moveDue } from './due-jobs.ts'
import type { Due } from './due-jobs.ts'
import { jobDocument, readJob, withNextRun } from './jobs.ts'
import type { Job } from './jobs.ts'
import type { Owners } from './owner.ts'
import { keepRun, readRun, runId } from './runs.ts'
import type { Run } from './runs.ts'

/**
 * Starts the run that a job is due for and says when it is due next, in one transaction: of two that find the same job due,
 * one starts a run. A job whose newest run is not over gets no other, and waits for its next time. A job that is gone or
 * being erased, or was sealed with lost keys and can never run again, is due no more.
 *
 * @param next when a job with this schedule is due next, in milliseconds since 1970
 * @param now milliseconds since 1970
 * @returns the run, whose task is to be enqueued; null if none was started. Throws `key_unavailable`, and
 * `envelope_refused` when the owner's keys themselves are refused: they may be the wrong wallet's.
 */
export async function startDue(
  { store, owners }: { readonly store: Store; readonly owners: Owners },
  due: Due,
  next: (schedule: Schedule, job: string) => number,
  now: number,
): Promise<Run | null> {
  return store.transact(async (transaction) => {
    if ((await transaction.get('due', due.key)) === null) return null
    const read = readJob(transaction, owners, due.user, due.job)
    const job = await read.catch(async (error: unknown) => {
      if (hasCode(error, 'not_found') || hasCode(error, 'frozen')) return null
      if (!hasCode(error, 'envelope_refused')) throw error
      // With the owner's keys at hand, it is the job that does not open.
      await owners.of(due.user)
      return null
    })
    if (job === null || job.dueAt !== due.at) {
      transaction.remove('due', due.key)
      return null
    }
    const newest = await readRun(transaction, runId(job.id, job.latest))
    const owner = await owners.of(job.user)
    const { schedule } = job.request
    const later = { ...job, dueAt: schedule === undefined ? null : next(schedule, job.id) }
    moveDue(transaction, job, later)
    if (schedule === undefined || !isOver(newest.state)) {
      transaction.put('jobs', jobDocument(owner, later))
      return null
    }
    const started = withNextRun(later, newest, now)
    transaction.put('jobs', jobDocument(owner, started.job))
    return keepRun(transaction, started.run)
  })
}

/**
 * Gives a job another schedule, or takes it away.
 *
 * @param dueAt when it is next to run, in milliseconds since 1970; null without a schedule
 * @param leaf tells of it
 * @returns the job; throws `not_found`
 */
export async function reschedule(
  { store, owners }: { readonly store: Store; readonly owners: Owners },
  user: string,
  id: string,
  { schedule, dueAt }: { readonly schedule: Schedule | null; readonly dueAt: number | null },
  leaf?: Leaf,
): Promise<Job> {
  return store.transact(async (transaction) => {
    const job = await readJob(transaction, owners, user, id)
    const { schedule: _, ...request } = job.request
    const changed: Job = {
      ...job,
      dueAt,
      request: schedule === null ? request : { ...request, schedule },
    }
    const owner = await owners.of(user)
    moveDue(transaction, job, changed)
    transaction.put('jobs', jobDocument(owner, changed))
    if (leaf !== undefined) putLeaf(transaction, leaf)
    return changed
  })
}
