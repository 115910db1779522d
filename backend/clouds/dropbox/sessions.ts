import type { Result, Session } from '../cloud.ts'
import { contentHash } from '../content-hash.ts'
import { strangeAnswer } from '../http-errors.ts'
import { member } from '../json.ts'
import type { Ask } from './client.ts'
import { headerSafe } from './content.ts'
import type { DropboxContent } from './content.ts'
import { entryError } from './errors.ts'

/** Most sessions that one call opens. */
const mostAtOnce = 1000

/** Dropbox keeps a session for seven days after it was opened; one that is a day old is given up. */
const freshMs = 24 * 3600 * 1000

/** Longest header that is sent: what the strictest of common proxies takes for one line. */
const longestHeader = 8 * 1024

/** Most bytes of one request. */
export const largestRequest = 150 * 1024 * 1024

/** How many bodies one append_batch takes: as many as fit into its header. */
export const bodiesPerBatch = Math.floor(
  (longestHeader - envelope().length) / (headerSafe(entry(exampleId(), largestRequest)).length + 1),
)

export interface StagingOptions {
  readonly ask: Ask
  readonly content: DropboxContent
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Small bodies into sessions, many with each call: sessions are opened ahead, and filled and closed by append_batch.
 *
 * @returns `stage` of the destination
 */
export function createStaging({ ask, content, now }: StagingOptions) {
  const take = createPool(async (count) => {
    const { session_ids: ids } = await ask('session', (api) =>
      api.filesUploadSessionStartBatch({ num_sessions: count }),
    )
    if (!Array.isArray(ids) || ids.length !== count) throw strangeAnswer()
    return ids
  }, now)

  async function append(
    ids: readonly string[],
    bodies: readonly Uint8Array[],
  ): Promise<readonly Result<Session>[]> {
    const answer = await content.upload(
      'upload_session/append_batch',
      {
        entries: ids.map((id, at) => entry(id, bodies[at]?.byteLength ?? 0)),
        // Over all the bodies of the call, one behind the other: with it, Dropbox refuses damaged bytes.
        content_hash: contentHash(...bodies),
      },
      bodies,
    )
    const { entries } = answer
    if (!Array.isArray(entries) || entries.length !== ids.length) throw strangeAnswer()
    return ids.map((id, at) =>
      member(entries[at], '.tag') === 'success'
        ? { ok: id }
        : { error: entryError('session', member(entries[at], 'failure')) },
    )
  }

  return async (bodies: readonly Uint8Array[], ahead = 0): Promise<readonly Result<Session>[]> => {
    const ids = await take(bodies.length, ahead)
    const results: Result<Session>[] = []
    // Usually once: twice if Dropbox's ids became longer than they are known to be.
    for (let from = 0; from < ids.length;) {
      const to = from + howManyFit(ids.slice(from), bodies.slice(from))
      // One header limit, one connection: the second call is no faster beside the first.
      // oxlint-disable-next-line no-await-in-loop
      results.push(...(await append(ids.slice(from, to), bodies.slice(from, to))))
      from = to
    }
    return results
  }
}

/** Gives out opened sessions; opens more than are asked for where the caller says that it will need them. */
function createPool(open: (count: number) => Promise<readonly string[]>, now: () => number) {
  let free: { readonly id: string; readonly openedAt: number }[] = []
  let opening: Promise<void> | null = null

  async function refill(count: number): Promise<void> {
    const openedAt = now()
    const ids = await open(Math.min(count, mostAtOnce))
    free.push(...ids.map((id) => ({ id, openedAt })))
  }

  return async (count: number, ahead: number): Promise<readonly string[]> => {
    for (;;) {
      free = free.filter(({ openedAt }) => now() - openedAt < freshMs)
      if (free.length >= count) return free.splice(0, count).map(({ id }) => id)
      // One at a time: who comes meanwhile waits, and finds what the first has left.
      opening ??= refill(count + ahead - free.length).finally(() => {
        opening = null
      })
      // oxlint-disable-next-line no-await-in-loop
      await opening
    }
  }
}

function entry(id: string, length: number) {
  return { cursor: { session_id: id, offset: 0 }, length, close: true }
}

function howManyFit(ids: readonly string[], bodies: readonly Uint8Array[]): number {
  let room = longestHeader - envelope().length
  const fitting = ids.findIndex((id, at) => {
    room -= headerSafe(entry(id, bodies[at]?.byteLength ?? 0)).length + 1
    return room < 0
  })
  return fitting === -1 ? ids.length : Math.max(1, fitting)
}

function envelope(): string {
  return headerSafe({ entries: [], content_hash: '0'.repeat(64) })
}

function exampleId(): string {
  // As long as the example in Dropbox's specification.
  return 'pid_upload_session:'.padEnd(69, 'x')
}
