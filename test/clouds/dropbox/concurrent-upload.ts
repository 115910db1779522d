import { blockSize, createContentHasher, joinDigests } from './content-hash.ts'
import type { Draft } from './spool.ts'
import type { Upload } from './upload-sessions.ts'

/** A session whose pieces come in any order and at the same time. */
export function createConcurrentUpload(draft: Draft, maxFile: number): Upload {
  const pieces = new Map<number, { length: number; digests: readonly Buffer[] }>()
  /** The size of the file, known when the closing piece has come. */
  let total: number | null = null

  /** Bytes from the start without a gap. */
  function contiguous(): number {
    let end = 0
    for (let piece = pieces.get(0); piece !== undefined && piece.length > 0;) {
      end += piece.length
      piece = pieces.get(end)
    }
    return end
  }

  return {
    kind: 'concurrent',
    async receive(offset, bytes, close) {
      if (offset % blockSize !== 0)
        return { error: { '.tag': 'concurrent_session_invalid_offset' } }
      const known = pieces.get(offset)
      if (total !== null && (known === undefined ? offset >= total : close))
        return { error: { '.tag': 'closed' } }
      const hasher = createContentHasher()
      const writer = draft.writer(offset)
      let length = 0
      try {
        for await (const piece of bytes) {
          length += piece.length
          if (offset + length > maxFile) break
          hasher.update(piece)
          // A piece that came before is not written again: a broken repetition must not spoil it.
          if (known !== undefined) continue
          const written = writer.push(piece)
          if (written !== undefined) await written
        }
      } finally {
        await writer.end()
      }
      if (offset + length > maxFile) return { error: { '.tag': 'too_large' } }
      if (!close && length % blockSize !== 0)
        return { error: { '.tag': 'concurrent_session_invalid_data_size' } }
      if (known !== undefined && known.length !== length)
        return { error: { '.tag': 'incorrect_offset', correct_offset: contiguous() } }
      if (total !== null && offset + length > total) return { error: { '.tag': 'closed' } }
      const digests = hasher.digests()
      const before = total
      return {
        length,
        contentHash: () => joinDigests(digests),
        keep() {
          if (length > 0) pieces.set(offset, { length, digests })
          if (close) total = offset + length
        },
        undo() {
          if (known === undefined) pieces.delete(offset)
          total = before
        },
      }
    },
    check(offset, data, mustBeClosed) {
      if (data) return { '.tag': 'concurrent_session_data_not_allowed' }
      if (total === null)
        return mustBeClosed
          ? { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'not_closed' } }
          : { '.tag': 'concurrent_session_not_closed' }
      if (contiguous() !== total) return { '.tag': 'concurrent_session_missing_data' }
      if (offset !== total)
        return {
          '.tag': 'lookup_failed',
          lookup_failed: { '.tag': 'incorrect_offset', correct_offset: total },
        }
      return null
    },
    complete() {
      const ordered = [...pieces].toSorted(([a], [b]) => a - b)
      const digests = ordered.flatMap(([, piece]) => piece.digests)
      return { content: draft.seal(total ?? 0), contentHash: joinDigests(digests) }
    },
    discard: () => draft.discard(),
  }
}
