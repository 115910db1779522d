import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Item } from '../../shared/item.ts'
import type { Listing, Page } from '../clouds/cloud.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'
import { beginScan } from './begin-scan.ts'
import { checkpointOf, sealCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { keepRows } from './keep-rows.ts'
import { readChanges, retakeUnfinished } from './read-changes.ts'
import { readDestination } from './read-destination.ts'
import { merge } from './merge-items.ts'
import { readAhead } from './read-ahead.ts'
import { topOf } from './roots.ts'
import { createTree } from './tree.ts'
import { isTimeUp } from './work.ts'
import type { Progress, Work } from './work.ts'

/** A listing that says that it is incomplete is asked again this often before the run waits. */
const LISTING_ATTEMPTS = 3
/** Likewise one that cannot be gone on with, from its start. */
const RESTARTS = 3

/** What the scan remembers between its steps, and how it writes down what it has seen. */
export interface Scan {
  readonly work: Work
  checkpoint: Checkpoint
  /**
   * Keeps rows and the checkpoint; `seen` items were looked at. Without either nothing is written yet: whoever has to
   * repeat such a step finds the same.
   */
  save(rows: readonly Row[], seen: number, checkpoint: Checkpoint): Promise<void>
  /** Keeps the checkpoint at once. */
  saveNow(checkpoint: Checkpoint): Promise<void>
}

/**
 * The first step of a run: brings the ledger up to what the source holds now. A first run lists; later runs read the
 * changes since, take up what failed before and list the folders that came in.
 *
 * @returns the checkpoint, to be kept when the next phase begins, and whether the slice's time is up
 */
export async function scan(
  outer: Work,
  run: Run,
): Promise<{ readonly progress: Progress; readonly checkpoint: Checkpoint }> {
  const { source } = outer
  const list = readAhead(async (what, cursor) => source.list(what, cursor))
  const work = { ...outer, source: { ...source, list } }
  const owner = await work.owners.of(work.job.user)
  const state: Scan = {
    work,
    checkpoint: checkpointOf(owner, run),
    save: async (rows, seen, checkpoint) => {
      if (rows.length + seen > 0) await saveRows(work, rows, seen, checkpoint)
      state.checkpoint = checkpoint
    },
    saveNow: async (checkpoint) => {
      await saveRows(work, [], 0, checkpoint)
      state.checkpoint = checkpoint
    },
  }
  if (!state.checkpoint.begun) await beginScan(state)
  const tree = createTree(work.rows, topOf(selectionOf(work)), state.checkpoint.folder)
  for (;;) {
    const { checkpoint } = state
    if (isTimeUp(work)) return { progress: 'time-is-up', checkpoint }
    await work.turn()
    if (!checkpoint.looked) await readDestination(state, tree)
    else if (!checkpoint.retaken) await retakeUnfinished(state)
    else if (checkpoint.changed[0] !== undefined)
      await readChanges(state, tree, checkpoint.changed[0])
    else if (checkpoint.listing !== null) await readPage(state)
    else if (!(await nextListing(state))) return { progress: 'finished', checkpoint }
  }
}

function selectionOf(work: Work) {
  return work.job.request.source.selection
}

async function saveRows(
  work: Work,
  rows: readonly Row[],
  seen: number,
  checkpoint: Checkpoint,
): Promise<void> {
  const { store, owners, job, lease } = work
  if (rows.length > 1 && !work.rows.fit(rows)) {
    const middle = Math.ceil(rows.length / 2)
    // The page counts as read only once all of it is kept.
    await keepRows(work, rows.slice(0, middle))
    await saveRows(work, rows.slice(middle), seen, checkpoint)
    return
  }
  const owner = await owners.of(job.user)
  await work.rows.keep({ rows }, async (write) =>
    underLease(store, lease, (run, transaction) => {
      write(transaction)
      return { scanned: run.scanned + seen, checkpoint: sealCheckpoint(owner, run.id, checkpoint) }
    }),
  )
}

/** Chooses what to list next: a corpus, or the folders whose children are not known yet. */
async function nextListing(scanState: Scan): Promise<boolean> {
  const { work, checkpoint } = scanState
  const [corpus] = checkpoint.corpora
  if (corpus !== undefined) {
    const listing = { what: { kind: 'corpus' as const, corpus: corpus.id }, cursor: null }
    await scanState.save([], 0, { ...checkpoint, listing })
    return true
  }
  const waiting = await work.rows.first('list')
  const folders = waiting.slice(0, work.source.capabilities.foldersPerListing)
  if (folders.length === 0) return false
  const listing = {
    what: { kind: 'children' as const, of: folders.map((row) => row.item.id) },
    cursor: null,
  }
  await scanState.save([], 0, { ...checkpoint, listing })
  return true
}

async function readPage(scanState: Scan): Promise<void> {
  const { work, checkpoint } = scanState
  const { listing } = checkpoint
  if (listing === null) return
  const page = await completePage(work, listing).catch((error: unknown) => {
    if (listing.what.kind === 'children' && hasCode(error, 'gone')) return 'gone' as const
    throw error
  })
  if (page === 'gone') {
    // One of them is gone, and the provider does not say which.
    const of = listing.what.kind === 'children' ? listing.what.of : []
    await settleListing(scanState, await listOneByOne(work, of))
    return
  }
  if (page === null) {
    // The cursor was refused: once more from the start. What comes twice is told apart by its id.
    const restarts = (listing.restarts ?? 0) + 1
    const isEnough = restarts > RESTARTS
    await scanState.saveNow({
      ...checkpoint,
      listing: { ...listing, cursor: null, restarts: isEnough ? 0 : restarts },
    })
    if (isEnough) throw unending()
    return
  }
  const items = page.items
  // Drive sometimes answers a query for many parents with nothing at all: https://issuetracker.google.com/149522397
  if (
    items.length === 0 &&
    listing.what.kind === 'children' &&
    listing.what.of.length > 1 &&
    listing.cursor === null
  ) {
    const single = await listOneByOne(work, listing.what.of)
    await settleListing(scanState, single)
    return
  }
  if (page.cursor === null) {
    await settleListing(scanState, items)
    return
  }
  const rows = await merge(work.rows, selectionOf(work), items, runOf(work, listing.what))
  await scanState.save(rows, items.length, {
    ...checkpoint,
    listing: { ...listing, cursor: page.cursor },
  })
}

/** Keeps the last items of a listing and ends it. */
async function settleListing(scanState: Scan, items: readonly Item[]): Promise<void> {
  const { work, checkpoint } = scanState
  const what = checkpoint.listing?.what
  if (what === undefined) return
  const rows = await merge(work.rows, selectionOf(work), items, runOf(work, what))
  if (what.kind === 'corpus') {
    await scanState.save(rows, items.length, {
      ...checkpoint,
      corpora: checkpoint.corpora.slice(1),
      listing: null,
    })
    return
  }
  const listed = (await work.rows.rows(what.of)).filter((row) => row !== null)
  const found = new Map(rows.map((row) => [row.item.id, row]))
  const listedNow = listed.map((row) => {
    // One of them may have been found in another: as it is there, it is the newest.
    const newest = found.get(row.item.id) ?? row
    found.delete(row.item.id)
    const todo = newest.lined === -1 ? 'settled' : 'folder'
    return rewrite(newest, { todo, listed: work.number })
  })
  // The listed folders last: should the rows take several transactions, a folder no longer waits to be listed only once
  // all that was found in it is kept.
  const inOrder = [...found.values(), ...listedNow]
  await scanState.save(inOrder, items.length, { ...checkpoint, listing: null })
}

/** @returns the run, if it has to look into the folders that this listing finds. */
function runOf(work: Work, what: Listing): number | null {
  return what.kind === 'children' ? work.number : null
}

/** @returns the page, or null if its cursor was refused. Throws `incomplete_listing` if it stays incomplete. */
async function completePage(work: Work, listing: NonNullable<Checkpoint['listing']>) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const page = await work.source.list(listing.what, listing.cursor)
      if (page.complete) return page
    } catch (error) {
      if (
        listing.cursor !== null &&
        error instanceof WaybillError &&
        error.code === 'listing_restarted'
      )
        return null
      throw error
    }
    if (attempt >= LISTING_ATTEMPTS)
      throw new WaybillError(
        'incomplete_listing',
        'The source says that it did not list everything.',
      )
  }
}

async function listOneByOne(work: Work, folders: readonly string[]): Promise<readonly Item[]> {
  const items: Item[] = []
  for (const folder of folders) {
    work.signal.throwIfAborted()
    let restarts = 0
    for (let cursor: string | null = null; ;) {
      const what = { kind: 'children' as const, of: [folder] }
      const page: Pick<Page, 'items' | 'cursor'> | null = await completePage(work, {
        what,
        cursor,
      }).catch(async (error: unknown) => {
        if (!hasCode(error, 'gone')) throw error
        if (!(await isGone(work, folder)))
          throw new WaybillError(
            'incomplete_listing',
            'The source does not list a folder that is there.',
          )
        // It went while we looked: the changes of the next run will tell of it.
        return { items: [], cursor: null }
      })
      if (page === null && (restarts += 1) > RESTARTS) throw unending()
      items.push(...(page?.items ?? []))
      cursor = page?.cursor ?? null
      if (page !== null && cursor === null) break
    }
  }
  return items
}

/** Whether a folder that cannot be listed is really not there: asked a second time, in another way. */
async function isGone(work: Work, folder: string): Promise<boolean> {
  const now = await work.source.get(folder)
  return now === null || now.trashed
}

function unending(): WaybillError {
  return new WaybillError('incomplete_listing', 'The source refuses to go on with its listing.')
}
