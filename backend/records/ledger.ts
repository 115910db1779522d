import type { Document, Field, Store } from '../store/store.ts'
import type { Owner, Owners } from './owner.ts'
import type { Row } from './row.ts'

/** What a job remembers of the items that wait for nothing in this run: a document each, sealed for the job's owner. */
export interface Ledger {
  /** A row's document, ready for a transaction. */
  document(row: Row): Document
  key(sourceId: string): string
  /** Names a place at the destination: at most one row has it. */
  slot(parentId: string, comparableName: string): string
  rows(sourceIds: readonly string[]): Promise<readonly (Row | null)[]>
  /** At most `limit` rows that were not carried, in the order of their keys. */
  failed(limit: number, after?: string): Promise<readonly Row[]>
  /** Rows that count as lying in a folder. */
  children(sourceId: string, limit: number, after?: string): Promise<readonly Row[]>
  /** The rows that hold these places. */
  holders(slots: readonly string[]): Promise<readonly Row[]>
}

const IN_LIMIT = 30
const KEYS_AT_ONCE = 1000

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
  const parents = new Map<string, string>()
  const parent = (sourceId: string): string => {
    const known = parents.get(sourceId) ?? owner.blind('parent', sourceId)
    parents.set(sourceId, known)
    return known
  }
  const key = (sourceId: string): string => `${job}.${owner.blind('source', sourceId)}`
  const open = ({ key: at, body }: Document): Row => owner.open<Row>('ledger', at, body)

  const list = async (
    where: Record<string, Field | readonly Field[]>,
    limit: number,
    after?: string,
  ) => {
    const page = after === undefined ? { limit } : { limit, after }
    const found = await store.list({ collection: 'ledger', where: { job, ...where }, ...page })
    return found.map(open)
  }

  return {
    key,
    document: (row) => toDocument(owner, { job, key: key(row.item.id), parent }, row),
    // The places in one folder lie beside each other in the store's index, which makes writing them cheap.
    slot: (parentId, name) =>
      `${parent(parentId).slice(0, 8)}${owner.blind('slot', `${parentId}\0${name}`)}`,
    rows: async (ids) => {
      const rows: (Row | null)[] = []
      for (let from = 0; from < ids.length; from += KEYS_AT_ONCE) {
        const found = await store.getMany('ledger', ids.slice(from, from + KEYS_AT_ONCE).map(key))
        rows.push(...found.map((document) => (document === null ? null : open(document))))
      }
      return rows
    },
    failed: async (limit, after) => list({ todo: 'again' }, limit, after),
    children: async (sourceId, limit, after) => list({ parent: parent(sourceId) }, limit, after),
    holders: async (slots) => {
      const rows: Row[] = []
      for (let from = 0; from < slots.length; from += IN_LIMIT)
        rows.push(...(await list({ slot: slots.slice(from, from + IN_LIMIT) }, KEYS_AT_ONCE)))
      return rows
    },
  }
}

function toDocument(
  owner: Owner,
  names: {
    readonly job: string
    readonly key: string
    readonly parent: (sourceId: string) => string
  },
  row: Row,
): Document {
  const { job, key, parent } = names
  return {
    key,
    fields: {
      job,
      // Absent where there is none: an index entry that says nothing would cost as much as one that does.
      ...(row.parentId === null ? {} : { parent: parent(row.parentId) }),
      ...(row.todo === 'settled' ? {} : { todo: row.todo }),
      ...(row.slot === null ? {} : { slot: row.slot }),
    },
    body: owner.seal('ledger', key, row),
    expiresAt: null,
  }
}
