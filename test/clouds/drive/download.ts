import { byteRange } from '../byte-range.ts'
import type { Answer, Call } from '../call.ts'
import { bytesContent, patternContent } from '../content.ts'
import type { Content } from '../content.ts'
import { fileNotFound, googleRefusal, invalidParameter } from './errors.ts'
import { canExport, exportBytes, formatOf } from './export-formats.ts'
import { mime } from './item.ts'
import type { Item } from './item.ts'
import { flag, supportsAllDrives } from './listing.ts'
import type { DriveState } from './state.ts'

/** Drive's limit for files.export, in bytes. */
const exportLimit = 10 * 1024 * 1024

/** The item that a call names. Throws 404 when it is not there, or not for this caller. */
export function itemOf(call: Call, state: DriveState, id = call.params['fileId'] ?? ''): Item {
  const item = state.get(id)
  if (item === undefined) throw fileNotFound(id)
  if (item.driveId !== null && !supportsAllDrives(call.query)) throw fileNotFound(id)
  if (item.resourceKey !== null) {
    const keys = String(call.headers['x-goog-drive-resource-keys'] ?? '').split(',')
    if (!keys.includes(`${item.id}/${item.resourceKey}`)) throw fileNotFound(id)
  }
  return item
}

/** files.get with `alt=media`. */
export function download(call: Call, state: DriveState): Answer {
  const item = itemOf(call, state)
  if (item.content === null)
    throw googleRefusal(
      403,
      'fileNotDownloadable',
      'Only files with binary content can be downloaded. Use Export with Docs Editors files.',
      { location: 'alt', locationType: 'parameter' },
    )
  if (!item.canDownload) throw notAllowed()
  if (item.abusive && !(flag(call.query, 'acknowledgeAbuse') && item.ownedByMe))
    throw googleRefusal(
      403,
      'cannotDownloadAbusiveFile',
      'This file has been identified as malware or spam and cannot be downloaded.',
    )

  const content = served(call, state, item, item.content)
  const headers = { 'content-type': item.mimeType, 'accept-ranges': 'bytes' }
  const range = byteRange(call.headers.range, content.size)
  if (range === 'whole') return { headers, content: { content, from: 0, to: content.size } }
  if (range === 'unsatisfiable') {
    const refused = googleRefusal(
      416,
      'requestedRangeNotSatisfiable',
      'Request range not satisfiable',
    ).answer
    return { ...refused, headers: { 'content-range': `bytes */${content.size}` } }
  }
  const part = `bytes ${range.from}-${range.to - 1}/${content.size}`
  return {
    status: 206,
    headers: { ...headers, 'content-range': part },
    content: { content, ...range },
  }
}

/** The bytes to serve, after an item that moves on while it is read has moved on. */
function served(call: Call, state: DriveState, item: Item, old: Content): Content {
  const moved = item.changesWhileRead
  if (moved !== null) {
    item.changesWhileRead = null
    state.update(item.id, { content: moved.content })
    return moved.serves === 'old' ? old : halfAndHalf(old, moved.content)
  }
  if (call.fault?.id !== 'net.source_mutates') return old
  const next = patternContent(`mutated ${item.id} ${item.revision}`, old.size)
  state.update(item.id, { content: next })
  return halfAndHalf(old, next)
}

/** As long as `first`, whose first half it begins with; then the bytes of `second` at the same places. */
function halfAndHalf(first: Content, second: Content): Content {
  const middle = Math.floor(first.size / 2)
  return {
    size: first.size,
    async *pieces(from, to) {
      yield* first.pieces(Math.min(from, middle), Math.min(to, middle))
      const changed = Math.min(to, Math.max(second.size, middle))
      yield* second.pieces(Math.max(from, middle), Math.max(changed, Math.max(from, middle)))
      yield* first.pieces(Math.max(from, changed, middle), Math.max(to, changed))
    },
    hash: (name) => first.hash(name),
  }
}

/** files.export: at most 10 MB, sent without a length. */
export async function exportFile(
  call: Call,
  state: DriveState,
  salt: () => string,
): Promise<Answer> {
  const item = itemOf(call, state)
  const to = call.query.get('mimeType')
  if (to === null) throw invalidParameter('mimeType', 'Required parameter: mimeType', 'required')
  const bytes = await exported(item, to, salt)
  if (bytes.length > exportLimit)
    throw googleRefusal(403, 'exportSizeLimitExceeded', 'This file is too large to be exported.')
  return chunked(bytes, to)
}

/** What stands behind `exportLinks`: the same, without the limit. */
export async function exportLink(
  call: Call,
  state: DriveState,
  salt: () => string,
): Promise<Answer> {
  const item = state.get(call.query.get('id') ?? '')
  if (item === undefined)
    return { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>Not found</html>' }
  const to = formatOf(item.mimeType, call.query.get('exportFormat') ?? '')
  if (to === undefined)
    return {
      status: 400,
      headers: { 'content-type': 'text/html' },
      body: '<html>Bad request</html>',
    }
  return chunked(await exported(item, to, salt), to)
}

async function exported(item: Item, to: string, salt: () => string): Promise<Buffer> {
  if (item.content !== null || item.mimeType === mime.folder || item.mimeType === mime.shortcut)
    throw googleRefusal(403, 'fileNotExportable', 'Export only supports Docs Editors files.')
  if (item.mimeType === mime.video)
    throw googleRefusal(
      403,
      'fileNotExportable',
      'Google Vids does not support files.export. Use files.download with Vids files.',
    )
  if (!item.canDownload) throw notAllowed()
  if (!canExport(item.mimeType, to))
    throw invalidParameter('convertTo', 'The requested conversion is not supported.', 'badRequest')
  return exportBytes(item, to, salt())
}

function chunked(bytes: Buffer, type: string): Answer {
  const content = bytesContent(bytes)
  return {
    headers: { 'content-type': type },
    content: { content, from: 0, to: content.size, chunked: true },
  }
}

function notAllowed(): Error {
  return googleRefusal(403, 'cannotDownloadFile', 'This file cannot be downloaded by the user.')
}
