import { z } from 'zod'
import { errorCodes } from './errors.ts'
import type { Hashes } from './item.ts'
import type { Totals } from './job.ts'
import type { ReceiptLine, ReceiptSummary } from './receipt.ts'

const count = z.int().nonnegative()
const hex = (digits: number): z.ZodType<string> =>
  z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))
const root = hex(64)
const time = z.iso.datetime({ offset: true })

const hashes: z.ZodType<Hashes> = z.strictObject({
  md5: hex(32).exactOptional(),
  sha1: hex(40).exactOptional(),
  sha256: hex(64).exactOptional(),
  contentHash: hex(64).exactOptional(),
})

/** One line of a receipt, as its JSON text says it. */
export const receiptLine: z.ZodType<ReceiptLine> = z.strictObject({
  source: z.strictObject({
    id: z.string(),
    path: z.array(z.string()),
    kind: z.enum(['file', 'folder', 'document', 'shortcut']),
    version: z.string(),
    modifiedAt: time,
    hashes,
  }),
  outcome: z.enum(['copied', 'renamed', 'moved', 'removed', 'skipped', 'failed']),
  destination: z
    .strictObject({
      path: z.string(),
      id: z.string(),
      version: z.string(),
      bytes: count,
      hashes,
    })
    .nullable(),
  proof: z
    .enum([
      'both-checksums',
      'destination-checksum',
      'read-back',
      'size-only',
      'rewritten-by-provider',
    ])
    .nullable(),
  reason: z.enum(errorCodes).nullable(),
  notes: z.array(z.string()),
  at: time,
})

/** What a run has done. */
export const totals = z.strictObject({
  copied: count,
  renamed: count,
  moved: count,
  removed: count,
  skipped: count,
  failed: count,
  bytes: count,
}) satisfies z.ZodType<Totals>

/** The last line of a receipt. */
export const receiptSummary: z.ZodType<ReceiptSummary> = z.strictObject({
  summary: z.strictObject({
    job: z.string(),
    run: count,
    lines: count,
    ...totals.shape,
    unchanged: count,
    since: z.strictObject({ run: count, root }).nullable(),
    root,
  }),
})
