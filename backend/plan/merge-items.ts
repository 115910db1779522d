import { isDeepStrictEqual } from 'node:util'
import type { Item } from '../../shared/item.ts'
import type { Selection } from '../../shared/job.ts'
import { newRow, rewrite } from '../records/ledger.ts'
import type { Ledger, Row } from '../records/ledger.ts'
import { parentOf } from './roots.ts'

/**
 * Compares listed items with the ledger.
 *
 * @param listFolders whether folders that are new here have to be listed themselves (a flat listing brings their
 *   children anyway)
 * @returns the rows that are new or differ
 */
export async function merge(
  ledger: Ledger,
  selection: Selection,
  items: readonly Item[],
  listFolders: boolean,
): Promise<readonly Row[]> {
  // An item may come twice on one page; the last one is the newest.
  const latest = new Map(items.map((item) => [item.id, item]))
  const listed = [...latest.values()]
  const known = await ledger.rows(listed.map((item) => item.id))
  return listed.flatMap((item, index): Row[] => {
    const row = known[index] ?? null
    const parentId = parentOf(selection, item)
    if (row !== null && row.lined === -1) return []
    if (row === null)
      return parentId === null ? [] : [newRow(item, parentId, firstTodo(item, listFolders))]
    if (!row.left && row.parentId === parentId && isDeepStrictEqual(row.item, item)) return []
    return [seen(row, item, parentId, listFolders && row.left)]
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
  return rewrite(row, { item, parentId, todo, left: false })
}
