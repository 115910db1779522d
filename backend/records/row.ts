import type { ErrorCode } from '../../shared/errors.ts'
import type { Hashes, Item } from '../../shared/item.ts'

/**
 * What is still to be done about an item. Rows that wait in this run are its manifest (`manifest.ts`); those that are
 * settled, or failed, are the ledger (`ledger.ts`).
 *
 * ```
 * list ─► folder ─► make ─┐
 *         file ───► move ─┼─► (settled) ─► folder | file, when it changes
 *                └► copy ─┘        again ─► folder | file, in the next run
 * ```
 */
export type Todo =
  /** A folder whose children have to be listed. */
  | 'list'
  /** A folder, or anything else, that has to be planned. */
  | 'folder'
  | 'file'
  /** A folder to make or move at the destination. */
  | 'make'
  /** A copy to move or rename at the destination. */
  | 'move'
  /** Bytes to carry. */
  | 'copy'
  /** Not carried this time: the next run tries again. */
  | 'again'
  | 'settled'

/** Where the copy of an item lies, as it was last written. */
interface Placed {
  /** Source id of the folder whose copy it lies in. */
  readonly parentId: string
  readonly name: string
}

/** A copy of ours at the destination; of a folder, only the id means something. */
interface OwnCopy {
  readonly id: string
  readonly version: string
  readonly bytes: number
  readonly hashes: Hashes
}

/** One row for each source item that a job has ever seen. */
export interface Row {
  readonly item: Item
  /** Source id of the folder it counts as lying in; null for the top. */
  readonly parentId: string | null
  readonly todo: Todo
  /** Whether its name carries a suffix because a sibling has the plain one. */
  readonly twin: boolean
  /** When its bytes went beside an older copy, which stays; part of the copy's name. Absent for most. */
  readonly dated?: string
  /** Which of its export forms is used. */
  readonly form: number
  /** The place it takes at the destination, which no other row has; null while it has none. */
  readonly slot: string | null
  /** The run that last gave it a receipt line, or in which it came back as it was; 0 for none, -1 for folders of our own. */
  readonly lined: number
  /** The run that last listed the folder's children; 0 for none. */
  readonly listed: number
  /** Whether it has left the selection. */
  readonly left: boolean
  readonly placed: Placed | null
  readonly copy: OwnCopy | null
  /** The item's version that the copy holds. */
  readonly carried: string | null
  readonly reason: ErrorCode | null
}

/** @returns the row of an item that was never seen before. */
export function newRow(item: Item, parentId: string | null, todo: Todo): Row {
  return {
    item,
    parentId,
    todo,
    slot: null,
    twin: false,
    form: 0,
    lined: 0,
    listed: 0,
    left: false,
    placed: null,
    copy: null,
    carried: null,
    reason: null,
  }
}

/** @returns the row with something changed. */
export function rewrite(row: Row, change: Partial<Row>): Row {
  return { ...row, ...change }
}
