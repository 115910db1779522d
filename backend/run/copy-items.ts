import pLimit from 'p-limit'
import type { LimitFunction } from 'p-limit'
import { WaybillError } from '../../shared/errors.ts'
import { nameOf } from '../plan/claim-name.ts'
import type { Tree } from '../plan/tree.ts'
import { isTimeUp } from '../plan/work.ts'
import type { Progress, Work } from '../plan/work.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { readRun, runId } from '../records/runs.ts'
import { openIntents } from '../records/transfers.ts'
import type { Intent } from '../records/transfers.ts'
import { carryLarge, chunkBytes, forget, savedUpload } from './carry-large.ts'
import { createCommitLane } from './commit-lane.ts'
import type { CommitLane } from './commit-lane.ts'
import { concernsItem, notCarried, notesOn, proofOf } from './outcome.ts'
import { readWhole } from './read-item.ts'
import type { TooLong } from './read-item.ts'
import { record } from './record.ts'

/** Items in the works at once. Small ones are held whole; of the large ones only a few at a time, two chunks each. */
const ITEMS_AT_ONCE = 16
const LARGE_AT_ONCE = 3
const SMALL_BYTES = 1024 * 1024
/** Failures in a row of what may pass before the provider, not the item, is taken to be the trouble. */
const STRIKES = 4
const ATTEMPTS = 3
const PATIENT_SLICES = 3

/**
 * The third step of a run: carries the bytes of every item that the plan wants copied, many at once, and records each
 * once it is verified. Goes on until nothing is left or the slice's time is up.
 */
export async function copyItems(outer: Work, tree: Tree): Promise<Progress> {
  const stop = new AbortController()
  const work: Work = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  const owner = await work.owners.of(work.job.user)
  const intents = new Map<string, readonly Intent[]>()
  // Also those of the run before: unless it was done, it may have ended in the middle of a commit.
  for (const run of [work.lease.run, runId(work.job.id, work.number - 1)]) {
    const found = await openIntents(work.store, owner, run)
    for (const [id, some] of found.intents) intents.set(id, [...(intents.get(id) ?? []), ...some])
  }
  const { plannedItems, lines, attempts: slices } = await readRun(work.store, work.lease.run)
  const attempts = new Map<string, number>()
  const state: Copying = {
    work,
    tree,
    intents,
    attempts,
    strikes: 0,
    slices,
    large: pLimit(LARGE_AT_ONCE),
    fail: (error) => stop.abort(error),
  }
  const lane = createCommitLane(work, tree, {
    expected: Math.max(0, plannedItems - lines),
    intents,
    redo: (row) => attempts.set(row.item.id, (attempts.get(row.item.id) ?? 0) + 1),
    fail: state.fail,
  })
  try {
    for (;;) {
      const carried = await onePass(state, lane)
      await lane.flush()
      if (isTimeUp(work)) return 'time-is-up'
      if (carried === 0) return 'finished'
    }
  } catch (error) {
    stop.abort(error)
    // What is on its way lands, and is recorded while this worker may.
    await lane.idle()
    throw error
  }
}

interface Copying {
  readonly work: Work
  readonly tree: Tree
  readonly intents: ReadonlyMap<string, readonly Intent[]>
  /** How often an item was begun in vain in this slice. */
  readonly attempts: Map<string, number>
  strikes: number
  /** Slices in a row before this one that ended because of something that may pass. */
  readonly slices: number
  /** Ends the slice for all workers. */
  readonly fail: (error: unknown) => void
  readonly large: LimitFunction
}

/** Goes once through what is to be copied; returns how many items there were. */
async function onePass(state: Copying, lane: CommitLane): Promise<number> {
  const { work } = state
  const rows = rowsToCopy(work)
  let count = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      if (isTimeUp(work)) return
      const next = await rows.next()
      if (next.done === true) return
      count += 1
      // The others need not find out by themselves.
      await carry(state, lane, next.value).catch((error: unknown) => {
        state.fail(error)
        throw error
      })
    }
  }
  const workers = Array.from({ length: ITEMS_AT_ONCE }, async () => worker())
  const results = await Promise.allSettled(workers)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return count
}

/** Async generators queue their callers, so that many workers can pull from this one. */
async function* rowsToCopy(work: Work): AsyncGenerator<Row> {
  for await (const rows of work.rows.pages('copy')) yield* rows
}

async function carry(state: Copying, lane: CommitLane, row: Row): Promise<void> {
  const { work, tree, attempts } = state
  const begun = attempts.get(row.item.id) ?? 0
  if (begun >= ATTEMPTS) {
    await lane.settle(notCarried(row, 'unavailable'))
    return
  }
  // Its folder could not be made: the next run tries both.
  if (row.parentId === null || (await tree.where(row.parentId)) === null) {
    await lane.settle(notCarried(row, 'name_taken'))
    return
  }
  try {
    if (await adopted(state, lane, row)) return
    await send(state, lane, row)
    state.strikes = 0
  } catch (error) {
    work.signal.throwIfAborted()
    if (!(error instanceof WaybillError)) throw error
    if (error.code === 'export_too_large' || error.code === 'not_exportable')
      await nextForm(state, lane, row, error)
    else if (concernsItem(error.code)) await lane.settle(notCarried(row, error.code))
    else if (error.code === 'session_lost') {
      attempts.set(row.item.id, begun + 1)
      await forget(work, row)
    } else if (error.code === 'unavailable' && (await isItsOwn(state, row)))
      attempts.set(row.item.id, begun + 1)
    else throw error
  }
}

/**
 * @returns whether it is this item that cannot be had at the moment, rather than its provider. After some slices in vain,
 *   a provider that answers everything else is up: otherwise two such items would keep the run from ever ending.
 */
async function isItsOwn(state: Copying, row: Row): Promise<boolean> {
  const { work, slices } = state
  state.strikes += 1
  if (state.strikes < STRIKES) return true
  if (slices < PATIENT_SLICES) return false
  await work.source.get(row.item.id)
  await work.destination.account()
  return true
}

async function send(state: Copying, lane: CommitLane, row: Row): Promise<void> {
  const { work, large } = state
  const { item, form } = row
  const { source, destination, signal } = work
  if (item.kind === 'file' && (item.size ?? Infinity) > SMALL_BYTES) {
    await large(async () => sendLarge(work, lane, row))
    return
  }
  const limit = Math.min(SMALL_BYTES, destination.capabilities.stage?.bytes ?? SMALL_BYTES)
  const read = await readWhole(source, item, {
    form,
    limit,
    destinationHashes: destination.capabilities.hashes,
    signal,
  })
  if ('grown' in read) {
    const grown = rewrite(row, { item: read.grown })
    await large(async () => sendLarge(work, lane, grown))
  } else if ('head' in read) {
    try {
      await large(async () => sendLarge(work, lane, row, read))
    } finally {
      read.reader.close()
    }
  } else {
    const carried = {
      row: read.item === item ? row : rewrite(row, { item: read.item }),
      size: read.bytes.length,
      hashes: read.hashes,
    }
    await lane.stage(carried, read.bytes)
  }
}

async function sendLarge(work: Work, lane: CommitLane, row: Row, begun?: TooLong): Promise<void> {
  const afterChunk = async (): Promise<void> => lane.tend()
  const options = begun === undefined ? { afterChunk } : { begun, afterChunk }
  const sent = await carryLarge(work, row, options)
  if (sent !== 'later') await lane.add(sent)
}

/**
 * An earlier worker of this run was about to commit this item when it ended. If the copy is there, it is ours.
 */
async function adopted(state: Copying, lane: CommitLane, row: Row): Promise<boolean> {
  const { work, tree, intents } = state
  const ours = (intents.get(row.item.id) ?? []).filter((each) => each.version === row.item.version)
  if (ours.length === 0 || row.parentId === null) return false
  const parent = await tree.where(row.parentId)
  if (parent === null) return false
  const name = nameOf(row, work.destination.capabilities.names)
  const there = await work.destination.find({ parent, name })
  if (there === null || !('file' in there)) return false
  const { id, version, bytes, hashes } = there.file
  if (
    hashes.contentHash === undefined ||
    !ours.some((each) => each.contentHash === hashes.contentHash)
  )
    return false
  const upload = bytes > chunkBytes ? await savedUpload(work, row) : null
  await lane.settle({
    row: rewrite(row, {
      todo: 'settled',
      copy: { id, version, bytes, hashes },
      placed: { parentId: row.parentId, name },
      carried: row.item.version,
      reason: null,
    }),
    outcome: 'copied',
    reason: null,
    proof: proofOf(row.item, true),
    notes: notesOn(row, work.destination.capabilities.names),
    bytes,
    counted: upload?.counted ?? 0,
  })
  return true
}

/** A form that cannot be had is followed by the next one, which has another name: the item is planned again. */
async function nextForm(
  state: Copying,
  lane: CommitLane,
  row: Row,
  error: WaybillError,
): Promise<void> {
  const { work, tree } = state
  if (row.form + 1 >= row.item.exports.length) await lane.settle(notCarried(row, error.code))
  else await record(work, tree, [], { rows: [rewrite(row, { form: row.form + 1, todo: 'file' })] })
}
