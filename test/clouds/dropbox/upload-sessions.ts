import type { Content } from '../content.ts'
import type { Spool } from './spool.ts'
import { createConcurrentUpload } from './concurrent-upload.ts'
import { createSequentialUpload } from './sequential-upload.ts'

/** Why bytes were not taken, with the tags of Dropbox's append and lookup errors. */
export type AppendError =
  | {
      readonly '.tag':
        | 'not_found'
        | 'closed'
        | 'too_large'
        | 'payload_too_large'
        | 'concurrent_session_invalid_offset'
        | 'concurrent_session_invalid_data_size'
    }
  | { readonly '.tag': 'incorrect_offset'; readonly correct_offset: number }

/** Why a session cannot be saved, with the tags of Dropbox's finish error. */
export type FinishError =
  | {
      readonly '.tag':
        | 'concurrent_session_data_not_allowed'
        | 'concurrent_session_not_closed'
        | 'concurrent_session_missing_data'
    }
  | {
      readonly '.tag': 'lookup_failed'
      readonly lookup_failed: AppendError | { '.tag': 'not_closed' }
    }

/** Bytes that were taken. */
export interface Received {
  readonly length: number
  /** The content hash of these bytes alone. */
  readonly contentHash: () => string
  /** Takes them out again. */
  undo(): void
  /** Makes them count. */
  keep(): void
}

/** What a session has when it is complete. */
export interface Uploaded {
  readonly content: Content
  readonly contentHash: string
}

/** The bytes of one session. Only one call at a time may append to a sequential one. */
export interface Upload {
  readonly kind: 'sequential' | 'concurrent'
  /** Adds bytes at an offset; with `close`, they are the last ones. */
  receive(
    offset: number,
    bytes: AsyncIterable<Buffer>,
    close: boolean,
  ): Promise<Received | { readonly error: AppendError }>
  /** Whether the session can be saved now; `data` tells that the call brings bytes of its own. */
  check(offset: number, data: boolean, mustBeClosed: boolean): FinishError | null
  /** Everything, after `check` found nothing. */
  complete(): Uploaded
  /** Gives back the room of bytes that were not saved. */
  discard(): Promise<void>
}

/** One upload session. */
export interface Session {
  readonly id: string
  /** Null once it was saved to a file: then the session is closed for ever. */
  upload: Upload | null
  /** Waits for its turn in this session; the result gives the turn back. */
  enter(): Promise<() => void>
}

/** The upload sessions of one account. */
export interface UploadSessions {
  start(kind: Upload['kind']): Session
  /** The session, or undefined when there never was one or its life is over. */
  find(id: string): Session | undefined
  /** Forgets a session that no client ever heard of. */
  forget(session: Session): void
  /** How many sessions are neither committed nor over. */
  open(): number
}

/** Where sessions keep bytes, and for how long. */
export interface SessionOptions {
  readonly spool: Spool
  readonly now: () => number
  readonly lifetimeMs: number
  /** Bytes that a file may have. */
  readonly maxFile: number
  readonly newId: () => string
}

/** No sessions yet. */
export function createUploadSessions(options: SessionOptions): UploadSessions {
  const sessions = new Map<string, { session: Session; end: number }>()

  return {
    start(kind) {
      const draft = options.spool.draft()
      const create = kind === 'sequential' ? createSequentialUpload : createConcurrentUpload
      const session: Session = {
        id: options.newId(),
        upload: create(draft, options.maxFile),
        enter: kind === 'sequential' ? createTurns() : () => Promise.resolve(() => {}),
      }
      sessions.set(session.id, { session, end: options.now() + options.lifetimeMs })
      return session
    },
    find(id) {
      const found = sessions.get(id)
      if (found === undefined) return undefined
      if (options.now() < found.end) return found.session
      sessions.delete(id)
      return undefined
    },
    forget: (session) => void sessions.delete(session.id),
    open: () =>
      [...sessions.values()].filter((row) => row.session.upload !== null && options.now() < row.end)
        .length,
  }
}

function createTurns(): () => Promise<() => void> {
  let last: Promise<void> = Promise.resolve()
  return async () => {
    const before = last
    const { promise, resolve } = Promise.withResolvers<void>()
    last = promise
    await before
    return resolve
  }
}
