import { blockSize, createContentHasher, joinDigests } from './content-hash.ts'
import type { Draft } from './spool.ts'
import type { FinishError, Upload } from './upload-sessions.ts'

/** A session whose pieces come one after another. */
export function createSequentialUpload(draft: Draft, maxFile: number): Upload {
  const hasher = createContentHasher()
  let size = 0
  let closed = false
  let sealed: ReturnType<Draft['seal']> | null = null

  return {
    kind: 'sequential',
    async receive(offset, bytes, close) {
      if (closed) return { error: { '.tag': 'closed' } }
      if (offset !== size) return { error: { '.tag': 'incorrect_offset', correct_offset: size } }
      const mark = hasher.mark()
      const from = size
      // Where pieces and blocks begin together, one pass gives the hash of both.
      const aligned = mark.filled === 0
      const own = aligned ? hasher : createContentHasher()
      const writer = draft.writer(from)
      let length = 0
      try {
        try {
          for await (const piece of bytes) {
            length += piece.length
            if (from + length > maxFile) break
            hasher.update(piece)
            if (!aligned) own.update(piece)
            const written = writer.push(piece)
            if (written !== undefined) await written
          }
        } finally {
          await writer.end()
        }
      } catch (error) {
        hasher.rewind(mark)
        throw error
      }
      if (from + length > maxFile) {
        hasher.rewind(mark)
        return { error: { '.tag': 'too_large' } }
      }
      const first = aligned ? Math.floor(from / blockSize) : 0
      size = from + length
      closed = close
      return {
        length,
        contentHash: () => joinDigests(own.digests(first)),
        keep: () => {},
        undo() {
          hasher.rewind(mark)
          size = from
          closed = false
        },
      }
    },
    check(offset, data, mustBeClosed) {
      if (closed && data) return lookup({ '.tag': 'closed' })
      if (mustBeClosed && !closed) return lookup({ '.tag': 'not_closed' })
      if (offset !== size) return lookup({ '.tag': 'incorrect_offset', correct_offset: size })
      return null
    },
    complete() {
      if (sealed?.size !== size) sealed = draft.seal(size)
      return { content: sealed, contentHash: joinDigests(hasher.digests()) }
    },
    discard: () => draft.discard(),
  }
}

type LookupFailed = Extract<FinishError, { '.tag': 'lookup_failed' }>

function lookup(error: LookupFailed['lookup_failed']): LookupFailed {
  return { '.tag': 'lookup_failed', lookup_failed: error }
}
