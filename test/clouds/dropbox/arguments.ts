import { z } from 'zod'

const slashed = '/(.|[\\r\\n])*'
const namespaced = '(ns:[0-9]+(/(.|[\\r\\n])*)?)'

function matching(pattern: string): z.ZodString {
  return z.string().regex(new RegExp(`^(${pattern})$`), `did not match pattern '${pattern}'`)
}

// The patterns are those of the official Stone specification.
const writePath = matching(`(${slashed})|${namespaced}`)
const writePathOrId = matching(`(${slashed})|${namespaced}|(id:.*)`)
const pathOrId = matching(`${slashed}|id:.*|${namespaced}`)
const readPath = z
  .string()
  .refine((path) => path !== '', 'The root folder is unsupported.')
  .pipe(matching(`(${slashed}|id:.*)|(rev:[0-9a-f]{9,})|${namespaced}`))
const listPath = z
  .string()
  .refine((path) => path !== '/', 'Specify the root folder as an empty string rather than as "/".')
  .pipe(matching(`(${slashed})?|id:.*|${namespaced}`))

const rev = matching('[0-9a-f]+').min(9)
const unsigned = z.int().min(0)
const contentHash = z.string().length(64).nullish()
const flag = z.boolean().default(false)
const clientModified = z
  .string()
  .refine(isTimestamp, "time data does not match format '%Y-%m-%dT%H:%M:%SZ'")
  .nullish()

/** A union without values: its tag alone, or an object with the tag. */
function tag<const T extends readonly [string, ...string[]]>(tags: T) {
  return z.preprocess(
    (given) => (typeof given === 'string' ? { '.tag': given } : given),
    z.strictObject({ '.tag': z.enum(tags) }).transform((value) => value['.tag']),
  )
}

const mode = z.union([
  tag(['add', 'overwrite']),
  z
    .strictObject({ '.tag': z.literal('update'), update: rev })
    .transform((value) => ({ rev: value.update })),
])
const sessionType = tag(['sequential', 'concurrent']).nullish()
const cursor = z.strictObject({ session_id: z.string(), offset: unsigned })

const commitFields = {
  path: writePathOrId,
  mode: mode.default('add'),
  autorename: flag,
  client_modified: clientModified,
  mute: flag,
  property_groups: z.array(z.unknown()).nullish(),
  strict_conflict: flag,
}

const commit = z.strictObject(commitFields)

/** What a client asks to be saved, and how. */
export type CommitArgument = z.output<typeof commit>

const finish = z.strictObject({ cursor, commit, content_hash: contentHash })

/** Unknown fields are refused by all of these, as the service does. */
export const argument = {
  upload: z.strictObject({ ...commitFields, content_hash: contentHash }),
  sessionStart: z.strictObject({
    close: flag,
    session_type: sessionType,
    content_hash: contentHash,
  }),
  sessionStartBatch: z.strictObject({
    session_type: sessionType,
    num_sessions: z.int().min(1).max(1000),
  }),
  sessionAppend: z.strictObject({ cursor, close: flag, content_hash: contentHash }),
  sessionAppendBatch: z.strictObject({
    entries: z.array(z.strictObject({ cursor, length: unsigned, close: flag })).max(1000),
    content_hash: contentHash,
  }),
  sessionFinish: finish,
  sessionFinishBatch: z.strictObject({ entries: z.array(finish).max(1000) }),
  createFolder: z.strictObject({ path: writePath, autorename: flag }),
  createFolderBatch: z.strictObject({
    paths: z.array(writePath).max(10_000),
    autorename: flag,
    force_async: flag,
  }),
  poll: z.strictObject({ async_job_id: z.string().min(1) }),
  move: z.strictObject({
    from_path: writePathOrId,
    to_path: writePathOrId,
    allow_shared_folder: flag,
    autorename: flag,
    allow_ownership_transfer: flag,
  }),
  remove: z.strictObject({ path: writePathOrId, parent_rev: rev.nullish() }),
  getMetadata: z.strictObject({
    path: readPath,
    include_media_info: flag,
    include_deleted: flag,
    include_has_explicit_shared_members: flag,
    include_property_groups: z.unknown().optional(),
  }),
  download: z.strictObject({ path: readPath, rev: rev.nullish() }),
  listFolder: z.strictObject({
    path: listPath,
    recursive: flag,
    include_media_info: flag,
    include_deleted: flag,
    include_has_explicit_shared_members: flag,
    include_mounted_folders: z.boolean().default(true),
    limit: z.int().min(1).max(2000).nullish(),
    shared_link: z.null().optional(),
    include_property_groups: z.unknown().optional(),
    include_non_downloadable_files: z.boolean().default(true),
    include_restorable_info: flag,
  }),
  listContinue: z.strictObject({ cursor: z.string().min(1) }),
  listRevisions: z.strictObject({
    path: pathOrId,
    mode: tag(['path', 'id']).default('path'),
    limit: z.int().min(1).max(100).default(10),
    before_rev: rev.nullish(),
    include_restorable_info: flag,
  }),
}

function isTimestamp(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return false
  return !Number.isNaN(Date.parse(text))
}
