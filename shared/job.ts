import type { ErrorCode } from './errors.ts'
import type { Schedule } from './schedule.ts'

export type ProviderId = 'google-drive' | 'dropbox'

/**
 * What a job copies: items somebody picked, a folder with all that is in it, or the whole drive.
 *
 * The whole drive also holds what is shared with the person and what lies in no folder, under roots of their own;
 * `sharedDrives` adds every shared drive they are a member of.
 */
export type Selection =
  | { readonly kind: 'items'; readonly ids: readonly string[] }
  | { readonly kind: 'folder'; readonly id: string }
  | { readonly kind: 'drive'; readonly sharedDrives: boolean }

/**
 * A *copy* keeps up with its originals: what changed there replaces its copy. A *backup* never destroys: a copy is replaced
 * only where the destination keeps the version that was there, and many at once only after somebody was asked.
 */
export type JobKind = 'copy' | 'backup'

export interface JobRequest {
  readonly kind: JobKind
  readonly source: { readonly connection: string; readonly selection: Selection }
  /** `folder` is a path from the top of the account, `/Backups/Drive`; it is made where it is missing. */
  readonly destination: { readonly connection: string; readonly folder: string }
  /** When it runs by itself, besides its first run and those that somebody starts. */
  readonly schedule?: Schedule
}

/**
 * A run's states:
 *
 * ```
 * queued ─► running ─► done
 *   │         │ ▲
 *   │         ▼ │
 *   │       paused            (somebody asked, or a reason that a person must mend)
 *   └────┬────┴──────► cancelled
 *        └───────────► failed
 * ```
 */
export type RunState = 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'

const next: Record<RunState, readonly RunState[]> = {
  queued: ['running', 'paused', 'cancelled', 'failed'],
  running: ['paused', 'done', 'cancelled', 'failed'],
  paused: ['queued', 'cancelled'],
  done: [],
  cancelled: [],
  failed: [],
}

/** @returns whether a run may go from one state to the other. */
export function mayBecome(from: RunState, to: RunState): boolean {
  return next[from].includes(to)
}

/** @returns whether the run will never change again. */
export function isOver(state: RunState): boolean {
  return next[state].length === 0
}

/** The step of the life of a run it is in. */
export type RunPhase = 'scan' | 'plan' | 'copy' | 'close'

/** What a run has done so far. Bytes are bytes written at the destination. */
export interface Totals {
  readonly copied: number
  readonly renamed: number
  readonly moved: number
  readonly removed: number
  readonly skipped: number
  readonly failed: number
  readonly bytes: number
}

export const noTotals: Totals = {
  copied: 0,
  renamed: 0,
  moved: 0,
  removed: 0,
  skipped: 0,
  failed: 0,
  bytes: 0,
}

/** @returns the sum of two totals. */
export function addTotals(a: Totals, b: Totals): Totals {
  return {
    copied: a.copied + b.copied,
    renamed: a.renamed + b.renamed,
    moved: a.moved + b.moved,
    removed: a.removed + b.removed,
    skipped: a.skipped + b.skipped,
    failed: a.failed + b.failed,
    bytes: a.bytes + b.bytes,
  }
}

export interface RunProgress {
  readonly run: string
  readonly number: number
  readonly state: RunState
  readonly phase: RunPhase
  /** Items seen so far by the scan. */
  readonly scanned: number
  /** Items and bytes that the plan intends to carry; they grow until the plan is complete. */
  readonly plannedItems: number
  readonly plannedBytes: number
  /** Bytes that the destination has taken so far, parts of unfinished files among them. */
  readonly sentBytes: number
  /** Items that an earlier run carried and that have not changed since. */
  readonly unchanged: number
  readonly totals: Totals
  /** Why it waits or failed. */
  readonly reason: ErrorCode | null
  /** When it goes on by itself, RFC 3339; null if somebody must act. */
  readonly resumesAt: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  /** Merkle root over the receipt's lines, hex; null until the run is over. */
  readonly root: string | null
}
