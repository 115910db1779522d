import type { ErrorCode } from '../../shared/errors.ts'
import type { Hashes, Item } from '../../shared/item.ts'
import type { Document, Field, Store } from '../store/store.ts'
import type { Owner, Owners } from './owner.ts'

/**
 * What is still to be done about an item. This is the run's manifest: the rows that are not settled.
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
  /** What the sealed part was read from: kept while nothing in it changes, so that it is not sealed again. */
  readonly sealed?: Uint8Array
}

type SealedPart = Pick<Row, 'item' | 'parentId' | 'placed' | 'copy' | 'carried' | 'reason'>

/** The ledger of one job, its rows sealed for the job's owner. */
export interface Ledger {
  /** A row's document, ready for a transaction. */
  document(row: Row): Document
  key(sourceId: string): string
  /** Names a place at the destination: at most one row has it. */
  slot(parentId: string, comparableName: string): string
  rows(sourceIds: readonly string[]): Promise<readonly (Row | null)[]>
  /** At most `limit` rows with something to do, in the order of their keys. */
  todo(todo: Todo, limit: number, after?: string): Promise<readonly Row[]>
  /** Rows that count as lying in a folder. */
  children(sourceId: string, limit: number, after?: string): Promise<readonly Row[]>
  /** Which of these places are taken, and by which row's key. */
  taken(slots: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** The row that holds a place. */
  at(slot: string): Promise<Row | null>
}

const IN_LIMIT = 30

/**
 * @returns a job's ledger for a while: it holds the owner's keys, which are forgotten after minutes, so ask again for
 * each page of work
 */
export async function openLedger(
  store: Store,
  owners: Owners,
  user: string,
  job: string,
): Promise<Ledger> {
  const owner = await owners.of(user)
  // The same folder is named by all that lies in it.
  const blinded = new Map<string, string>()
  const blind = (kind: 'source' | 'parent', sourceId: string): string => {
    const name = `${kind} ${sourceId}`
    const known = blinded.get(name) ?? owner.blind(kind, sourceId)
    blinded.set(name, known)
    return known
  }
  const key = (sourceId: string): string => `${job}.${blind('source', sourceId)}`

  const list = async (
    where: Record<string, Field | readonly Field[]>,
    limit: number,
    after?: string,
  ) => {
    const page = after === undefined ? { limit } : { limit, after }
    return store.list({ collection: 'ledger', where: { job, ...where }, ...page })
  }
  const open = (document: Document): Row => rowFrom(owner, document)

  return {
    key,
    document: (row) => toDocument(owner, { job, key: key(row.item.id), blind }, row),
    slot: (parentId, name) => owner.blind('slot', `${parentId}\0${name}`),
    rows: async (ids) => {
      const found = await store.getMany('ledger', ids.map(key))
      return found.map((document) => (document === null ? null : open(document)))
    },
    todo: async (todo, limit, after) => (await list({ todo }, limit, after)).map(open),
    children: async (sourceId, limit, after) =>
      (await list({ parent: blind('parent', sourceId) }, limit, after)).map(open),
    taken: async (slots) => {
      const holders = new Map<string, string>()
      for (let from = 0; from < slots.length; from += IN_LIMIT) {
        const found = await list({ slot: slots.slice(from, from + IN_LIMIT) }, 1000)
        for (const document of found) holders.set(String(document.fields['slot']), document.key)
      }
      return holders
    },
    at: async (slot) => {
      const [found] = await list({ slot }, 1)
      return found === undefined ? null : open(found)
    },
  }
}

function toDocument(
  owner: Owner,
  names: {
    readonly job: string
    readonly key: string
    readonly blind: (kind: 'parent', sourceId: string) => string
  },
  row: Row,
): Document {
  const { job, key, blind } = names
  const { item, parentId, placed, copy, carried, reason } = row
  const part: SealedPart = { item, parentId, placed, copy, carried, reason }
  return {
    key,
    fields: {
      job,
      // Absent where there is none: an index entry that says nothing would cost as much as one that does.
      ...(parentId === null ? {} : { parent: blind('parent', parentId) }),
      ...(row.todo === 'settled' ? {} : { todo: row.todo }),
      ...(row.slot === null ? {} : { slot: row.slot }),
      twin: row.twin,
      form: row.form,
      lined: row.lined,
      listed: row.listed,
      left: row.left,
    },
    body: row.sealed ?? owner.seal('ledger', key, part),
    expiresAt: null,
  }
}

function rowFrom(owner: Owner, document: Document): Row {
  const { fields, body, key } = document
  const part = owner.open<SealedPart>('ledger', key, body)
  return {
    ...part,
    todo: todoOf(fields['todo']),
    slot: typeof fields['slot'] === 'string' ? fields['slot'] : null,
    twin: fields['twin'] === true,
    form: Number(fields['form']),
    lined: Number(fields['lined']),
    listed: Number(fields['listed'] ?? 0),
    left: fields['left'] === true,
    ...(body === null ? {} : { sealed: body }),
  }
}

/** @returns the row with other plain fields; its sealed part is kept as it is. */
export function mark(
  row: Row,
  fields: Partial<Pick<Row, 'todo' | 'slot' | 'twin' | 'form' | 'lined' | 'listed' | 'left'>>,
): Row {
  return { ...row, ...fields }
}

/** @returns the row with anything changed; it will be sealed anew. */
export function rewrite(row: Row, change: Partial<Omit<Row, 'sealed'>>): Row {
  const { sealed: _, ...open } = row
  return { ...open, ...change }
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

const todos: readonly Todo[] = [
  'list',
  'folder',
  'file',
  'make',
  'move',
  'copy',
  'again',
  'settled',
]

function todoOf(value: unknown): Todo {
  if (value === undefined) return 'settled'
  // Anything else was written by a newer version: planning it again is always right.
  return todos.find((todo) => todo === value) ?? 'file'
}
