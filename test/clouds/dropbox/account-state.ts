import type { Spool } from './spool.ts'
import { createTree } from './tree.ts'
import type { Tree } from './tree.ts'
import { createUploadSessions } from './upload-sessions.ts'
import type { UploadSessions } from './upload-sessions.ts'
import { createWriteLock } from './write-lock.ts'
import type { WriteLock } from './write-lock.ts'
import { opaqueId } from '../random.ts'

/** Everything that one Dropbox account has. */
export interface AccountState {
  readonly id: string
  readonly email: string
  /** The id of the namespace that holds the account's files. */
  readonly namespace: string
  readonly tree: Tree
  readonly sessions: UploadSessions
  readonly lock: WriteLock
  /** Asynchronous jobs by id: what they came to, and how often they still say `in_progress`. */
  readonly jobs: Map<string, { readonly result: object; checks: number }>
  /** Bytes that the account may use. */
  allocated: number
  /** Counts up when all cursors become invalid. */
  generation: number
}

/** The limits of the service, settable so that tests need no gigabytes. */
export interface Limits {
  /** Bytes that one request may carry. */
  readonly request: number
  /** Bytes that a file may have. */
  readonly file: number
  /** Milliseconds for which an upload session can be used. */
  readonly sessionLifeMs: number
  /** Bytes of header lines, the request line included. Node itself stops at its own limit of 16 KiB. */
  readonly headers: number
  /** Entries of a page when the client does not say. */
  readonly page: number
  /** Calls of one account in any 60 seconds. */
  readonly callsPerMinute: number
  /** Folders in one batch from which on it becomes an asynchronous job. */
  readonly asyncFolders: number
  /** How often an asynchronous job says `in_progress`. */
  readonly jobChecks: number
  /** Milliseconds for which a write holds the namespace … */
  readonly writeMs: number
  /** … and what each entry of a batch adds to it. */
  readonly writeEntryMs: number
}

/** What an account is created from. */
export interface AccountOptions {
  readonly id: string
  readonly email: string
  readonly namespace: string
  readonly seed: string | number
  readonly spool: Spool
  readonly now: () => number
  readonly limits: Limits
  readonly allocated: number
}

/** An empty account. */
export function createAccountState(options: AccountOptions): AccountState {
  const { id, email, namespace, seed, spool, now, limits } = options
  let entries = 0
  let sessions = 0
  return {
    id,
    email,
    namespace,
    tree: createTree(() => `id:${opaqueId(`${seed} ${id} entry ${++entries}`, 22)}`),
    sessions: createUploadSessions({
      spool,
      now,
      lifetimeMs: limits.sessionLifeMs,
      maxFile: limits.file,
      newId: () => {
        // As long as the real ones: many of them in one header meet its limit as soon.
        const start = `${seed} ${id} session ${++sessions}`
        return `pid_upload_session:${opaqueId(start, 43)}${opaqueId(`${start} end`, 7)}`
      },
    }),
    lock: createWriteLock(),
    jobs: new Map(),
    allocated: options.allocated,
    generation: 1,
  }
}

/** A moment in whole seconds, as Dropbox writes it. */
export function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}
