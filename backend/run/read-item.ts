import type { Readable } from 'node:stream'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { HashName, Hashes, Item } from '../../shared/item.ts'
import type { Source } from '../clouds/cloud.ts'
import { hashBytes, namesToCompare } from '../clouds/digest.ts'
import { createByteReader, readStart } from './byte-reader.ts'
import type { ByteReader } from './byte-reader.ts'

/** How often an item that does not match what the source says of it is read again. */
const ATTEMPTS = 3

/** An item's bytes, all of them, and proof that they are the source's. */
export interface Whole {
  /** As it was when these bytes were read. */
  readonly item: Item
  readonly bytes: Uint8Array
  readonly hashes: Hashes
}

/** A body that is longer than may be held whole: its beginning, and the reader for the rest. */
export interface TooLong {
  readonly head: Uint8Array
  readonly reader: ByteReader
}

/** A file that has become too long to be held since it was listed. */
export interface Grown {
  readonly grown: Item
}

/**
 * Reads a small item whole, and again if what was read is not what the source says it holds.
 *
 * @param form number of the export form, for documents
 * @param limit bytes that may be held
 * @throws WaybillError `keeps_changing`, `damaged_at_source`, `gone`, `unavailable` when the connection keeps breaking, and what
 *   `open` throws
 */
export async function readWhole(
  source: Source,
  listed: Item,
  options: {
    readonly form: number
    readonly limit: number
    readonly destinationHashes: readonly HashName[]
    readonly signal: AbortSignal
  },
): Promise<Whole | TooLong | Grown> {
  const { limit, signal } = options
  let item = listed
  let changed = false
  let broken = false
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const form = item.exports[options.form]
    const body = await source.open(item, {
      from: 0,
      signal,
      ...(form === undefined ? {} : { form }),
    })
    const expected = item.kind === 'file' ? item.size : null
    const bytes = await readUpTo(body.stream, Math.min(expected ?? limit, limit) + 1)
    if (bytes !== null && bytes.length > limit && expected === null)
      return { head: bytes, reader: createByteReader(body.stream) }
    if (!body.stream.readableEnded) body.stream.destroy()
    broken = bytes === null
    if (bytes !== null && (expected === null || bytes.length === expected)) {
      const hashes = hashBytes(bytes, namesToCompare(item.hashes, options.destinationHashes, true))
      if (agrees(item.hashes, hashes)) return { item, bytes, hashes }
    }
    const now = await freshItem(source, item)
    changed ||= now.version !== item.version
    item = now
    if (item.kind === 'file' && item.size !== null && item.size > limit) return { grown: item }
  }
  if (broken) throw new WaybillError('unavailable', 'The connection to the source keeps breaking.')
  throw changed
    ? new WaybillError('keeps_changing', 'The file changes faster than it can be read.')
    : new WaybillError(
        'damaged_at_source',
        'What the source delivers is not what it says it holds.',
      )
}

/** @returns the bytes, or null if the connection broke before the end */
async function readUpTo(stream: Readable, count: number): Promise<Uint8Array | null> {
  try {
    return await readStart(stream, count)
  } catch (error) {
    stream.destroy()
    if (isBroken(error)) return null
    throw error
  }
}

/** @returns whether a body's stream failed in a way that may pass. */
export function isBroken(error: unknown): boolean {
  if (error instanceof WaybillError) return hasCode(error, 'unavailable')
  // Node and undici name their errors by code; an abort of ours carries none and goes through.
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.name !== 'AbortError'
  )
}

/**
 * @returns the item as it is now, but under the name and in the folder that the plan knows: where it lies is for the
 *   next run to follow. Throws `gone`.
 */
export async function freshItem(source: Source, item: Item): Promise<Item> {
  const now = await source.get(item.id)
  if (now === null || now.trashed) throw new WaybillError('gone', 'The file is not there any more.')
  return { ...now, name: item.name, parentId: item.parentId }
}

/** @returns whether every checksum that both have is the same. */
export function agrees(said: Hashes, computed: Hashes): boolean {
  return (['md5', 'sha1', 'sha256', 'contentHash'] as const).every(
    (name) =>
      said[name] === undefined || computed[name] === undefined || said[name] === computed[name],
  )
}
