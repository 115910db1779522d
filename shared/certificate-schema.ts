import { z } from 'zod'
import { accountProviders } from './account.ts'
import type { ErasureCertificate, ErasureStatement } from './certificate.ts'

const time = z.iso.datetime({ precision: 3 })
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().nonnegative()

/** What is signed of an erasure, as its JSON text says it. */
export const erasureStatement: z.ZodType<ErasureStatement> = z.strictObject({
  v: z.literal(1),
  erasure: z.string().max(64),
  startedAt: time,
  keyDeletedAt: time,
  endedAt: time,
  deleted: z.record(z.string().max(40), count),
  linesKept: count,
  copies: z.strictObject({
    unreadableFrom: time,
    keys: z.enum(['apart', 'inside']),
    wiped: z.boolean().nullable(),
  }),
  providers: z.strictObject({
    pending: z.array(z.strictObject({ provider: z.enum(accountProviders), until: time })),
    byThePerson: count,
  }),
  log: z.strictObject({ origin: z.string().max(1_000), sealedHash: hash }),
})

/** A certificate, as its file has it. */
export const erasureCertificate: z.ZodType<ErasureCertificate> = z.strictObject({
  note: z.string().max(50_000),
  key: z.string().max(1_000),
  proof: z.strictObject({
    line: z.string().max(4_000),
    path: z.array(hash).max(64),
    head: z.string().max(4_000),
    key: z.string().max(1_000),
  }),
})
