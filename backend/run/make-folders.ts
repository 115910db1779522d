import { WaybillError } from '../../shared/errors.ts'
import type { Folder, Place, Result } from '../clouds/cloud.ts'
import { asTwin, nameOf } from '../plan/claim-name.ts'
import type { Tree } from '../plan/tree.ts'
import { forgetBelow, without } from '../plan/read-destination.ts'
import { isTimeUp } from '../plan/work.ts'
import type { Progress, Work } from '../plan/work.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { moveOnce } from './move-once.ts'
import { notCarried, notesOn } from './outcome.ts'
import { outcomesAtOnce, record } from './record.ts'
import type { Settled } from './record.ts'

/** Makes the folders that the plan asks for, and moves those that have another name or place now, from the top down. */
export async function makeFolders(work: Work, tree: Tree): Promise<Progress> {
  const levels = await foldersByDepth(work, tree)
  const atOnce = Math.min(work.destination.capabilities.foldersPerCall, outcomesAtOnce / 2)
  for (const ids of levels)
    for (let from = 0; from < ids.length; from += atOnce) {
      if (isTimeUp(work)) return 'time-is-up'
      const found = await work.rows.rows(ids.slice(from, from + atOnce))
      await makeSome(
        work,
        tree,
        // Others have been put back meanwhile, to be planned again.
        found.flatMap((row) => (row?.todo === 'make' ? [row] : [])),
      )
    }
  return 'finished'
}

/** @returns source ids of the folders to make, those nearest to the top first. */
async function foldersByDepth(work: Work, tree: Tree): Promise<readonly (readonly string[])[]> {
  const levels: string[][] = []
  for await (const rows of work.rows.pages('make'))
    for (const { item } of rows) (levels[await tree.depth(item.id)] ??= []).push(item.id)
  return levels.filter((level) => level.length > 0)
}

async function makeSome(work: Work, tree: Tree, rows: readonly Row[]): Promise<void> {
  const rules = work.destination.capabilities.names
  const settled: Settled[] = []
  const making: { readonly row: Row; readonly place: Place }[] = []
  for (const row of rows) {
    const parent = row.parentId === null ? null : await tree.where(row.parentId)
    // The folder above could not be made: this one fails with it, and both are tried again.
    if (parent === null) settled.push(notCarried(row, 'name_taken'))
    else {
      const place = { parent, name: nameOf(row, rules) }
      const moved = row.copy === null ? row : await moveFolder(work, tree, row, place)
      if ('outcome' in moved) settled.push(moved)
      else making.push({ row: moved, place: { parent, name: nameOf(moved, rules) } })
    }
  }
  const made = await work.destination.ensureFolders(making.map(({ place }) => place))
  for (const [index, { row, place }] of making.entries())
    settled.push(await settleMade(work, row, place, made[index]))
  await record(work, tree, settled)
}

async function settleMade(
  work: Work,
  row: Row,
  place: Place,
  result: Result<Folder> | undefined,
): Promise<Settled> {
  const rules = work.destination.capabilities.names
  if (result === undefined) throw new WaybillError('internal', 'A folder has no result.')
  if ('ok' in result) return asMade(row, place, result.ok, work)
  if (result.error.code === 'name_taken' && !row.twin) {
    // A file that is not ours has the name: the folder takes another.
    const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
    const twin = asTwin(ledger, row, rules)
    const other = { parent: place.parent, name: twin.name }
    const [again] = await work.destination.ensureFolders([other])
    return settleMade(work, twin.row, other, again)
  }
  return notCarried(row, onlyItem(result.error))
}

function asMade(row: Row, place: Place, folder: Folder, work: Work): Settled {
  const copy = { id: folder.id, version: '', bytes: 0, hashes: {} }
  const placed = { parentId: row.parentId ?? '', name: place.name }
  return {
    row: rewrite(row, { todo: 'settled', copy, placed, carried: row.item.version, reason: null }),
    outcome: 'copied',
    reason: null,
    proof: null,
    notes: notesOn(row, work.destination.capabilities.names),
    bytes: 0,
  }
}

/** @returns what became of it, or the row if it has to be made: somebody took the folder away, with all that was in it. */
async function moveFolder(work: Work, tree: Tree, row: Row, place: Place): Promise<Settled | Row> {
  const from = await tree.where(row.item.id)
  if (from === null) return lostFolder(work, tree, row)
  const renamed = row.placed?.parentId === row.parentId
  try {
    const moved = await moveOnce(work.destination, from, place)
    const folder = { id: moved.id, path: moved.path }
    return { ...asMade(row, place, folder, work), outcome: renamed ? 'renamed' : 'moved' }
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error
    if (error.code === 'name_taken' && !row.twin) {
      const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
      const twin = asTwin(ledger, row, work.destination.capabilities.names)
      return moveFolder(work, tree, twin.row, { parent: place.parent, name: twin.name })
    }
    if (error.code === 'gone') return lostFolder(work, tree, row)
    return notCarried(row, onlyItem(error))
  }
}

async function lostFolder(work: Work, tree: Tree, row: Row): Promise<Row> {
  await forgetBelow(
    work,
    tree,
    row.item.id,
    () => true,
    async (rows) => record(work, tree, [], { rows }),
  )
  return rewrite(without(row), { todo: 'make' })
}

/** @returns the code, if the error is about one item; throws it on if it is about the run. */
function onlyItem(error: WaybillError) {
  if (
    error.code === 'name_taken' ||
    error.code === 'name_refused' ||
    error.code === 'gone' ||
    error.code === 'item_forbidden'
  )
    return error.code
  throw error
}
