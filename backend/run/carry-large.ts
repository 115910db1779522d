import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Hashes, Item } from '../../shared/item.ts'
import { createDigest, namesToCompare } from '../clouds/digest.ts'
import type { Digest } from '../clouds/digest.ts'
import type { Work } from '../plan/work.ts'
import { isTimeUp } from '../plan/work.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { underLease } from '../records/runs.ts'
import { readUpload, uploadDocument, uploadKey } from '../records/transfers.ts'
import type { Upload } from '../records/transfers.ts'
import { createByteReader } from './byte-reader.ts'
import type { ByteReader } from './byte-reader.ts'
import type { Carried } from './commit-lane.ts'
import { agrees, freshItem, isBroken } from './read-item.ts'
import type { TooLong } from './read-item.ts'

/** What a killed worker costs at most: a chunk that was sent and not written down. */
export const chunkBytes = 8 * 1024 * 1024
const DIGEST_PIECE = 1024 * 1024
const READS = 5
const ATTEMPTS = 3
/** Chunks may follow each other faster than one document may be written, so the run counts those of some seconds at once. */
const COUNTED_EVERY_MS = 3_000

/** A closed session that holds the item's bytes, or `later`: the slice's time is up, and what was sent is written down. */
export type Sent = { readonly carried: Carried; readonly session: string } | 'later'

/** A session's bytes so far. */
interface Sending {
  session: string | null
  offset: number
  /** Bytes of it that the run has counted as sent. */
  counted: number
  digest: Digest
}

/** A chunk that was read and digested, and is to be sent. */
interface Chunk {
  readonly bytes: Uint8Array
  /** Checksums of the chunk alone, as far as digesting it gave them. */
  readonly hashes: Hashes
  /** What the digest goes on from after it; null where nobody will: after the last, or if the item cannot be resumed. */
  readonly state: string | null
}

/**
 * Carries an item too large to be held in memory: chunk after chunk into an upload session, each written down once the
 * destination has it, so that another worker goes on where this one ended. While one chunk is sent the next is read and
 * digested: each byte is hashed once, for the destination's check of the chunk as for the whole.
 *
 * @param options.begun the beginning of a body of unknown size that turned out to be long
 * @param options.afterChunk called after each chunk but the last
 * @throws WaybillError `keeps_changing`, `damaged_at_source`, `gone`, and what the clouds throw
 */
export async function carryLarge(
  work: Work,
  row: Row,
  options: { readonly begun?: TooLong; readonly afterChunk?: () => Promise<void> } = {},
): Promise<Sent> {
  const { begun, afterChunk = async () => undefined } = options
  let item = row.item
  let changed = false
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const sending = await resume(work, row, item)
    const first = attempt === 1 ? begun : undefined
    const sent = await sendAll(work, row, item, sending, first, afterChunk)
    if (sent !== 'mismatch') return sent
    await forget(work, row)
    const now = await freshItem(work.source, item)
    changed ||= now.version !== item.version
    item = now
  }
  throw changed
    ? new WaybillError('keeps_changing', 'The file changes faster than it can be read.')
    : new WaybillError(
        'damaged_at_source',
        'What the source delivers is not what it says it holds.',
      )
}

/** @returns the session that an earlier worker began for this very version, or a new beginning. */
async function resume(work: Work, row: Row, item: Item): Promise<Sending> {
  const names = namesToCompare(item.hashes, work.destination.capabilities.hashes, false)
  const upload = item.kind === 'file' ? await savedUpload(work, row) : null
  if (upload !== null && upload.version === item.version) {
    try {
      return {
        session: upload.session,
        offset: upload.offset,
        counted: upload.counted ?? upload.offset,
        digest: await createDigest(names, upload.digest),
      }
    } catch (error) {
      if (!hasCode(error, 'session_lost')) throw error
    }
  }
  return { session: null, offset: 0, counted: 0, digest: await createDigest(names) }
}

async function sendAll(
  work: Work,
  row: Row,
  item: Item,
  sending: Sending,
  begun: TooLong | undefined,
  afterChunk: () => Promise<void>,
): Promise<Sent | 'mismatch'> {
  const size = item.kind === 'file' ? item.size : null
  let reader = begun === undefined ? null : begun.reader
  let head = begun?.head
  let ahead: Promise<Chunk> | null = null
  const room = createRoom()
  const nextChunk = async (from: ByteReader, offset: number): Promise<Chunk> => {
    const bytes = await readChunk(from, room(), head)
    head = undefined
    const end = offset + bytes.length
    if (size !== null && end > size)
      throw new WaybillError('keeps_changing', 'The file is longer than it was.')
    if (size !== null && end < size && bytes.length < chunkBytes)
      throw new WaybillError('unavailable', 'The source ended the file early.')
    // What was hashed cannot be taken back: only whole chunks count.
    await digestInPieces(work, sending.digest, bytes)
    const hashes = sending.digest.chunk()
    return { bytes, hashes, state: size === null || end === size ? null : sending.digest.save() }
  }
  try {
    for (let breaks = 0; ;) {
      let chunk: Chunk
      try {
        reader ??= await openAt(work, item, row.form, sending.offset)
        chunk = await (ahead ?? nextChunk(reader, sending.offset))
      } catch (error) {
        ahead = null
        reader?.close()
        reader = null
        // Shorter or longer by now than what was read of it.
        if (hasCode(error, 'keeps_changing')) return 'mismatch'
        if (!isBroken(error)) throw error
        // A document's body cannot be resumed.
        if (size === null || (breaks += 1) > READS) throw brokenOff(error)
        continue
      }
      const end = sending.offset + chunk.bytes.length
      ahead = end === size ? null : quietly(nextChunk(reader, end))
      if (ahead === null || (size === null && (await isEnd(ahead))))
        return await sendLast(work, row, item, sending, chunk)
      await send(work, sending, chunk, false)
      if (chunk.state !== null) await saveUpload(work, row, item, sending, chunk.state)
      await afterChunk()
      if (chunk.state !== null && isTimeUp(work)) return 'later'
    }
  } finally {
    reader?.close()
  }
}

/** Lets the network go on between the pieces: a chunk at once would hold up for 20 ms what is sent and read meanwhile. */
async function digestInPieces({ turn }: Work, digest: Digest, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length; from += DIGEST_PIECE) {
    await turn()
    digest.update(chunk.subarray(from, from + DIGEST_PIECE))
  }
}

/** Compares before closing the session: what is not the source's content never becomes a file. */
async function sendLast(
  work: Work,
  row: Row,
  item: Item,
  sending: Sending,
  chunk: Chunk,
): Promise<Sent | 'mismatch'> {
  const hashes = sending.digest.digest()
  if (!agrees(item.hashes, hashes)) return 'mismatch'
  await send(work, sending, chunk, true)
  const { session, offset, counted } = sending
  if (session === null) throw new WaybillError('internal', 'Nothing was sent.')
  return { carried: { row: rewrite(row, { item }), size: offset, hashes, counted }, session }
}

async function send(work: Work, sending: Sending, chunk: Chunk, last: boolean): Promise<void> {
  work.signal.throwIfAborted()
  const { bytes, hashes } = chunk
  if (sending.session === null) {
    sending.session = await work.destination.begin(bytes, last, hashes)
    sending.offset = bytes.length
    return
  }
  const end = sending.offset + bytes.length
  for (let from = sending.offset; ;) {
    const rest = bytes.subarray(from - sending.offset)
    // Those of the chunk are not those of its rest.
    const known = from === sending.offset ? hashes : {}
    const held = await work.destination.append(sending.session, from, rest, last, known)
    if (held === end) break
    // Less than we had recorded, or more than we ever sent: this is not our session any more.
    if (held <= from || held > end)
      throw new WaybillError('session_lost', 'The upload session is not as we left it.')
    from = held
  }
  sending.offset = end
}

async function openAt(
  work: Work,
  item: Item,
  formNumber: number,
  from: number,
): Promise<ByteReader> {
  const form = item.exports[formNumber]
  const body = await work.source.open(item, {
    from,
    signal: work.signal,
    ...(form === undefined ? {} : { form }),
  })
  return createByteReader(body.stream, from - body.from)
}

/**
 * Room for two chunks in turn: while one is sent the next is read. Room of its own for each chunk would leave 8 MiB to
 * the garbage collector every time.
 */
function createRoom(): () => Uint8Array {
  const rooms: Uint8Array[] = []
  return () => {
    const room =
      (rooms.length === 2 ? rooms.shift() : undefined) ?? Buffer.allocUnsafeSlow(chunkBytes)
    rooms.push(room)
    return room
  }
}

async function readChunk(
  reader: ByteReader,
  room: Uint8Array,
  head: Uint8Array = new Uint8Array(0),
): Promise<Uint8Array> {
  room.set(head)
  const rest = await reader.read(chunkBytes - head.length, room.subarray(head.length))
  return room.subarray(0, head.length + rest.length)
}

/** @returns whether nothing is left of a body that cannot be resumed. */
async function isEnd(ahead: Promise<Chunk>): Promise<boolean> {
  try {
    return (await ahead).bytes.length === 0
  } catch (error) {
    throw isBroken(error) ? brokenOff(error) : error
  }
}

function brokenOff(cause: unknown): WaybillError {
  return new WaybillError('unavailable', 'The connection to the source keeps breaking.', { cause })
}

/** A promise that may fail before anybody waits for it. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

/** @returns what this run has written down of the item's upload; null if nothing. */
export async function savedUpload(work: Work, row: Row): Promise<Upload | null> {
  const owner = await work.owners.of(work.job.user)
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  return readUpload(work.store, owner, work.lease.run, ledger.key(row.item.id))
}

/** The checkpoint is the transfer's document. The run's is read, for the lease, and written now and then. */
async function saveUpload(
  work: Work,
  row: Row,
  item: Item,
  sending: Sending,
  digest: string,
): Promise<void> {
  const { session, offset } = sending
  if (session === null) return
  const owner = await work.owners.of(work.job.user)
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const key = ledger.key(row.item.id)
  const now = work.now()
  let { counted } = sending
  await underLease(work.store, work.lease, (run, transaction) => {
    const isTime = now - run.sentAt >= COUNTED_EVERY_MS
    counted = isTime ? offset : sending.counted
    const upload = { session, offset, counted, digest, version: item.version }
    transaction.put('transfers', uploadDocument(owner, run.id, key, upload, now))
    return isTime ? { sent: run.sent + offset - sending.counted, sentAt: now } : {}
  })
  sending.counted = counted
}

/** Drops what is written down about an item's upload: its bytes are of no use. */
export async function forget(work: Work, row: Row): Promise<void> {
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const key = uploadKey(work.lease.run, ledger.key(row.item.id))
  await underLease(work.store, work.lease, (_run, transaction) => {
    transaction.remove('transfers', key)
    return {}
  })
}
