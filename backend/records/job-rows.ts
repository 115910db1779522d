import pLimit from 'p-limit'
import { asWaybillError } from '../../shared/errors.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { openLedger } from './ledger.ts'
import { openManifest } from './manifest.ts'
import { createManifestPages } from './manifest-pages.ts'
import type { Owners } from './owner.ts'
import type { Row, Todo } from './row.ts'

const PAGE = 400
/** Writes of one transaction that may be rows: the store takes 450, and receipt pages and the run are among them. */
const DOCUMENTS_AT_ONCE = 400
/** Bytes of rows and of pages that are written anew: with the receipt's pages less than the 3.5 MiB that the store takes. */
const BYTES_AT_ONCE = 2.2 * 1024 * 1024
const PAGE_BYTES = 200 * 1024
/** Some milliseconds of work for every few hundred: downloads go on between. */
const SEALED_AT_ONCE = 8

/** Rows to keep, and rows to forget altogether. */
export interface Change {
  readonly rows: readonly Row[]
  readonly forgotten?: readonly Row[]
}

/**
 * All that a job knows of items: those that wait, in its manifest, and the others, in its ledger. A row is in one of
 * them, or in both: then the manifest's is the newer one. Made for one slice: only whoever holds the run's lease writes.
 */
export interface JobRows {
  rows(sourceIds: readonly string[]): Promise<readonly (Row | null)[]>
  /** Whether any row waits for this. */
  waits(todo: Todo): boolean
  /** Some of the rows that wait for this, always the same until they are changed; none if nothing does. */
  first(todo: Todo): Promise<readonly Row[]>
  /** Page by page, all rows that wait for this. */
  pages(todo: Todo): AsyncGenerator<readonly Row[]>
  /** Page by page, rows that were not carried by an earlier run and wait for nothing yet. */
  failed(): AsyncGenerator<readonly Row[]>
  /** Page by page, rows that count as lying in a folder. */
  children(sourceId: string): AsyncGenerator<readonly Row[]>
  /** Which of these places are taken, and by which source id. */
  taken(slots: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** The row that holds a place. */
  at(slot: string): Promise<Row | null>
  /** Whether so many rows fit into one transaction, beside the run and what it writes of receipts. */
  fit(rows: readonly Row[]): boolean
  /**
   * Keeps a change; one after the other.
   *
   * @param land runs the transaction that belongs to it, and calls `write` in it
   */
  keep<T>(
    change: Change,
    land: (write: (transaction: Transaction) => void) => Promise<T>,
  ): Promise<T>
}

export interface JobRowsOptions {
  readonly store: Store
  readonly owners: Owners
  readonly user: string
  readonly job: string
  /** Whether nothing was ever kept for the job: then nothing is asked for in vain. */
  readonly isNew: boolean
  /** Lets timers and the network have their turn. */
  readonly turn: () => Promise<void>
}

/** @returns a job's rows. Throws `envelope_refused`, and what the store throws. */
export async function openJobRows(options: JobRowsOptions): Promise<JobRows> {
  const { store, owners, user, job, turn } = options
  const manifest = await openManifest(createManifestPages(store, owners, user, job))
  const inTurn = pLimit(1)
  // What the ledger holds, for as long as that is known: until it has rows with places.
  let inLedger = options.isNew ? new Set<string>() : null
  let failure: Error | null = null
  const ledgerNow = async () => openLedger(store, owners, user, job)
  const isOver = ({ todo }: Row): boolean => todo === 'settled' || todo === 'again'
  /** What the manifest has is newer. */
  const onlyInLedger = (rows: readonly Row[]): readonly Row[] =>
    rows.filter(({ item }) => !manifest.has(item.id))

  const fromLedger = async (ids: readonly string[]): Promise<ReadonlyMap<string, Row>> => {
    const asked = ids.filter((id) => inLedger === null || inLedger.has(id))
    if (asked.length === 0) return new Map()
    const found = await (await ledgerNow()).rows(asked)
    return new Map(found.flatMap((row) => (row === null ? [] : [[row.item.id, row]])))
  }
  const rows = async (ids: readonly string[]): Promise<readonly (Row | null)[]> => {
    const waiting = await manifest.rows(ids)
    const others = await fromLedger(ids.filter((id) => !waiting.has(id)))
    return ids.map((id) => waiting.get(id) ?? others.get(id) ?? null)
  }

  return {
    rows,
    waits: manifest.waits,
    first: manifest.first,
    pages: manifest.pages,
    async *failed() {
      for (let after: string | undefined; ;) {
        const ledger = await ledgerNow()
        const found = await ledger.failed(PAGE, after)
        yield onlyInLedger(found)
        const last = found.at(-1)
        if (found.length < PAGE || last === undefined) return
        after = ledger.key(last.item.id)
      }
    },
    async *children(id) {
      yield await manifest.children(id)
      for (let after: string | undefined; ;) {
        const ledger = await ledgerNow()
        const found = await ledger.children(id, PAGE, after)
        yield onlyInLedger(found)
        const last = found.at(-1)
        if (found.length < PAGE || last === undefined) return
        after = ledger.key(last.item.id)
      }
    },
    taken: async (slots) => {
      const holders = new Map(await manifest.holders(slots))
      if (inLedger !== null) return holders
      const others = slots.filter((slot) => !holders.has(slot))
      for (const { slot, item } of onlyInLedger(await (await ledgerNow()).holders(others)))
        if (slot !== null) holders.set(slot, item.id)
      return holders
    },
    at: async (slot) => {
      const id = (await manifest.holders([slot])).get(slot)
      if (id !== undefined) return (await rows([id]))[0] ?? null
      return onlyInLedger(await (await ledgerNow()).holders([slot]))[0] ?? null
    },
    fit: (some) =>
      some.filter(isOver).length <= DOCUMENTS_AT_ONCE &&
      some.reduce((sum, row) => sum + mostBytes(row), manifest.pagesOf(some) * PAGE_BYTES) <=
        BYTES_AT_ONCE,
    keep: async (change, land) =>
      inTurn(async () => {
        // Nobody knows whether it landed.
        if (failure !== null) throw failure
        const ledger = await ledgerNow()
        const forgotten = (change.forgotten ?? []).map(({ item }) => item.id)
        const kept = [...new Map(change.rows.map((row) => [row.item.id, row])).values()]
        const over = kept.filter(isOver)
        const documents: Document[] = []
        for (const [at, row] of over.entries()) {
          if (at % SEALED_AT_ONCE === SEALED_AT_ONCE - 1) await turn()
          documents.push(ledger.document(row))
        }
        const keys = forgotten.map(ledger.key)
        const edit = await manifest.prepare(
          kept.filter((row) => !isOver(row)),
          [...forgotten, ...over.map(({ item }) => item.id)],
        )
        const write = (transaction: Transaction): void => {
          for (const document of documents) transaction.put('ledger', document)
          for (const key of keys) transaction.remove('ledger', key)
          for (const document of edit.documents) transaction.put('manifest', document)
          for (const key of edit.removed) transaction.remove('manifest', key)
        }
        try {
          const result = await land(write)
          edit.landed()
          for (const { item } of over) inLedger?.add(item.id)
          if (over.some(({ slot }) => slot !== null)) inLedger = null
          return result
        } catch (error) {
          failure = error instanceof Error ? error : asWaybillError(error)
          throw error
        }
      }),
  }
}

/** A character is at most six bytes of JSON (`\u0001`); the rest of a row is shorter than 1 KB. */
function mostBytes({ item, placed }: Row): number {
  return 1000 + 6 * (item.name.length + (placed?.name.length ?? 0))
}
