import { WaybillError } from '../../shared/errors.ts'
import type { Commit, Copy, Folder, Result, Session } from '../clouds/cloud.ts'
import { asTwin, nameOf } from '../plan/claim-name.ts'
import { mayReplace } from '../plan/replacing.ts'
import type { Tree } from '../plan/tree.ts'
import type { Work } from '../plan/work.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { underLease } from '../records/runs.ts'
import { intentDocument, intentKey, uploadKey } from '../records/transfers.ts'
import type { Intent } from '../records/transfers.ts'
import { chunkBytes } from './carry-large.ts'
import type { Carried } from './commit-lane.ts'
import { concernsItem, notCarried, notesOn, proofOf } from './outcome.ts'
import { agrees } from './read-item.ts'
import type { Settled } from './record.ts'

/** A closed session and what it holds. */
export interface Closed {
  readonly carried: Carried
  readonly session: Session
}

interface Entry extends Closed {
  readonly parent: Folder
}

/** What is ours may be replaced; a name that is taken by something else is left to it. */
const ROUNDS = 3

/**
 * Turns closed sessions into files, and makes sure of each: uploaded, then verified, then (by the caller) recorded.
 * What is about to be committed is written down before, so that a worker that dies in between leaves nothing that the
 * next one could take for somebody else's.
 *
 * @returns the ends of the items, and the keys of the transfers that are over once these ends are recorded; `failure` if
 *   something is wrong with the run: what was committed before is among the ends all the same
 */
export async function commitAll(
  work: Work,
  tree: Tree,
  batch: readonly Closed[],
  options: {
    readonly intents: ReadonlyMap<string, readonly Intent[]>
    readonly redo: (row: Row) => void
    /** Called each time while the provider is at work. */
    readonly meanwhile: () => void
  },
): Promise<{
  readonly settled: readonly Settled[]
  readonly transfers: readonly string[]
  readonly failure: WaybillError | null
}> {
  if (batch.length === 0) return { settled: [], transfers: [], failure: null }
  const intent = await writeIntent(work, batch)
  const settled: Settled[] = []
  let failure: WaybillError | null = null
  let entries: Entry[] = []
  for (const closed of batch) {
    const { row } = closed.carried
    const parent = row.parentId === null ? null : await tree.where(row.parentId)
    if (parent === null) settled.push(notCarried(row, 'name_taken'))
    else entries.push({ ...closed, parent })
  }
  for (let round = 1; entries.length > 0 && failure === null; round += 1) {
    const results = await commitSome(work, entries, options.meanwhile)
    const next: Entry[] = []
    for (const [index, entry] of entries.entries()) {
      const result = results[index]
      if (result === undefined) throw new WaybillError('internal', 'A commit has no result.')
      if ('ok' in result) settled.push(verified(work, entry.carried, result.ok))
      else if (result.error.code === 'session_lost') options.redo(entry.carried.row)
      else if (result.error.code === 'name_taken' && round < ROUNDS)
        next.push(await elsewhere(work, entry, options.intents))
      else if (concernsItem(result.error.code))
        settled.push(notCarried(entry.carried.row, result.error.code))
      else failure ??= result.error
    }
    entries = next
  }
  // Some may have landed: what was about to be committed stays written down.
  if (failure !== null) return { settled, transfers: [], failure }
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const uploads = batch
    .filter(({ carried }) => carried.size > chunkBytes)
    .map(({ carried }) => uploadKey(work.lease.run, ledger.key(carried.row.item.id)))
  return { settled, transfers: [intent, ...uploads], failure }
}

async function commitSome(
  work: Work,
  entries: readonly Entry[],
  meanwhile: () => void,
): Promise<readonly Result<Copy>[]> {
  const { commitsPerCall, names } = work.destination.capabilities
  const results: Result<Copy>[] = []
  for (let from = 0; from < entries.length; from += commitsPerCall) {
    const commits = entries
      .slice(from, from + commitsPerCall)
      .map(({ carried, session, parent }): Commit => ({
        session,
        size: carried.size,
        hashes: carried.hashes,
        place: { parent, name: nameOf(carried.row, names) },
        modifiedAt: carried.row.item.modifiedAt,
        precondition:
          carried.row.copy === null || !mayReplace(work)
            ? { if: 'absent' }
            : { if: 'version', version: carried.row.copy.version },
      }))
    const [some] = await Promise.all([
      work.destination.commit(commits),
      // Only once the call is on its way.
      work.turn().then(meanwhile),
    ])
    results.push(...some)
  }
  return results
}

/** The destination's own checksum must be that of what was sent. */
function verified(work: Work, carried: Carried, copy: Copy): Settled {
  const { row, hashes, size, counted = 0 } = carried
  const { names } = work.destination.capabilities
  const checked = work.destination.capabilities.hashes.some(
    (name) => copy.hashes[name] !== undefined,
  )
  const kept = rewrite(row, {
    copy: { id: copy.id, version: copy.version, bytes: copy.bytes, hashes: copy.hashes },
    placed: { parentId: row.parentId ?? '', name: nameOf(row, names) },
  })
  if (copy.bytes !== size || !agrees(copy.hashes, hashes))
    return notCarried(kept, 'damaged_at_destination')
  return {
    row: rewrite(kept, { todo: 'settled', carried: row.item.version, reason: null }),
    outcome: 'copied',
    reason: null,
    proof: proofOf(row.item, checked),
    notes: notesOn(row, names),
    bytes: size,
    counted,
  }
}

/** @returns where to commit instead: over our own older copy, or beside what is not ours. */
async function elsewhere(
  work: Work,
  entry: Entry,
  intents: ReadonlyMap<string, readonly Intent[]>,
): Promise<Entry> {
  const { row } = entry.carried
  const rules = work.destination.capabilities.names
  // What this run or the one before was about to write, and what the ledger says: a folder that was moved may have given
  // all that lies in it another version.
  const ours = [
    ...(intents.get(row.item.id) ?? []).map((each) => each.contentHash),
    ...(row.copy?.hashes.contentHash === undefined ? [] : [row.copy.hashes.contentHash]),
  ]
  if (ours.length > 0 && mayReplace(work)) {
    const there = await work.destination.find({ parent: entry.parent, name: nameOf(row, rules) })
    if (
      there !== null &&
      'file' in there &&
      there.file.hashes.contentHash !== undefined &&
      ours.includes(there.file.hashes.contentHash)
    ) {
      const { id, version, bytes, hashes } = there.file
      return {
        ...entry,
        carried: { ...entry.carried, row: rewrite(row, { copy: { id, version, bytes, hashes } }) },
      }
    }
  }
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const twin = asTwin(ledger, row, rules)
  return {
    ...entry,
    carried: { ...entry.carried, row: rewrite(twin.row, { copy: null, placed: null }) },
  }
}

async function writeIntent(work: Work, batch: readonly Closed[]): Promise<string> {
  const owner = await work.owners.of(work.job.user)
  const id = Buffer.from(work.random(12)).toString('base64url')
  const intents = batch.map(({ carried }): Intent => ({
    sourceId: carried.row.item.id,
    version: carried.row.item.version,
    contentHash: carried.hashes.contentHash ?? '',
  }))
  const document = intentDocument(owner, work.lease.run, id, intents, work.now())
  await underLease(work.store, work.lease, (_run, transaction) => {
    transaction.put('transfers', document)
    return {}
  })
  return intentKey(work.lease.run, id)
}
