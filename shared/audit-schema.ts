import { z } from 'zod'
import { actNames, actResults } from './audit.ts'
import type { ActDetails, AuditEntry, AuditExport, AuditLine } from './audit.ts'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const blinded = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)

/** A line of a log, as its JSON text says it. */
export const auditLine: z.ZodType<AuditLine> = z.strictObject({
  v: z.literal(1),
  number: z.int().nonnegative(),
  at: z.iso.datetime({ precision: 3 }),
  actor: blinded,
  act: z.enum(actNames),
  target: blinded.nullable(),
  result: z.enum(actResults),
  sealedHash: hash,
  detailsHash: hash,
  prev: hash.nullable(),
})

const details: z.ZodType<ActDetails> = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null()]),
)

/** A line of a log with its details. */
export const auditEntry: z.ZodType<AuditEntry> = z.strictObject({
  line: auditLine,
  sealed: z.base64url().nullable(),
  details: details.nullable(),
})

/** One line of an exported log, as its JSON text says it. */
export const auditExport: z.ZodType<AuditExport> = z.union([
  auditEntry,
  z.strictObject({ head: z.string().max(4_000) }),
  z.strictObject({ key: z.string().max(1_000) }),
])
