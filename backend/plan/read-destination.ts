import { hasCode } from '../../shared/errors.ts'
import type { Folder } from '../clouds/cloud.ts'
import { openLedger, rewrite } from '../records/ledger.ts'
import type { Ledger, Row } from '../records/ledger.ts'
import { comparableName } from './names.ts'
import { topOf } from './roots.ts'
import type { Scan } from './scan.ts'
import type { Tree } from './tree.ts'
import type { Work } from './work.ts'

const PAGE = 400

/** Reads what changed at the destination since the last run: copies that somebody deleted are carried again. */
export async function readDestination(scan: Scan, tree: Tree): Promise<void> {
  const { work, checkpoint } = scan
  const { folder } = checkpoint
  if (folder === null || checkpoint.cursor === null) {
    await scan.save([], 0, { ...checkpoint, looked: true })
    return
  }
  const changed = await goneSince(work, folder, checkpoint.cursor).catch((error: unknown) => {
    if (hasCode(error, 'gone')) return null
    throw error
  })
  if (changed === null) {
    await beginAnew(scan, tree)
    return
  }
  const { gone, cursor } = changed
  for (const path of gone) {
    const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
    const row = await rowAt(work, ledger, folder, path)
    if (row === null || row.copy === null) continue
    await forgetCopies(scan, tree, row)
  }
  await scan.save([], 0, { ...scan.checkpoint, cursor, looked: true })
}

/** The destination folder itself is gone: it is made again, and everything has to be carried again. */
async function beginAnew(scan: Scan, tree: Tree): Promise<void> {
  const { work } = scan
  const { source, destination } = work.job.request
  const folder = await work.destination.openFolder(destination.folder)
  const top = await tree.row(topOf(source.selection))
  if (top !== null) await forgetCopies(scan, tree, top)
  await scan.save([], 0, { ...scan.checkpoint, folder, cursor: null, looked: true })
}

/**
 * Drains the destination's own changes.
 *
 * @returns paths that are gone now, and where the changes go on. If the provider has lost its place, everything that is
 *   there is listed once more.
 */
export async function goneSince(
  work: Work,
  folder: Folder,
  from: string | null,
): Promise<{ readonly gone: ReadonlySet<string>; readonly cursor: string }> {
  const gone = new Set<string>()
  let cursor: string | null = from
  for (;;) {
    work.signal.throwIfAborted()
    try {
      const page = await work.destination.changesSince(folder, cursor)
      for (const change of page.changes) {
        // In order: what was deleted and came back is there.
        if (change.gone) gone.add(change.path)
        else gone.delete(change.path)
      }
      cursor = page.cursor
      if (!page.more) return { gone, cursor: page.cursor }
    } catch (error) {
      if (!hasCode(error, 'cursor_lost') || cursor === null) throw error
      cursor = null
    }
  }
}

/** @returns the row whose copy lies at a path below the destination folder, or null. */
async function rowAt(
  work: Work,
  ledger: Ledger,
  folder: Folder,
  path: string,
): Promise<Row | null> {
  const rules = work.destination.capabilities.names
  const comparable = (text: string): readonly string[] =>
    text
      .split('/')
      .filter((part) => part !== '')
      .map((part) => comparableName(part, rules))
  const above = comparable(folder.path)
  const names = comparable(path)
  if (names.length <= above.length || above.some((name, index) => names[index] !== name))
    return null
  let parentId = topOf(work.job.request.source.selection)
  let row: Row | null = null
  for (const name of names.slice(above.length)) {
    row = await ledger.at(ledger.slot(parentId, name))
    if (row === null) return null
    parentId = row.item.id
  }
  return row
}

/** Marks a row, and all below it if it is a folder, as having no copy any more. */
async function forgetCopies(scan: Scan, tree: Tree, first: Row): Promise<void> {
  const { work } = scan
  const folders = [first]
  await scan.save([without(first)], 0, scan.checkpoint)
  tree.learn([without(first)])
  for (let parent = folders.pop(); parent !== undefined; parent = folders.pop()) {
    if (parent.item.kind !== 'folder') continue
    let after: string | undefined
    for (;;) {
      const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
      const children = await ledger.children(parent.item.id, PAGE, after)
      const lost = children.filter((row) => row.copy !== null).map(without)
      await scan.save(lost, 0, scan.checkpoint)
      tree.learn(lost)
      folders.push(...children.filter((row) => row.item.kind === 'folder'))
      const last = children.at(-1)
      if (children.length < PAGE || last === undefined) break
      after = ledger.key(last.item.id)
    }
  }
}

function without(row: Row): Row {
  const todo = row.lined === -1 ? 'settled' : row.item.kind === 'folder' ? 'folder' : 'file'
  return rewrite(row, { copy: null, placed: null, carried: null, todo })
}
