import { WaybillError } from '../../shared/errors.ts'
import { addTotals, noTotals } from '../../shared/job.ts'
import type { Totals } from '../../shared/job.ts'
import { receiptLine, receiptSummary } from '../../shared/receipt-schema.ts'
import type { Proof, ReceiptLine, ReceiptSummary } from '../../shared/receipt.ts'
import { createTree } from '../records/merkle-tree.ts'

/** What a receipt says that is true of it. */
export interface VerifiedReceipt {
  readonly summary: ReceiptSummary['summary']
  /** How many copied files and documents there are of each level of proof. */
  readonly proofs: Readonly<Partial<Record<Proof, number>>>
}

/**
 * Recomputes a receipt's root and totals from its lines. Who has changed lines may have changed the summary to match:
 * that shows only against a root from elsewhere, such as the run's, or the next run's receipt (`since`).
 *
 * @param lines the receipt's lines without line ends, the summary last
 * @param expectedRoot the root as it is known from elsewhere, as hex
 * @throws WaybillError `receipt_invalid`, which says where and in what it is not right, without naming any item
 */
export async function verifyReceipt(
  lines: AsyncIterable<string> | Iterable<string>,
  expectedRoot?: string,
): Promise<VerifiedReceipt> {
  const tree = createTree()
  const proofs: Partial<Record<Proof, number>> = {}
  let totals = noTotals
  let count = 0
  // A line is an item's unless it turns out to be the last.
  let last: string | null = null
  for await (const text of lines) {
    if (last !== null) {
      count += 1
      const line = readLine(last, count)
      tree.add(last)
      totals = addTotals(totals, totalsOf(line))
      if (line.proof !== null) proofs[line.proof] = (proofs[line.proof] ?? 0) + 1
    }
    last = text
  }
  if (last === null) throw invalid('The receipt is empty.')
  const { summary } = readSummary(last, count + 1)
  compare('lines', count, summary.lines)
  for (const [name, value] of Object.entries(totals)) {
    if (isTotal(name)) compare(name, value, summary[name])
  }
  const root = tree.root()
  if (root !== summary.root) throw invalid('The root over the lines is not that of the summary.')
  if (expectedRoot !== undefined && root !== expectedRoot)
    throw invalid("The receipt's root is not the one expected.")
  return { summary, proofs }
}

function readLine(text: string, number: number): ReceiptLine {
  const parsed = receiptLine.safeParse(parse(text, number))
  if (!parsed.success) throw invalid(`Line ${number} is not the line of a receipt.`, parsed.error)
  const { outcome, destination, reason } = parsed.data
  const carried = outcome === 'copied' || outcome === 'renamed' || outcome === 'moved'
  if (carried && destination === null)
    throw invalid(`Line ${number} does not say where the copy is.`)
  if ((outcome === 'skipped' || outcome === 'failed') && reason === null)
    throw invalid(`Line ${number} does not say why the item was not carried.`)
  return parsed.data
}

function readSummary(text: string, number: number): ReceiptSummary {
  const parsed = receiptSummary.safeParse(parse(text, number))
  if (!parsed.success)
    throw invalid(`Line ${number}, the last, is not the summary of a receipt.`, parsed.error)
  return parsed.data
}

function parse(text: string, number: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalid(`Line ${number} is not JSON.`, error)
  }
}

/** Only what was copied is bytes written: a move writes none, and a line of it still says how long the copy is. */
function totalsOf({ outcome, destination }: ReceiptLine): Totals {
  const bytes = outcome === 'copied' ? (destination?.bytes ?? 0) : 0
  return { ...noTotals, [outcome]: 1, bytes }
}

function isTotal(name: string): name is keyof Totals {
  return Object.hasOwn(noTotals, name)
}

function compare(name: string, counted: number, said: number): void {
  if (counted !== said)
    throw invalid(`The lines add up to ${counted} ${name}, but the summary says ${said}.`)
}

function invalid(message: string, cause?: unknown): WaybillError {
  return new WaybillError('receipt_invalid', message, { cause })
}
