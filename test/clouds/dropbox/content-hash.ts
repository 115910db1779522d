import { createHash, hash } from 'node:crypto'
import type { Hash } from 'node:crypto'

/** Bytes per block of the content hash, https://www.dropbox.com/developers/reference/content-hash */
export const blockSize = 4 * 1024 * 1024

/** A place to which a running content hash can go back. */
interface HashMark {
  readonly blocks: number
  readonly filled: number
  readonly open: Hash | null
}

/** A content hash in the making. */
export interface ContentHasher {
  /** Takes the next bytes. */
  update(bytes: Buffer): void
  /** Remembers this moment. */
  mark(): HashMark
  /** Forgets everything since `mark`, which can be used once. */
  rewind(mark: HashMark): void
  /** SHA-256 of each block from block number `first` on, the last one perhaps short. */
  digests(first?: number): readonly Buffer[]
}

/** A content hash of no bytes yet. */
export function createContentHasher(): ContentHasher {
  const done: Buffer[] = []
  let open: Hash | null = null
  let filled = 0

  return {
    update(bytes) {
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + blockSize - filled)
        open ??= createHash('sha256')
        open.update(part)
        at += part.length
        filled += part.length
        if (filled < blockSize) continue
        done.push(open.digest())
        open = null
        filled = 0
      }
    },
    mark: () => ({ blocks: done.length, filled, open: open === null ? null : open.copy() }),
    rewind(mark) {
      done.length = mark.blocks
      open = mark.open
      filled = mark.filled
    },
    digests(first = 0) {
      const blocks = done.slice(first)
      if (open !== null) blocks.push(open.copy().digest())
      return blocks
    },
  }
}

/** The content hash, in hexadecimal, of a content with these block digests. */
export function joinDigests(digests: readonly Buffer[]): string {
  return hash('sha256', digests.length === 1 ? digests[0]! : Buffer.concat(digests))
}

/** The content hash of bytes in memory, in hexadecimal. */
export function contentHashOf(bytes: Buffer): string {
  const hasher = createContentHasher()
  hasher.update(bytes)
  return joinDigests(hasher.digests())
}
