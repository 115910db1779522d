import { WaybillError } from '../../shared/errors.ts'
import { checkDocument, checkKey, checkWrites } from './limits.ts'
import type { Collection, Document, Transaction } from './store.ts'

/** A write to come; null removes. */
export interface Change {
  readonly collection: Collection
  readonly key: string
  readonly document: Document | null
}

export interface Gathering {
  readonly transaction: Transaction
  /** From here on the transaction takes nothing more; returns what it wants to change, in order. */
  end(): readonly Change[]
}

/**
 * Remembers what one attempt at a transaction reads and wants to write; writes nothing itself.
 * @param read gives the document that may be shown, asked once for each; it may throw
 * @returns the transaction to hand out, and its end. The transaction throws `internal` for what is beyond the store's
 * limits, for keys beside other collections, for a read after a write, and for anything after its end.
 */
export function gather(
  read: (collection: Collection, key: string) => Promise<Document | null>,
): Gathering {
  const seen = new Map<string, Promise<Document | null>>()
  const changes: Change[] = []
  let bytes = 0
  let isOfKeys: boolean | null = null
  let isOver = false

  // Keys may live in a database of their own, and no transaction spans two.
  function mayTouch(collection: Collection): void {
    if (isOver) throw new WaybillError('internal', 'This transaction is over.')
    isOfKeys ??= collection === 'keys'
    if (isOfKeys !== (collection === 'keys'))
      throw new WaybillError('internal', 'A transaction touches keys, or other collections.')
  }

  function write(change: Change): void {
    mayTouch(change.collection)
    bytes += change.document?.body?.byteLength ?? 0
    checkWrites(changes.length + 1, bytes)
    changes.push(change)
  }

  return {
    transaction: {
      async get(collection, key) {
        mayTouch(collection)
        checkKey(key)
        if (changes.length > 0)
          throw new WaybillError('internal', 'A transaction reads before it writes.')
        const place = `${collection}/${key}`
        const found = seen.get(place) ?? read(collection, key)
        seen.set(place, found)
        return found
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
      return changes
    },
  }
}
