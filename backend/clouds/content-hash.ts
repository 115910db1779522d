import { createHash, hash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { createSHA256 } from 'hash-wasm'
import { WaybillError } from '../../shared/errors.ts'

/** The hash is over blocks of this many bytes. https://www.dropbox.com/developers/reference/content-hash */
export const contentHashBlock = 4 * 1024 * 1024

/**
 * Dropbox's content hash of bytes that are all there.
 *
 * @param parts hashed one after the other, as if they were one
 * @returns lower-case hex
 */
export function contentHash(...parts: readonly Uint8Array[]): string {
  const [only] = parts
  // Most files are smaller than a block: two one-shot hashes, no object.
  if (parts.length === 1 && only !== undefined && only.byteLength <= contentHashBlock)
    return only.byteLength === 0
      ? hash('sha256', only, 'hex')
      : hash('sha256', hash('sha256', only, 'buffer'), 'hex')
  const outer = createHash('sha256')
  const blocks = createBlocks((digest) => outer.update(digest))
  for (const part of parts) blocks.update(part)
  blocks.end()
  return outer.digest('hex')
}

/** A content hash over bytes that come one piece after the other. */
export interface ContentHasher {
  update(bytes: Uint8Array): void
  /** @returns what to go on from; throws `internal` in the middle of a block, where there is nothing to go on from. */
  save(): Uint8Array
  /**
   * @returns lower-case hex, the content hash of what came since the last call alone. It must have begun with a block; if
   * it ended inside one, that was the last, and `update` throws `internal` from now on.
   */
  chunk(): string
  /** @returns lower-case hex. The last call. */
  digest(): string
}

/**
 * @param saved what `save` returned; the next byte is then the one after those that it had seen
 * @returns a hasher; throws whatever hash-wasm throws if `saved` is not such a state
 */
export async function createContentHasher(saved?: Uint8Array): Promise<ContentHasher> {
  // Node's own hash is four times as fast and cannot be saved, hash-wasm's can: so the blocks are hashed by the
  // first and their digests, 32 bytes for each 4 MiB, by the second. The state is of one size whatever the file's.
  const outer = await createSHA256()
  if (saved === undefined) outer.init()
  else outer.load(saved)
  let chunk = createHash('sha256')
  const blocks = createBlocks((digest) => {
    outer.update(digest)
    chunk.update(digest)
  })
  return {
    update: (bytes) => blocks.update(bytes),
    save() {
      if (!blocks.atBorder())
        throw new WaybillError('internal', 'A content hash is saved only between its blocks.')
      return outer.save()
    },
    chunk() {
      blocks.end()
      const own = chunk.digest('hex')
      chunk = createHash('sha256')
      return own
    },
    digest() {
      blocks.end()
      return outer.digest('hex')
    },
  }
}

function createBlocks(take: (digest: Buffer) => void) {
  let block: Hash | null = null
  let filled = 0
  let ended = false

  function end(): void {
    if (block === null) return
    take(block.digest())
    ended = filled < contentHashBlock
    block = null
    filled = 0
  }

  return {
    end,
    atBorder: () => block === null,
    update(bytes: Uint8Array): void {
      if (ended && bytes.byteLength > 0)
        throw new WaybillError('internal', 'Only the last block of a content hash is a short one.')
      for (let at = 0; at < bytes.byteLength;) {
        const part = bytes.subarray(at, at + contentHashBlock - filled)
        block ??= createHash('sha256')
        block.update(part)
        filled += part.byteLength
        at += part.byteLength
        if (filled === contentHashBlock) end()
      }
    },
  }
}
