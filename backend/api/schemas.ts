import { z } from 'zod'
import { apiKeyDays, apiKeyScopes } from '../../shared/api-key.ts'
import type { ApiKeyRequest, ApiKeyView } from '../../shared/api-key.ts'
import { errorCodes } from '../../shared/errors.ts'
import { delegation, policyChange, policyView, tenantPeople } from '../../shared/policy-schema.ts'
import { auditEntry, auditExport } from '../../shared/audit-schema.ts'
import { receiptLine, receiptSummary, totals } from '../../shared/receipt-schema.ts'
import { erasureCertificate } from '../../shared/certificate-schema.ts'
import type { ExportLine } from '../../shared/export.ts'
import type { JobRequest, RunProgress } from '../../shared/job.ts'
import { weekdays } from '../../shared/schedule.ts'
import type { Schedule } from '../../shared/schedule.ts'
import { isZone, timeOfDay } from '../schedule/due.ts'
import { accountProviders } from '../../shared/account.ts'
import type { AuditPage } from '../audit/read-log.ts'
import type { ConnectionView } from '../connect/connections-view.ts'
import type { Disconnected, PendingRevocation } from '../connect/disconnect.ts'
import type { ErasureView } from '../rights/rights.ts'
import { isNetwork } from '../records/networks.ts'
import type { FreezeView } from '../run/freezing.ts'
import type { JobView } from '../run/jobs.ts'
import type { ErrorBody } from './errors.ts'

/** One of our own ids. */
export const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id of Waybill')

// A provider's id. What it may hold is the provider's business; this keeps it out of queries and paths.
const itemId = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, 'the id of an item')

/** Items that somebody picked. */
export const itemIds = z.array(itemId).min(1).max(1_000)

// A path from the top without empty, `.` and `..` segments.
const aPath = 'a path from the top of the account, like /Backups/Drive'
const folder = z
  .string()
  .max(4_000)
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/]{1,255}){1,100}$/, aPath)
  .refine((path) => !/\p{Cc}/u.test(path), aPath)

/** A whole number in a query, as digits. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.int().min(least).max(most))

const selection = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('items'), ids: itemIds }),
  z.strictObject({ kind: z.literal('folder'), id: itemId }),
  z.strictObject({ kind: z.literal('drive'), sharedDrives: z.boolean() }),
])

const weekdayList = z
  .array(z.enum(weekdays))
  .min(1)
  .refine((days) => new Set(days).size === days.length, 'each day only once')
const at = z.string().regex(timeOfDay, 'a time of day from 00:00 to 23:59, like 02:30')
const zone = z.string().max(100).refine(isZone, 'a time zone, like Europe/Berlin')

const schedule = z.discriminatedUnion('every', [
  z.strictObject({ every: z.literal('hour') }),
  z.strictObject({ every: z.literal('day'), at, zone }),
  z.strictObject({ every: z.literal('week'), on: weekdayList, at, zone }),
]) satisfies z.ZodType<Schedule>

/** What a job's schedule is changed with. */
export const scheduleChange = z.strictObject({ schedule: schedule.nullable() })

/** What a job is asked for with. */
export const jobRequest = z.strictObject({
  kind: z.enum(['copy', 'backup']),
  source: z.strictObject({ connection: id, selection }),
  destination: z.strictObject({ connection: id, folder }),
  schedule: schedule.exactOptional(),
}) satisfies z.ZodType<JobRequest>

const provider = z.enum(accountProviders)
const tier = z.enum(['picked', 'whole'])

/** What an account is connected with: a tier is for Google Drive only. */
export const connectRequest = z.strictObject({ provider, tier: tier.exactOptional() })

/** What a person says that they mean it with. */
export const eraseRequest = z.strictObject({ code: z.string().min(1).max(40) })
const network = z.string().max(50).refine(isNetwork, 'an address or a network, like 192.0.2.0/24')
const scope = z.enum(apiKeyScopes)
// What a person calls a key is shown to them again, also in terminals.
const keyName = z
  .string()
  .min(1)
  .max(100)
  .refine((name) => !/\p{C}/u.test(name), 'plain text')

/** What an API key is asked for with. */
export const apiKeyRequest = z.strictObject({
  name: keyName,
  scopes: z.array(scope).min(1).max(apiKeyScopes.length),
  days: z.int().min(1).max(apiKeyDays.most).exactOptional(),
  from: z.array(network).max(20).exactOptional(),
}) satisfies z.ZodType<ApiKeyRequest>

const errorCode = z.enum(errorCodes)
const time = z.iso.datetime()
const count = z.int().min(0)
const root = z.string().regex(/^[0-9a-f]{64}$/)

const runProgress = z.strictObject({
  run: id,
  number: z.int().min(1),
  state: z.enum(['queued', 'running', 'paused', 'done', 'cancelled', 'failed']),
  phase: z.enum(['scan', 'plan', 'copy', 'close']),
  scanned: count,
  plannedItems: count,
  plannedBytes: count,
  sentBytes: count,
  unchanged: count,
  totals,
  reason: errorCode.nullable(),
  resumesAt: time.nullable(),
  startedAt: time,
  endedAt: time.nullable(),
  root: root.nullable(),
}) satisfies z.ZodType<RunProgress>

const job = z.strictObject({
  id,
  createdAt: time,
  request: jobRequest,
  nextRunAt: time.nullable(),
  run: runProgress,
}) satisfies z.ZodType<JobView>

const jobList = z.strictObject({ jobs: z.array(job), next: id.nullable() })

const connection = z.strictObject({
  id,
  provider,
  account: z.string(),
  state: z.enum(['ready', 'unconfirmed', 'expired', 'frozen']),
  tier: tier.nullable(),
}) satisfies z.ZodType<ConnectionView>

const pendingRevocation = z.strictObject({
  id,
  provider,
  until: time,
}) satisfies z.ZodType<PendingRevocation>

const connectionList = z.strictObject({
  connections: z.array(connection),
  pending: z.array(pendingRevocation),
})

const pickedFiles = z.strictObject({
  url: z.url(),
  ids: z.array(itemId),
  pickedAt: time.nullable(),
})

const connectLink = z.strictObject({ url: z.url(), expiresAt: time })

const disconnected = z.strictObject({
  outcome: z.enum(['revoked', 'pending', 'not_offered']),
  link: z.url(),
}) satisfies z.ZodType<Disconnected>

const freeze = z.strictObject({
  frozen: z.boolean(),
  since: time.nullable(),
}) satisfies z.ZodType<FreezeView>

const apiKey = z.strictObject({
  id,
  name: z.string(),
  scopes: z.array(scope),
  from: z.array(z.string()),
  createdAt: time,
  expiresAt: time,
  lastUsedAt: time.nullable(),
}) satisfies z.ZodType<ApiKeyView>

const newApiKey = apiKey.extend({ key: z.string() })

const apiKeyList = z.strictObject({ keys: z.array(apiKey) })

/** Each line of a receipt is one of these; the last is the summary. */
const receiptEntry = z.union([receiptLine, receiptSummary])

const auditPage = z.strictObject({
  lines: z.array(auditEntry),
  next: z.int().min(1).nullable(),
}) satisfies z.ZodType<AuditPage>

const exportLine = z.union([
  z.strictObject({
    export: z.strictObject({
      version: z.literal(1),
      at: time,
      user: id,
      about: z.string(),
      kinds: z.record(z.string(), z.string()),
      leftOut: z.record(z.string(), z.string()),
    }),
  }),
  z.strictObject({ kind: z.string(), data: z.unknown() }),
  z.strictObject({ end: z.strictObject({ lines: count }) }),
]) satisfies z.ZodType<ExportLine>

const eraseCode = z.strictObject({ code: z.string(), until: time })

const erasure = z.strictObject({
  id,
  state: z.enum(['under_way', 'erased', 'certified']),
  certificate: erasureCertificate.nullable(),
}) satisfies z.ZodType<ErasureView>

const erasureBegun = z.strictObject({ ...erasure.shape, secret: z.string() })

const tenantAuditPage = z.strictObject({
  lines: z.array(z.strictObject({ user: id.nullable(), entry: auditEntry })),
  next: z.int().min(1).nullable(),
})

/** Whom an administrator freezes: a person of the domain, or everybody. */
export const freezeRequest = z
  .strictObject({ user: id.exactOptional(), all: z.literal(true).exactOptional() })
  .refine(({ user, all }) => (user === undefined) !== (all === undefined), 'either user or all')

const health = z.strictObject({ status: z.literal('ok') })

const problem = z.strictObject({
  error: z.strictObject({
    code: errorCode,
    message: z.string(),
    retryAfter: z.int().min(1).exactOptional(),
  }),
}) satisfies z.ZodType<ErrorBody>

const openapi = z.looseObject({ openapi: z.string() })

/** The shapes that the API takes and gives, by their names in its description. */
export const shapes = {
  JobRequest: jobRequest,
  ScheduleChange: scheduleChange,
  Job: job,
  JobList: jobList,
  ConnectRequest: connectRequest,
  ConnectLink: connectLink,
  PickedFiles: pickedFiles,
  Connection: connection,
  ConnectionList: connectionList,
  Disconnected: disconnected,
  Freeze: freeze,
  ApiKeyRequest: apiKeyRequest,
  ApiKey: apiKey,
  NewApiKey: newApiKey,
  ApiKeyList: apiKeyList,
  ReceiptLine: receiptLine,
  ReceiptSummary: receiptSummary,
  ReceiptEntry: receiptEntry,
  AuditPage: auditPage,
  AuditEntry: auditEntry,
  AuditExport: auditExport,
  ExportLine: exportLine,
  EraseRequest: eraseRequest,
  EraseCode: eraseCode,
  Erasure: erasure,
  ErasureBegun: erasureBegun,
  TenantAuditPage: tenantAuditPage,
  Delegation: delegation,
  PolicyChange: policyChange,
  Policy: policyView,
  TenantPeople: tenantPeople,
  Health: health,
  OpenApi: openapi,
  Error: problem,
} as const

export type ShapeName = keyof typeof shapes

export const shapeNames: readonly ShapeName[] = Object.keys(shapes).filter(
  (name): name is ShapeName => Object.hasOwn(shapes, name),
)
