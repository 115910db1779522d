import type { Destination, Source } from '../clouds/cloud.ts'
import type { JobRows } from '../records/job-rows.ts'
import type { Job } from '../records/jobs.ts'
import type { Owners } from '../records/owner.ts'
import type { Receipt } from '../records/receipts.ts'
import type { Lease } from '../records/runs.ts'
import type { Store } from '../store/store.ts'

/** What a slice works with. */
export interface Work {
  readonly store: Store
  readonly owners: Owners
  readonly lease: Lease
  readonly job: Job
  readonly rows: JobRows
  readonly receipt: Receipt
  /** Number of the run within its job. */
  readonly number: number
  readonly source: Source
  readonly destination: Destination
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Lets timers and the network have their turn: a store may answer without ever waiting. */
  readonly turn: () => Promise<void>
  /** Aborts when the lease is lost or the process is to end. */
  readonly signal: AbortSignal
  /** When the slice should hand over, in milliseconds since 1970. */
  readonly until: number
}

/** How a phase ended: there is nothing more to do in it, or the slice's time is up. */
export type Progress = 'finished' | 'time-is-up'

/** @returns whether the slice should hand over now. Throws what the signal was aborted with. */
export function isTimeUp(work: Pick<Work, 'signal' | 'now' | 'until'>): boolean {
  work.signal.throwIfAborted()
  return work.now() >= work.until
}
