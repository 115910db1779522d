import { isDeepStrictEqual } from 'node:util'
import { hasCode } from '../../shared/errors.ts'
import type { Item } from '../../shared/item.ts'
import type { Change, ChangesPage } from '../clouds/cloud.ts'
import { newRow, rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { listAnew, ownCorpus } from './begin-scan.ts'
import { firstTodo, seen } from './merge-items.ts'
import { homeless, parentOf } from './roots.ts'
import type { Scan } from './scan.ts'
import type { Tree } from './tree.ts'
import { isTimeUp } from './work.ts'

/** Takes up again what the last run did not carry. */
export async function retakeUnfinished(scan: Scan): Promise<void> {
  const { work } = scan
  for await (const rows of work.rows.failed()) {
    if (isTimeUp(work)) return
    const retaken = rows.map((row) =>
      rewrite(row, { todo: row.item.kind === 'folder' ? 'folder' : 'file' }),
    )
    if (retaken.length > 0) await scan.save(retaken, 0, scan.checkpoint)
  }
  await scan.save([], 0, { ...scan.checkpoint, retaken: true })
}

/** Reads one page of a corpus's changes into the ledger. */
export async function readChanges(scan: Scan, tree: Tree, corpus: string): Promise<void> {
  const { work, checkpoint } = scan
  const page = await pageOf(scan, corpus)
  if (page === null) return
  const latest = new Map(page.changes.map((change) => [change.id, change]))
  const changes = [...latest.values()]
  const known = await work.rows.rows(changes.map((change) => change.id))
  const rows = new Map<string, Row>()
  // Folders first, so that what came in together with its folder finds it.
  const order = changes.map((change, index) => ({ change, row: known[index] ?? null }))
  order.sort(
    (a, b) => Number(b.change.item?.kind === 'folder') - Number(a.change.item?.kind === 'folder'),
  )
  for (const { change, row } of order) {
    const changed = await applyChange(scan, tree, change, row)
    if (changed === null) continue
    rows.set(change.id, changed)
    tree.learn([changed])
  }
  await scan.save([...rows.values()], page.changes.length, {
    ...checkpoint,
    tokens: { ...checkpoint.tokens, [corpus]: page.token },
    changed: page.more ? checkpoint.changed : checkpoint.changed.filter((each) => each !== corpus),
  })
}

/** @returns a page of changes, or null if there is none to be had: then the scan goes on in another way. */
async function pageOf(scan: Scan, corpus: string): Promise<ChangesPage | null> {
  const { work, checkpoint } = scan
  try {
    return await work.source.changes(corpus, checkpoint.tokens[corpus] ?? '')
  } catch (error) {
    if (hasCode(error, 'cursor_lost')) {
      // Too long ago: everything is listed once more, and compared with what is known.
      await listAnew(scan, checkpoint)
      return null
    }
    const { selection } = work.job.request.source
    if (!hasCode(error, 'source_missing') || selection.kind !== 'drive' || corpus === ownCorpus)
      throw error
    // One shared drive less: what was copied from it stays, and the others go on.
    const { [corpus]: _, ...tokens } = checkpoint.tokens
    const changed = checkpoint.changed.filter((each) => each !== corpus)
    await scan.save([], 0, { ...checkpoint, tokens, changed })
    return null
  }
}

/** @returns the row as it is after the change, or null if the change does not matter to this job. */
async function applyChange(
  scan: Scan,
  tree: Tree,
  change: Change,
  row: Row | null,
): Promise<Row | null> {
  const { selection } = scan.work.job.request.source
  const { item } = change
  if (row?.lined === -1) return null
  if (item === null || item.trashed) {
    if (row === null || row.left || row.item.trashed) return null
    return rewrite(row, { item: { ...row.item, trashed: true }, todo: firstTodo(row.item, false) })
  }
  const parentId = parentOf(selection, item)
  const held = parentId !== null && (await tree.holds(parentId))
  // In a whole drive everything belongs somewhere.
  const belongs = held || selection.kind === 'drive'
  const under =
    held || parentId === null ? parentId : selection.kind === 'drive' ? homeless(item) : parentId
  if (row === null)
    return belongs && under !== null ? newRow(item, under, firstTodo(item, true)) : null
  if (!row.left && row.parentId === under && isDeepStrictEqual(row.item, item)) return null
  // It left before, and what becomes of it outside is of no interest. If it comes back, it is looked at anew.
  if (row.left && !belongs) return null
  return seen(row, item, under, belongs && (await cameIn(tree, row, item, under)))
}

/** @returns whether it is a folder that was not part of the selection until now. */
async function cameIn(tree: Tree, row: Row, item: Item, under: string | null): Promise<boolean> {
  if (item.kind !== 'folder') return false
  if (row.left || row.item.trashed) return true
  return row.parentId !== under && !(await tree.holds(row.item.id))
}
