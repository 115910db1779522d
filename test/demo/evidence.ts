import { extname } from 'node:path'
import type { ReceiptLine } from '../../shared/receipt.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import type { Evidence } from './compare-trees.ts'
import { exportAgain } from './export-again.ts'
import type { SeededDrive } from './seeded-drive.ts'

/** Looks into both clouds behind Waybill's back. */
export async function gatherEvidence(
  { drive, dropbox }: ForkedClouds,
  { expected, others }: SeededDrive,
  lines: readonly ReceiptLine[],
): Promise<Evidence> {
  const [source, destination] = await Promise.all([drive.control.dump(), dropbox.control.dump()])
  const copies = new Map(lines.map((line) => [line.source.id, line.destination?.path ?? '']))
  const documents = Object.values(source)
    .filter(({ kind, id }) => kind === 'document' && !expected.has(id))
    .map(({ id }): [string, string] => [id, extname(copies.get(id) ?? '').slice(1)])
  const exports = await exportAgain(drive, new Map(documents))
  return { source, destination, lines, exports, expected, others }
}
