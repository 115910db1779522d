import type { Jobs, JobView } from '../../../backend/run/jobs.ts'
import { newRun, progressOf } from '../../../backend/records/runs.ts'
import { nextDue } from '../../../backend/schedule/due.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { isOver, mayBecome, type RunProgress, type RunState } from '../../../shared/job.ts'
import type { Schedule } from '../../../shared/schedule.ts'

interface Kept {
  readonly user: string
  view: JobView
  readonly receipts: Map<number, readonly string[]>
  readonly waiting: Set<() => void>
}

export interface MemoryJobs extends Jobs {
  /** Lets a job's run get somewhere, as a worker would. */
  advance(job: string, change: Partial<RunProgress>): void
  /** Ends the newest run and gives it this receipt. */
  finish(job: string, lines: readonly string[]): void
}

/** Jobs that nobody works on: they follow each sentence of the contract and move only when a test moves them. */
export function createMemoryJobs(options: {
  readonly clock: () => number
  readonly connections: readonly string[]
}): MemoryJobs {
  const all = new Map<string, Kept>()
  const now = () => new Date(options.clock()).toISOString()

  function mine(user: string, job: string): Kept {
    const kept = all.get(job)
    if (kept?.user !== user) throw new WaybillError('not_found', 'There is no such job.')
    return kept
  }

  function change(kept: Kept, next: Partial<RunProgress>): JobView {
    kept.view = { ...kept.view, run: { ...kept.view.run, ...next } }
    for (const wake of kept.waiting) wake()
    return kept.view
  }

  function become(kept: Kept, state: RunState): JobView {
    if (!mayBecome(kept.view.run.state, state))
      throw new WaybillError('wrong_state', 'The run does not allow that now.')
    return change(kept, { state, ...(isOver(state) && { endedAt: now() }) })
  }

  const firstRun = (job: string, number: number): RunProgress => ({
    ...progressOf(newRun('', job, number, options.clock())),
    run: `${job}-run-${number}`,
  })

  const nextOf = (schedule: Schedule | null, job: string): string | null =>
    schedule === null ? null : new Date(nextDue(schedule, job, options.clock())).toISOString()

  return {
    async create(user, request) {
      for (const side of [request.source, request.destination])
        if (!options.connections.includes(side.connection))
          throw new WaybillError('not_found', 'There is no such connection.')
      const id = `job-${String(all.size + 1).padStart(3, '0')}`
      const { schedule = null } = request
      const nextRunAt = nextOf(schedule, id)
      const view = { id, createdAt: now(), request, nextRunAt, run: firstRun(id, 1) }
      all.set(id, { user, view, receipts: new Map(), waiting: new Set() })
      return view
    },
    async list(user, { after = '', limit }) {
      const own = [...all.values()].filter((each) => each.user === user)
      const rest = own.map((each) => each.view).filter((view) => view.id > after)
      const jobs = rest.slice(0, limit)
      return { jobs, next: rest.length > limit ? (jobs.at(-1)?.id ?? null) : null }
    },
    get: async (user, job) => mine(user, job).view,
    async wait(user, job, waitMs, signal) {
      const kept = mine(user, job)
      if (isOver(kept.view.run.state)) return kept.view
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(done, waitMs)
        function done() {
          clearTimeout(timer)
          kept.waiting.delete(done)
          resolve()
        }
        kept.waiting.add(done)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          kept.waiting.delete(done)
          reject(new DOMException('Nobody waits.', 'AbortError'))
        })
      })
      return kept.view
    },
    async again(user, job) {
      const kept = mine(user, job)
      if (!isOver(kept.view.run.state))
        throw new WaybillError('wrong_state', 'A run is still under way.')
      return change(kept, firstRun(job, kept.view.run.number + 1))
    },
    async schedule(user, job, schedule) {
      const kept = mine(user, job)
      const { schedule: _, ...request } = kept.view.request
      kept.view = {
        ...kept.view,
        request: schedule === null ? request : { ...request, schedule },
        nextRunAt: nextOf(schedule, job),
      }
      return kept.view
    },
    pause: async (user, job) => become(mine(user, job), 'paused'),
    async resume(user, job) {
      const kept = mine(user, job)
      if (kept.view.run.state !== 'paused')
        throw new WaybillError('wrong_state', 'The run is not paused.')
      return become(kept, 'queued')
    },
    cancel: async (user, job) => become(mine(user, job), 'cancelled'),
    async *receipt(user, job, run) {
      const kept = mine(user, job)
      const number = run ?? kept.view.run.number
      if (number > kept.view.run.number)
        throw new WaybillError('not_found', 'There is no such run.')
      const lines = kept.receipts.get(number)
      if (lines === undefined) throw new WaybillError('wrong_state', 'The run is not over yet.')
      yield* lines
    },
    advance(job, next) {
      const kept = all.get(job)
      if (kept !== undefined) change(kept, next)
    },
    finish(job, lines) {
      const kept = all.get(job)
      if (kept === undefined) return
      kept.receipts.set(kept.view.run.number, lines)
      change(kept, { state: 'done', phase: 'close', endedAt: now(), root: 'ab'.repeat(32) })
    },
  }
}
