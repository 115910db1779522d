import type { ErrorCode } from './errors.ts'
import type { Hashes } from './item.ts'
import type { Totals } from './job.ts'

/** How we know that the copy is what the source holds, strongest first. */
export type Proof =
  | 'both-checksums'
  | 'destination-checksum'
  | 'read-back'
  | 'size-only'
  | 'rewritten-by-provider'

export type Outcome = 'copied' | 'renamed' | 'moved' | 'removed' | 'skipped' | 'failed'

/** One line for each item that a run touched. Belongs to the user: it holds names. */
export interface ReceiptLine {
  readonly source: {
    readonly id: string
    /** The source's own names from the selection down, so that a slash in a name stays part of it. */
    readonly path: readonly string[]
    readonly kind: 'file' | 'folder' | 'document' | 'shortcut'
    readonly version: string
    readonly modifiedAt: string
    readonly hashes: Hashes
  }
  readonly outcome: Outcome
  /** Where the copy is; null where there is none. */
  readonly destination: {
    readonly path: string
    readonly id: string
    readonly version: string
    readonly bytes: number
    readonly hashes: Hashes
  } | null
  readonly proof: Proof | null
  /** Why it was skipped or failed. */
  readonly reason: ErrorCode | null
  /** What differs from the source, in words for people: a changed name, an export's format. */
  readonly notes: readonly string[]
  /** RFC 3339. */
  readonly at: string
}

/** The last line of a receipt. `root` is the RFC 6962 tree hash over the lines before it, in order. */
export interface ReceiptSummary {
  readonly summary: Totals & {
    readonly job: string
    readonly run: number
    readonly lines: number
    readonly unchanged: number
    /** The run whose receipt accounts for what did not change, with its root. */
    readonly since: { readonly run: number; readonly root: string } | null
    readonly root: string
  }
}
