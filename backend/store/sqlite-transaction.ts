import { WaybillError } from '../../shared/errors.ts'
import { checkDocument, checkKey, checkWrites } from './limits.ts'
import type { Row } from './sqlite-table.ts'
import type { Collection, Document, Transaction } from './store.ts'

/** What a transaction read: a row, or that there was none. */
export interface Seen {
  readonly collection: Collection
  readonly key: string
  /** Also a row whose time is over, which the transaction was not shown. */
  readonly row: Row | null
}

/** A write to come; null removes. */
export interface Change {
  readonly collection: Collection
  readonly key: string
  readonly document: Document | null
}

export interface Gathering {
  readonly transaction: Transaction
  /** From here on the transaction takes nothing more; returns what it saw and what it wants to change, in order. */
  end(): { readonly seen: readonly Seen[]; readonly changes: readonly Change[] }
}

/**
 * Remembers what one attempt at a transaction reads and wants to write; writes nothing itself.
 * @param read gives the row as it is stored and the document that may be shown; it may throw
 * @returns the transaction to hand out, and its end. The transaction throws `internal` for what is beyond the store's
 * limits, for a read after a write, and for anything after its end.
 */
export function gather(
  read: (
    collection: Collection,
    key: string,
  ) => { readonly row: Row | null; readonly document: Document | null },
): Gathering {
  const seen = new Map<string, Seen & { readonly document: Document | null }>()
  const changes: Change[] = []
  let isOver = false

  function mayGoOn(): void {
    if (isOver) throw new WaybillError('internal', 'This transaction is over.')
  }

  function write(change: Change): void {
    mayGoOn()
    checkWrites(changes.length + 1)
    changes.push(change)
  }

  return {
    transaction: {
      async get(collection, key) {
        mayGoOn()
        checkKey(key)
        if (changes.length > 0)
          throw new WaybillError('internal', 'A transaction reads before it writes.')
        const place = `${collection}/${key}`
        const before = seen.get(place)
        if (before !== undefined) return before.document
        const { row, document } = read(collection, key)
        seen.set(place, { collection, key, row, document })
        return document
      },
      put(collection, document) {
        checkDocument(document)
        write({ collection, key: document.key, document })
      },
      remove(collection, key) {
        checkKey(key)
        write({ collection, key, document: null })
      },
    },
    end() {
      isOver = true
      return { seen: [...seen.values()], changes }
    },
  }
}
