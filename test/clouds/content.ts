import { createHash, hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { hash32, randomBelow, seededRandom } from './random.ts'

/** The checksums that a provider may declare for a blob. */
type HashName = 'md5' | 'sha1' | 'sha256'

/** The bytes of one file, read by range; nothing larger than `pieceSize` is in memory at once. */
export interface Content {
  /** Bytes. */
  readonly size: number
  /** The bytes from `from` up to but not including `to`, in pieces that must not be changed. */
  pieces(from: number, to: number): AsyncIterable<Buffer> | Iterable<Buffer>
  /** Hexadecimal checksum of the whole; computed once. */
  hash(name: HashName): Promise<string>
}

/** The largest piece that a content hands out, in bytes. */
export const pieceSize = 1 << 20

/** Content held in memory, for what is small or was uploaded. */
export function bytesContent(bytes: Buffer | string): Content {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  return withHashes(buffer.length, (from, to) => cut(buffer.subarray(from, to)))
}

/** Content that stays in a file on disk: read when it is asked for. */
export function fileContent(path: string, size: number): Content {
  return withHashes(size, async function* (from, to) {
    if (from >= to) return
    const file = await open(path)
    try {
      for (let at = from; at < to;) {
        const piece = Buffer.allocUnsafe(Math.min(pieceSize, to - at))
        const { bytesRead } = await file.read(piece, 0, piece.length, at)
        if (bytesRead === 0) throw new Error('a seeded file became shorter than when it was seeded')
        yield piece.subarray(0, bytesRead)
        at += bytesRead
      }
    } finally {
      await file.close()
    }
  })
}

/**
 * Content that is computed, so that a file of 1 GiB needs no memory: blocks of one random MiB, each
 * turned by a step that depends on the seed and the block's number, after 16 bytes of its own.
 */
export function patternContent(seed: string | number, size: number): Content {
  const start = hash32(`pattern ${seed}`)
  const own = seededRandom(start)
  const head = Buffer.alloc(Math.min(16, size))
  for (let at = 0; at < head.length; at++) head[at] = randomBelow(own, 256)
  return withHashes(size, function* (from, to) {
    if (from < head.length && from < to) yield head.subarray(from, to)
    for (let at = Math.max(from, head.length); at < to;) {
      const block = Math.floor(at / pieceSize)
      const inside = at - block * pieceSize
      const length = Math.min(pieceSize - inside, to - at)
      const turn = (Math.imul(block + 1, 0x9e3779b1) ^ start) & (pieceSize - 1)
      yield twiceTheBlock.subarray(turn + inside, turn + inside + length)
      at += length
    }
  })
}

/** Twice the same random MiB, so that each turn of it is one view. Never written to. */
const twiceTheBlock = Buffer.concat([randomBlock(), randomBlock()])

function randomBlock(): Buffer {
  const random = seededRandom('block')
  const words = new Uint32Array(pieceSize / 4)
  for (let at = 0; at < words.length; at++) words[at] = random() * 0x1_0000_0000
  return Buffer.from(words.buffer)
}

/** A whole content as one buffer; only for what is known to be small. */
export async function readContent(content: Content): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of content.pieces(0, content.size)) pieces.push(piece)
  return Buffer.concat(pieces)
}

function* cut(buffer: Buffer): Iterable<Buffer> {
  for (let at = 0; at < buffer.length; at += pieceSize) yield buffer.subarray(at, at + pieceSize)
}

function withHashes(size: number, pieces: Content['pieces']): Content {
  const known: Partial<Record<HashName, Promise<string>>> = {}
  return {
    size,
    pieces,
    hash: (name) => (known[name] ??= hashOf(name, pieces(0, size), size)),
  }
}

async function hashOf(
  name: HashName,
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  size: number,
): Promise<string> {
  // A listing asks for the checksums of thousands of small files: those must not wait for each other.
  if (size <= pieceSize && Symbol.iterator in pieces) {
    const [only = noBytes, ...more] = pieces
    return hash(name, more.length === 0 ? only : Buffer.concat([only, ...more]))
  }
  const running = createHash(name)
  let taken = 0
  for await (const piece of pieces) {
    running.update(piece)
    // A file of 1 GiB takes seconds: others are served in between.
    if (++taken % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return running.digest('hex')
}

const noBytes = Buffer.alloc(0)
