import type { ReceiptLine } from '../../shared/receipt.ts'
import type { Document, Store } from '../store/store.ts'
import type { Owner, Owners } from './owner.ts'

const NINETY_DAYS_MS = 90 * 24 * 60 * 60_000
/** Lines of long paths and names still fit into one sealed page of 256 KiB. */
const PAGE_BYTES = 200 * 1024

/**
 * Cuts lines into sealed pages.
 *
 * @param first number of the run's next page
 * @param now milliseconds since 1970; the pages are forgotten 90 days later
 */
export function receiptPages(
  owner: Owner,
  run: string,
  first: number,
  lines: readonly ReceiptLine[],
  now: number,
): readonly Document[] {
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
  return pages.map((texts, index) => {
    const key = `${run}.${String(first + index).padStart(8, '0')}`
    return {
      key,
      fields: { run },
      body: owner.seal('receipts', key, texts),
      expiresAt: now + NINETY_DAYS_MS,
    }
  })
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
    const owner = await owners.of(user)
    yield* owner.open<string[]>('receipts', page.key, page.body)
    after = page.key
  }
}
