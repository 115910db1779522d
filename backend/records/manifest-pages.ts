import { WaybillError } from '../../shared/errors.ts'
import type { Document, Store } from '../store/store.ts'
import type { Owners } from './owner.ts'
import type { Row, Todo } from './row.ts'

/** Pages kept open: what is being carried lies in the last few. */
const OPEN_PAGES = 8
const PAGES_AT_ONCE = 20
/** A sealed page may have 256 KiB. */
const PAGE_BYTES = 200 * 1024

/** Rows that wait for the same thing. */
export interface Page {
  readonly number: number
  readonly todo: Todo
  readonly rows: readonly Row[]
}

/** A job's manifest as it lies in the store. */
export interface ManifestPages {
  /** Reads every page, oldest first. Throws `envelope_refused`, and what the store throws. */
  all(): AsyncGenerator<Page>
  /** The rows of a page that is there; from memory if it was read or written lately. */
  read(number: number): Promise<readonly Row[]>
  /**
   * @param next gives numbers for further pages, should its rows be too long for one
   * @returns the page, or what it has to be cut into, each with its document; nothing for a page without rows
   */
  sealed(
    page: Page,
    next: () => number,
  ): Promise<readonly { readonly page: Page; readonly document: Document }[]>
  key(number: number): string
  /** What was written. */
  learn(page: Page): void
  /** A page that was removed. */
  forget(number: number): void
}

/** @returns the pages of a job's manifest. */
export function createManifestPages(
  store: Store,
  owners: Owners,
  user: string,
  job: string,
): ManifestPages {
  const open = new Map<number, readonly Row[]>()
  let changes = 0
  const key = (number: number): string => `${job}.${String(number).padStart(8, '0')}`
  const learn = (number: number, rows: readonly Row[]): void => {
    open.delete(number)
    open.set(number, rows)
    const [oldest] = open.keys()
    if (open.size > OPEN_PAGES && oldest !== undefined) open.delete(oldest)
  }

  return {
    key,
    learn: ({ number, rows }) => {
      changes += 1
      learn(number, rows)
    },
    forget: (number) => {
      changes += 1
      open.delete(number)
    },
    async *all() {
      for (let after: string | undefined; ;) {
        const page: { readonly limit: number; readonly after?: string } =
          after === undefined ? { limit: PAGES_AT_ONCE } : { limit: PAGES_AT_ONCE, after }
        const found = await store.list({ collection: 'manifest', where: { job }, ...page })
        const owner = await owners.of(user)
        for (const document of found) {
          const rows = owner.open<Row[]>('manifest', document.key, document.body)
          const [first] = rows
          if (first === undefined) throw damaged()
          yield { number: Number(document.key.slice(job.length + 1)), todo: first.todo, rows }
        }
        after = found.at(-1)?.key
        if (found.length < PAGES_AT_ONCE) return
      }
    },
    read: async (number) => {
      const known = open.get(number)
      if (known !== undefined) return known
      const before = changes
      const document = await store.get('manifest', key(number))
      // Only whoever holds the lease writes pages, and it knows which there are.
      if (document === null) throw damaged()
      const rows = (await owners.of(user)).open<Row[]>('manifest', document.key, document.body)
      // What was written while this was read is newer.
      if (changes === before) learn(number, rows)
      return rows
    },
    sealed: async ({ number, todo, rows }, next) => {
      const owner = await owners.of(user)
      return cut(rows).map((part, index) => {
        const at = index === 0 ? number : next()
        const body = owner.sealText('manifest', key(at), `[${part.texts.join(',')}]`)
        const document = { key: key(at), fields: { job }, body, expiresAt: null }
        return { page: { number: at, todo, rows: part.rows }, document }
      })
    },
  }
}

function cut(all: readonly Row[]): readonly { readonly rows: Row[]; readonly texts: string[] }[] {
  const parts: { readonly rows: Row[]; readonly texts: string[] }[] = []
  let bytes = Infinity
  for (const row of all) {
    const text = JSON.stringify(row)
    const size = Buffer.byteLength(text)
    if (bytes + size > PAGE_BYTES) {
      parts.push({ rows: [], texts: [] })
      bytes = 0
    }
    parts.at(-1)?.rows.push(row)
    parts.at(-1)?.texts.push(text)
    bytes += size
  }
  return parts
}

function damaged(): WaybillError {
  return new WaybillError('envelope_refused', 'A page of the manifest is damaged.')
}
