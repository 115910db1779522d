import type { ReceiptLine } from '../../shared/receipt.ts'
import type { Document, Store } from '../store/store.ts'
import { createTree } from './merkle-tree.ts'
import type { SavedTree, Tree } from './merkle-tree.ts'
import type { Owner, Owners } from './owner.ts'

const NINETY_DAYS_MS = 90 * 24 * 60 * 60_000
/** Lines of long paths and names still fit into one sealed page of 256 KiB. */
const PAGE_BYTES = 200 * 1024

/** Texts of lines, and the tree over all lines of the run up to the last of them. */
interface Page {
  readonly lines: readonly string[]
  readonly tree: SavedTree
}

/** The receipt that a run writes. Made for one slice: only whoever holds the run's lease writes. */
export interface Receipt {
  /**
   * Cuts lines into sealed pages, each with the tree so far, so that the root costs nothing at the end.
   *
   * @param first how many pages the run has
   * @param now milliseconds since 1970; the pages are forgotten 90 days later
   * @returns their documents, ready for a transaction
   */
  pages(
    first: number,
    lines: readonly ReceiptLine[],
    now: number,
  ): Promise<{ readonly documents: readonly Document[]; readonly landed: () => void }>
  /** The tree over the lines of the run's pages. It has fewer lines than the run if some pages are forgotten. */
  tree(pages: number): Promise<Tree>
}

/** @returns a run's receipt. */
export function openReceipt(store: Store, owners: Owners, user: string, run: string): Receipt {
  let newest: { readonly pages: number; readonly tree: SavedTree } | null = null

  const treeOf = async (pages: number): Promise<Tree> => {
    if (pages === 0) return createTree()
    if (newest?.pages === pages) return createTree(newest.tree)
    const page = await store.get('receipts', pageKey(run, pages - 1))
    // What comes is recorded all the same: the tree stays smaller than the number of lines.
    return page === null ? createTree() : createTree(openPage(await owners.of(user), page).tree)
  }

  return {
    pages: async (first, lines, now) => {
      if (lines.length === 0) return { documents: [], landed: () => undefined }
      const owner = await owners.of(user)
      const tree = await treeOf(first)
      const documents = cut(lines).map((texts, index) => {
        for (const text of texts) tree.add(text)
        const key = pageKey(run, first + index)
        const page: Page = { lines: texts, tree: tree.save() }
        const body = owner.seal('receipts', key, page)
        return { key, fields: { run }, body, expiresAt: now + NINETY_DAYS_MS }
      })
      const landed = (): void => {
        newest = { pages: first + documents.length, tree: tree.save() }
      }
      return { documents, landed }
    },
    tree: async (pages) => {
      // They are forgotten in the order in which they were written.
      const isWhole = pages === 0 || (await store.get('receipts', pageKey(run, 0))) !== null
      return isWhole ? treeOf(pages) : createTree()
    },
  }
}

/** @returns the texts of a run's lines, in the order in which they were recorded. */
export async function* receiptLines(
  store: Store,
  owners: Owners,
  user: string,
  run: string,
): AsyncGenerator<string> {
  let after: string | undefined
  for (;;) {
    const [page] = await store.list({
      collection: 'receipts',
      where: { run },
      limit: 1,
      ...(after === undefined ? {} : { after }),
    })
    if (page === undefined) return
    yield* openPage(await owners.of(user), page).lines
    after = page.key
  }
}

function pageKey(run: string, number: number): string {
  return `${run}.${String(number).padStart(8, '0')}`
}

function openPage(owner: Owner, { key, body }: Document): Page {
  return owner.open<Page>('receipts', key, body)
}

function cut(lines: readonly ReceiptLine[]): readonly (readonly string[])[] {
  const pages: string[][] = []
  let bytes = Infinity
  for (const line of lines) {
    const text = JSON.stringify(line)
    const size = Buffer.byteLength(text)
    if (bytes + size > PAGE_BYTES) {
      pages.push([])
      bytes = 0
    }
    pages.at(-1)?.push(text)
    bytes += size
  }
  return pages
}
