import type { Corpus, Folder, Listing } from '../clouds/cloud.ts'
import type { Run } from '../records/runs.ts'
import type { Owner } from '../records/owner.ts'

/** What a run needs to go on with its scan, whoever takes the next slice. */
export interface Checkpoint {
  /** Whether the change tokens have been taken and the roots written down. */
  readonly begun: boolean
  /** For each corpus, where the next run's changes begin: they count only once this run is done. */
  readonly tokens: Readonly<Record<string, string>>
  /** Corpora that are still to be listed, the first of them perhaps in part. */
  readonly corpora: readonly Corpus[]
  /** Corpora whose changes are still to be read. */
  readonly changed: readonly string[]
  /** The listing under way. */
  readonly listing: {
    readonly what: Listing
    readonly cursor: string | null
    /** How often it began again because its cursor was refused. */
    readonly restarts?: number
  } | null
  /** The destination folder and where its own changes go on. */
  readonly folder: Folder | null
  readonly cursor: string | null
  /** Whether the destination's changes since the last run have been read. */
  readonly looked: boolean
  /** Whether what failed in the last run has been taken up again. */
  readonly retaken: boolean
}

export const freshCheckpoint: Checkpoint = {
  begun: false,
  tokens: {},
  corpora: [],
  changed: [],
  listing: null,
  folder: null,
  cursor: null,
  looked: false,
  retaken: false,
}

/** @returns the checkpoint sealed in the run, or a fresh one. */
export function checkpointOf(owner: Owner, run: Run): Checkpoint {
  if (run.checkpoint === null) return freshCheckpoint
  return owner.open<Checkpoint>('runs', run.id, run.checkpoint)
}

/** @returns the sealed checkpoint. */
export function sealCheckpoint(owner: Owner, run: string, checkpoint: Checkpoint): Uint8Array {
  return owner.seal('runs', run, checkpoint)
}
