import type { JobRequest, RunProgress } from '../../shared/job.ts'
import type { Schedule } from '../../shared/schedule.ts'

/** A job as its owner sees it. */
export interface JobView {
  readonly id: string
  readonly createdAt: string
  readonly request: JobRequest
  /** When it runs by itself next, RFC 3339; null without a schedule. */
  readonly nextRunAt: string | null
  /** The newest run. */
  readonly run: RunProgress
}

/**
 * What a person can do with their jobs. Somebody else's job is `not_found`, as is one that never was; an act that the
 * run's state does not allow is `wrong_state`.
 */
export interface Jobs {
  /** Creates a job and starts its first run. Throws `not_found` for an unknown connection. */
  create(user: string, request: JobRequest): Promise<JobView>
  /** Newest last; `after` is the last id of the page before. */
  list(
    user: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<{ readonly jobs: readonly JobView[]; readonly next: string | null }>
  get(user: string, job: string): Promise<JobView>
  /**
   * The job as soon as its newest run differs from how it was when asked, or is over, or after `waitMs` milliseconds.
   */
  wait(user: string, job: string, waitMs: number, signal?: AbortSignal): Promise<JobView>
  /** Starts the next, incremental run; `wrong_state` while one is not over. */
  again(user: string, job: string): Promise<JobView>
  /** Gives the job another schedule, or with null none; a run under way goes on. */
  schedule(user: string, job: string, schedule: Schedule | null): Promise<JobView>
  pause(user: string, job: string): Promise<JobView>
  resume(user: string, job: string): Promise<JobView>
  cancel(user: string, job: string): Promise<JobView>
  /** The receipt's lines as JSON texts without line ends, the summary last; `wrong_state` while the run is not over. */
  receipt(user: string, job: string, run?: number): AsyncIterable<string>
}
