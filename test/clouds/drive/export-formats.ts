import { crc32 } from 'node:zlib'
import { patternContent, readContent } from '../content.ts'
import type { Item } from './item.ts'
import { mime } from './item.ts'

const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const pptx = 'application/vnd.openxmlformats-officedocument.presentationml.presentation'

/**
 * File extension → MIME type for each kind of item that has exports,
 * https://developers.google.com/workspace/drive/api/guides/ref-export-formats.
 */
const formats: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [mime.document]: {
    docx,
    odt: 'application/vnd.oasis.opendocument.text',
    rtf: 'application/rtf',
    pdf: 'application/pdf',
    txt: 'text/plain',
    zip: 'application/zip',
    epub: 'application/epub+zip',
    md: 'text/markdown',
  },
  [mime.spreadsheet]: {
    xlsx,
    ods: 'application/vnd.oasis.opendocument.spreadsheet',
    pdf: 'application/pdf',
    zip: 'application/zip',
    csv: 'text/csv',
    tsv: 'text/tab-separated-values',
  },
  [mime.presentation]: {
    pptx,
    odp: 'application/vnd.oasis.opendocument.presentation',
    pdf: 'application/pdf',
    txt: 'text/plain',
  },
  [mime.drawing]: {
    pdf: 'application/pdf',
    jpg: 'image/jpeg',
    png: 'image/png',
    svg: 'image/svg+xml',
  },
  [mime.script]: { json: 'application/vnd.google-apps.script+json' },
}

/** What Google converts on upload, as `about` reports it; a part is enough here. */
const importFormats: Readonly<Record<string, readonly string[]>> = {
  [docx]: [mime.document],
  'text/plain': [mime.document],
  'text/html': [mime.document],
  [xlsx]: [mime.spreadsheet],
  'text/csv': [mime.spreadsheet],
  [pptx]: [mime.presentation],
}

/** `about.exportFormats` and `about.importFormats`. */
export function conversions(): {
  readonly exportFormats: unknown
  readonly importFormats: unknown
} {
  const exportFormats = Object.entries(formats).map(([from, to]) => [from, Object.values(to)])
  return { exportFormats: Object.fromEntries(exportFormats), importFormats }
}

/** The MIME type that stands behind `exportFormat=` in a link, or undefined. */
export function formatOf(mimeType: string, extension: string): string | undefined {
  return formats[mimeType]?.[extension]
}

/** Whether an item of the first type can be exported as the second. */
export function canExport(mimeType: string, to: string): boolean {
  return Object.values(formats[mimeType] ?? {}).includes(to)
}

/** `exportLinks` of an item on this server, or undefined where Google gives none. */
export function exportLinks(
  item: Item,
  baseUrl: string,
): Readonly<Record<string, string>> | undefined {
  const known = formats[item.mimeType]
  if (known === undefined || item.mimeType === mime.script) return undefined
  const kind = item.mimeType.slice(item.mimeType.lastIndexOf('.') + 1)
  const page = `${baseUrl}/feeds/download/${kind}s/Export?id=${encodeURIComponent(item.id)}`
  const links = Object.entries(known).map(
    ([extension, type]) => [type, `${page}&exportFormat=${extension}`] as const,
  )
  return Object.fromEntries<string>(links)
}

/**
 * The bytes of an export: a well-formed container of the item's seeded size with contents that depend
 * on the item, its revision, the format and `salt`. Small sizes grow to what the container needs.
 */
export async function exportBytes(item: Item, to: string, salt: string): Promise<Buffer> {
  const { exportSize } = item
  const size = typeof exportSize === 'number' ? exportSize : (exportSize[to] ?? 4096)
  const inside = (overhead: number): Promise<Buffer> =>
    readContent(
      patternContent(`${item.id} ${item.revision} ${to} ${salt}`, Math.max(0, size - overhead)),
    )
  if (/zip|openxmlformats|opendocument/.test(to)) return zipped(await inside(zipOverhead))
  if (to === 'application/pdf')
    return Buffer.concat([Buffer.from('%PDF-1.7\n'), await inside(15), Buffer.from('\n%%EOF')])
  if (to === 'image/jpeg') return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), await inside(3)])
  if (to === 'image/png')
    return Buffer.concat([Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'), await inside(8)])
  // Text: one line per 32 bytes of the pattern.
  const bytes = await inside(0)
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = at % 32 === 31 ? 10 : 97 + ((bytes[at] ?? 0) % 26)
  return bytes
}

const zipEntry = 'content.bin'
const zipOverhead = 30 + 46 + 22 + 2 * zipEntry.length

/** An archive of one stored entry (APPNOTE.TXT 4.3), so that a reader can check its CRC. */
function zipped(bytes: Buffer): Buffer {
  const name = Buffer.from(zipEntry)
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(20, 4)
  local.writeUInt16LE(0x21, 12)
  local.writeUInt32LE(crc32(bytes), 14)
  local.writeUInt32LE(bytes.length, 18)
  local.writeUInt32LE(bytes.length, 22)
  local.writeUInt16LE(name.length, 26)
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE(20, 4)
  local.copy(central, 6, 4, 30)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length + name.length, 12)
  end.writeUInt32LE(local.length + name.length + bytes.length, 16)
  return Buffer.concat([local, name, bytes, central, name, end])
}
