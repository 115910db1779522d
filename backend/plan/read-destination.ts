import { hasCode } from '../../shared/errors.ts'
import type { Folder } from '../clouds/cloud.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Row, Todo } from '../records/row.ts'
import { comparableName } from './names.ts'
import { openDestination } from './open-destination.ts'
import { topOf } from './roots.ts'
import type { Scan } from './scan.ts'
import type { Tree } from './tree.ts'
import type { Work } from './work.ts'

/** What the destination says has changed. */
export interface Drained {
  /** Paths of which something was deleted, and the id of what is there by now, if anything is. */
  readonly gone: ReadonlyMap<string, string | null>
  /** Ids of all that is there, if everything had to be listed: because there was no cursor, or it was lost. */
  readonly present: ReadonlySet<string> | null
  readonly cursor: string
}

/** How rows are kept, under the lease. */
export type KeepRows = (rows: readonly Row[]) => Promise<void>

/** Reads what changed at the destination since the last run: copies that somebody deleted are carried again. */
export async function readDestination(scan: Scan, tree: Tree): Promise<void> {
  const { work, checkpoint } = scan
  const { folder } = checkpoint
  if (folder === null) {
    await scan.save([], 0, { ...checkpoint, looked: true })
    return
  }
  const changed = await drainChanges(work, folder, checkpoint.cursor).catch((error: unknown) => {
    if (hasCode(error, 'gone')) return null
    throw error
  })
  if (changed === null || isReplaced(work, folder, changed)) {
    await beginAnew(scan, tree)
    return
  }
  const keep: KeepRows = async (rows) => scan.save(rows, 0, scan.checkpoint)
  await forgetDeleted(work, tree, folder, changed, keep)
  await scan.save([], 0, { ...scan.checkpoint, cursor: changed.cursor, looked: true })
}

/** The destination folder itself is gone, or was and is another now: everything has to be carried again. */
async function beginAnew(scan: Scan, tree: Tree): Promise<void> {
  const { work } = scan
  const { source } = work.job.request
  const folder = await openDestination(work)
  const keep: KeepRows = async (rows) => scan.save(rows, 0, scan.checkpoint)
  await forgetBelow(work, tree, topOf(source.selection), () => true, keep)
  await scan.save([], 0, { ...scan.checkpoint, folder, cursor: null, looked: true })
}

/**
 * Drains the destination's own changes. If the provider has lost its place, everything that is there is listed once
 * more.
 *
 * @throws WaybillError `gone` if the folder is not there any more
 */
export async function drainChanges(
  work: Work,
  folder: Folder,
  from: string | null,
): Promise<Drained> {
  const gone = new Map<string, string | null>()
  let present = from === null ? new Set<string>() : null
  let cursor: string | null = from
  for (;;) {
    work.signal.throwIfAborted()
    try {
      const page = await work.destination.changesSince(folder, cursor)
      for (const change of page.changes) {
        if (change.gone) gone.set(change.path, null)
        else if (gone.has(change.path)) gone.set(change.path, change.id)
        if (!change.gone && change.id !== null) present?.add(change.id)
      }
      cursor = page.cursor
      if (!page.more) return { gone, present, cursor: page.cursor }
    } catch (error) {
      if (!hasCode(error, 'cursor_lost') || cursor === null) throw error
      cursor = null
      gone.clear()
      present = new Set()
    }
  }
}

/** Marks the rows whose copies are not there any more: their items are carried again. */
export async function forgetDeleted(
  work: Work,
  tree: Tree,
  folder: Folder,
  { gone, present }: Drained,
  keep: KeepRows,
): Promise<void> {
  if (present !== null) {
    const top = topOf(work.job.request.source.selection)
    const isLost = ({ copy }: Row): boolean => copy !== null && !present.has(copy.id)
    await forgetBelow(work, tree, top, isLost, keep)
    return
  }
  for (const [path, now] of gone) {
    work.signal.throwIfAborted()
    const row = await rowAt(work, folder, path)
    // Moved away and back again, it is still ours.
    if (row === null || row.copy === null || row.copy.id === now) continue
    await forgetBelow(work, tree, row.item.id, () => true, keep)
    // Last, so that whoever has to begin again finds it, and what lies below.
    await keep([without(row)])
    tree.learn([without(row)])
  }
}

/** @returns whether the destination folder itself was deleted, whatever is there by now. */
export function isReplaced(work: Work, folder: Folder, { gone }: Drained): boolean {
  const own = comparable(work, folder.path).join('/')
  return [...gone.keys()].some((path) => comparable(work, path).join('/') === own)
}

function comparable(work: Work, path: string): readonly string[] {
  const rules = work.destination.capabilities.names
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => comparableName(part, rules))
}

/** @returns the row whose copy lies at a path below the destination folder, or null. */
async function rowAt(work: Work, folder: Folder, path: string): Promise<Row | null> {
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const above = comparable(work, folder.path)
  const names = comparable(work, path)
  if (names.length <= above.length || above.some((name, index) => names[index] !== name))
    return null
  let parentId = topOf(work.job.request.source.selection)
  let row: Row | null = null
  for (const name of names.slice(above.length)) {
    row = await work.rows.at(ledger.slot(parentId, name))
    if (row === null) return null
    parentId = row.item.id
  }
  return row
}

/** Goes through all that lies below a folder and marks the rows that are lost as having no copy any more. */
export async function forgetBelow(
  work: Work,
  tree: Tree,
  folder: string,
  isLost: (row: Row) => boolean,
  keep: KeepRows,
): Promise<void> {
  const folders = [folder]
  const begun = new Set(folders)
  for (let parent = folders.pop(); parent !== undefined; parent = folders.pop()) {
    for await (const children of work.rows.children(parent)) {
      const lost = children.filter((row) => row.copy !== null && isLost(row)).map(without)
      if (lost.length > 0) await keep(lost)
      tree.learn(lost)
      for (const { item } of children) {
        if (item.kind !== 'folder' || begun.has(item.id)) continue
        begun.add(item.id)
        folders.push(item.id)
      }
    }
  }
}

/** @returns the row as that of an item whose copy is not there any more: it is planned again. */
export function without(row: Row): Row {
  const lost = { copy: null, placed: null, carried: null }
  if (row.left) return rewrite(row, { ...lost, slot: null })
  return rewrite(row, { ...lost, todo: todoWithout(row) })
}

function todoWithout({ lined, todo, item }: Row): Todo {
  // A folder of our own is made when something comes to lie in it; one that waits to be listed goes on waiting.
  if (todo === 'list') return 'list'
  if (lined === -1) return 'settled'
  return item.kind === 'folder' ? 'folder' : 'file'
}
