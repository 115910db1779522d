import { createReadStream } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { linesOf } from '../../backend/cli/lines.ts'
import type { ReceiptLine, ReceiptSummary } from '../../shared/receipt.ts'

/** The receipt of one run, as a file and read. */
export interface Receipt {
  readonly file: string
  readonly lines: readonly ReceiptLine[]
  readonly summary: ReceiptSummary['summary']
}

/** Reads a receipt that `waybill receipt show` wrote. Whether it is right is for `waybill receipt verify` to say. */
export async function readReceipt(file: string): Promise<Receipt> {
  const texts: string[] = []
  for await (const text of linesOf(createReadStream(file))) texts.push(text)
  const { summary }: ReceiptSummary = JSON.parse(texts.pop() ?? '')
  return { file, lines: texts.map((text): ReceiptLine => JSON.parse(text)), summary }
}

/** Copies the receipts of runs into a folder, which is made if it is missing; returns where they are. */
export async function keepReceipts(
  acts: readonly { readonly receipt: Receipt }[],
  folder: string,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  return Promise.all(
    acts.map(async ({ receipt: { file } }) => {
      const kept = join(folder, basename(file))
      await copyFile(file, kept)
      return kept
    }),
  )
}
