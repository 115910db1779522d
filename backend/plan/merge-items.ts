import { isDeepStrictEqual } from 'node:util'
import type { Item } from '../../shared/item.ts'
import type { Selection } from '../../shared/job.ts'
import { newRow, rewrite } from '../records/row.ts'
import type { JobRows } from '../records/job-rows.ts'
import type { Row } from '../records/row.ts'
import { parentOf } from './roots.ts'

/**
 * Compares listed items with what the job knows.
 *
 * @param listing the run whose listing of children this is: folders found by it have to be listed themselves, unless that
 *   run has done so. Null for a flat listing, which brings their children anyway.
 * @returns the rows that are new or differ
 */
export async function merge(
  rows: Pick<JobRows, 'rows'>,
  selection: Selection,
  items: readonly Item[],
  listing: number | null,
): Promise<readonly Row[]> {
  // An item may come twice on one page; the last one is the newest.
  const latest = new Map(items.map((item) => [item.id, item]))
  const listed = [...latest.values()]
  const known = await rows.rows(listed.map((item) => item.id))
  return listed.flatMap((item, index): Row[] => {
    const row = known[index] ?? null
    const parentId = parentOf(selection, item)
    if (row !== null && row.lined === -1) return []
    if (row === null)
      return parentId === null ? [] : [newRow(item, parentId, firstTodo(item, listing !== null))]
    // What a known folder holds may have changed while nobody looked: what is above it came back, or the last run ended
    // before it was done.
    const list = listing !== null && item.kind === 'folder' && row.listed !== listing
    const same = !row.left && row.parentId === parentId && isDeepStrictEqual(row.item, item)
    return same && (!list || row.todo === 'list') ? [] : [seen(row, item, parentId, list)]
  })
}

/** @returns what has to be done first about an item that is new. */
export function firstTodo(item: Item, listFolders: boolean): 'list' | 'folder' | 'file' {
  if (item.kind !== 'folder') return 'file'
  return listFolders ? 'list' : 'folder'
}

/**
 * @param list whether the folder has to be listed again
 * @returns the row with the item as it is now, to be planned again
 */
export function seen(row: Row, item: Item, parentId: string | null, list: boolean): Row {
  // A folder that waits to be listed keeps waiting: its children are not known yet.
  const todo = row.todo === 'list' ? 'list' : firstTodo(item, list)
  // What had left is no longer part of any sum: it is accounted for anew.
  return rewrite(row, { item, parentId, todo, left: false, lined: row.left ? 0 : row.lined })
}
