import { WaybillError, asWaybillError } from '../../shared/errors.ts'
import type { Hashes } from '../../shared/item.ts'
import type { Result, Session } from '../clouds/cloud.ts'
import type { Work } from '../plan/work.ts'
import { commitAll } from './commit-all.ts'
import type { Closed } from './commit-all.ts'
import { concernsItem, notCarried } from './outcome.ts'
import type { Tree } from '../plan/tree.ts'
import { record } from './record.ts'
import type { Settled } from './record.ts'
import type { Intent } from '../records/transfers.ts'
import type { Row } from '../records/row.ts'

/** An item whose bytes were read and compared, on its way to becoming a file. */
export interface Carried {
  readonly row: Row
  readonly size: number
  readonly hashes: Hashes
  /** Bytes of it that the run has counted as sent; none of an item that was sent at once. */
  readonly counted?: number
}

/** Commits in one record: with the receipt's pages and the run that is what one transaction takes. */
const COMMITS_AT_ONCE = 400
/** Small bodies are sent when this many bytes wait. */
const STAGE_BYTES = 4 * 1024 * 1024
const STAGES_AT_ONCE = 2
/** What is committed is recorded while the next batch is on its way to the provider, or else once this time is over. */
const LONGEST_UNRECORDED_MS = 500
/** Closed sessions wait no longer than this for company, so that a killed worker has little to do again. */
const LONGEST_WAIT_MS = 10_000

/**
 * Where carried items wait to be sent and committed together. Providers serialise the commits of one account, so there
 * is one lane: while one commit is under way, the next fills.
 */
export interface CommitLane {
  /** Takes a small body, which is sent together with others. Waits while too many are on their way. */
  stage(carried: Carried, bytes: Uint8Array): Promise<void>
  /** Takes a session that already holds the item's bytes. */
  add(closed: Closed): Promise<void>
  /** Takes the end of an item that was not carried. */
  settle(settled: Settled): Promise<void>
  /** Sends and commits what has waited for too long; to be called now and then while nothing else comes. */
  tend(): Promise<void>
  /** Sends, commits and records everything it has taken. Throws what went wrong with the run. */
  flush(): Promise<void>
  /** Resolves once nothing is on its way any more, whatever became of it. */
  idle(): Promise<void>
}

/**
 * @param intents what earlier workers of this run were about to commit, by source id
 * @param redo called for an item whose session is lost: it has to be carried again
 * @param fail called once, with the error that ends the slice
 */
export function createCommitLane(
  work: Work,
  tree: Tree,
  options: {
    /** How many items are likely to come. */
    readonly expected: number
    readonly intents: ReadonlyMap<string, readonly Intent[]>
    readonly redo: (row: Row) => void
    readonly fail: (error: unknown) => void
  },
): CommitLane {
  const { destination } = work
  const limit = destination.capabilities.stage
  let waiting: { readonly carried: Carried; readonly bytes: Uint8Array }[] = []
  let waitingBytes = 0
  let closed: Closed[] = []
  let ended: Settled[] = []
  let oldest = 0
  let { expected } = options
  let failed: Error | null = null
  let committing: Promise<void> = Promise.resolve()
  let committed: {
    readonly settled: readonly Settled[]
    readonly transfers: readonly string[]
  } | null = null
  let recording: Promise<void> = Promise.resolve()
  let committedAt = 0
  const stages = new Set<Promise<void>>()

  const failWith = (error: unknown): void => {
    if (failed === null) options.fail(error)
    failed ??= error instanceof Error ? error : asWaybillError(error)
  }
  const guard = async (act: () => Promise<void>): Promise<void> => {
    try {
      if (failed === null) await act()
    } catch (error) {
      failWith(error)
    }
  }
  const stopIfFailed = (): void => {
    if (failed !== null) throw failed
  }

  const recordCommitted = async (): Promise<void> => {
    // Whatever else has failed: these are at the destination.
    if (committed !== null) {
      const { settled, transfers } = committed
      committed = null
      recording = record(work, tree, settled, { transfers }).catch(failWith)
    }
    await recording
  }

  const recordOverdue = async (): Promise<void> => {
    if (committed !== null && work.now() - committedAt > LONGEST_UNRECORDED_MS)
      await recordCommitted()
  }

  const commit = (): void => {
    const batch = closed.splice(0, COMMITS_AT_ONCE)
    const others = ended.splice(0)
    oldest = work.now()
    committing = committing.then(async () =>
      guard(async () => {
        const { settled, transfers, failure } = await commitAll(work, tree, batch, {
          ...options,
          meanwhile: () => void recordCommitted(),
        })
        await recordCommitted()
        committed = { settled: [...settled, ...others], transfers }
        committedAt = work.now()
        if (failure === null) return
        await recordCommitted()
        throw failure
      }),
    )
  }

  const isEmpty = (): boolean => waiting.length + closed.length + ended.length === 0

  const add = async (one: Closed): Promise<void> => {
    if (isEmpty()) oldest = work.now()
    closed.push(one)
    if (closed.length >= COMMITS_AT_ONCE || work.now() - oldest > LONGEST_WAIT_MS) {
      // One lane: whoever fills the next batch waits for the last.
      await committing
      if (closed.length >= COMMITS_AT_ONCE || work.now() - oldest > LONGEST_WAIT_MS) commit()
    }
  }

  const sendWaiting = (): void => {
    const batch = waiting
    if (batch.length === 0) return
    waiting = []
    waitingBytes = 0
    expected = Math.max(0, expected - batch.length)
    const ahead = expected
    const stage = guard(async () => {
      const results = await sendBodies(
        work,
        batch.map(({ bytes }) => bytes),
        ahead,
      )
      for (const [index, { carried }] of batch.entries()) {
        const result = results[index]
        if (result === undefined) throw new WaybillError('internal', 'A body has no result.')
        if ('ok' in result) await add({ carried, session: result.ok })
        else if (concernsItem(result.error.code))
          ended.push(notCarried(carried.row, result.error.code))
        else throw result.error
      }
    }).finally(() => stages.delete(stage))
    stages.add(stage)
  }

  return {
    stage: async (carried, bytes) => {
      stopIfFailed()
      const full =
        limit !== null &&
        (waiting.length >= limit.bodies ||
          waitingBytes + bytes.length > Math.min(limit.bytes, STAGE_BYTES))
      if (full || limit === null) sendWaiting()
      if (isEmpty()) oldest = work.now()
      waiting.push({ carried, bytes })
      waitingBytes += bytes.length
      if (limit !== null && waiting.length >= limit.bodies) sendWaiting()
      while (stages.size >= STAGES_AT_ONCE) await Promise.race(stages)
      await recordOverdue()
      stopIfFailed()
    },
    add: async (one) => {
      stopIfFailed()
      await add(one)
      stopIfFailed()
    },
    settle: async (settled) => {
      stopIfFailed()
      if (isEmpty()) oldest = work.now()
      ended.push(settled)
      if (ended.length >= COMMITS_AT_ONCE / 2) commit()
      await committing
      stopIfFailed()
    },
    tend: async () => {
      stopIfFailed()
      await recordOverdue()
      if (isEmpty() || work.now() - oldest <= LONGEST_WAIT_MS) return
      sendWaiting()
      await Promise.all(stages)
      if (closed.length > 0 || ended.length > 0) commit()
    },
    flush: async () => {
      sendWaiting()
      await Promise.all(stages)
      while (closed.length > 0 || ended.length > 0) {
        commit()
        await committing
        stopIfFailed()
      }
      await committing
      await recordCommitted()
      stopIfFailed()
    },
    idle: async () => {
      await Promise.all(stages)
      await committing
      await recordCommitted()
    },
  }
}

async function sendBodies(
  work: Work,
  bodies: readonly Uint8Array[],
  ahead: number,
): Promise<readonly Result<Session>[]> {
  const { destination } = work
  if (destination.stage !== undefined) return destination.stage(bodies, ahead)
  const results: Result<Session>[] = []
  for (const bytes of bodies) results.push({ ok: await destination.begin(bytes, true) })
  return results
}
