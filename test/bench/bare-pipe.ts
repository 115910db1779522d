import { createDigest } from '../../backend/clouds/digest.ts'
import type { HashName } from '../../shared/item.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import { bareCalls } from './bare-cloud-calls.ts'

/** Bytes of one append: the most that Dropbox takes is 150 MiB. */
const part = 128 * 1024 * 1024

/**
 * Streams a file from the Drive through the digests into an upload session, and commits it: nothing is kept, written
 * down or tried again.
 *
 * @param names the digests to compute
 * @returns milliseconds
 */
export async function pipeBare(
  clouds: ForkedClouds,
  file: { readonly id: string; readonly size: number },
  names: readonly HashName[],
  to: string,
): Promise<number> {
  const start = performance.now()
  const { download, send } = bareCalls(clouds)
  const digest = await createDigest(names)
  const pieces = (await download(file.id))[Symbol.asyncIterator]()
  let left: Uint8Array = new Uint8Array(0)

  async function* next(count: number): AsyncGenerator<Uint8Array> {
    for (let wanted = count; wanted > 0;) {
      if (left.length === 0) {
        const piece: IteratorResult<unknown> = await pieces.next()
        if (piece.done === true || !(piece.value instanceof Uint8Array))
          throw new Error('the download ended early')
        left = piece.value
      }
      const bytes = left.subarray(0, wanted)
      left = left.subarray(bytes.length)
      wanted -= bytes.length
      digest.update(bytes)
      yield bytes
    }
  }

  const session = sessionOf(
    await send('upload_session/start', { close: false }, new Uint8Array(0), 0),
  )
  for (let offset = 0; offset < file.size; offset += part) {
    const length = Math.min(part, file.size - offset)
    const close = offset + length === file.size
    const cursor = { session_id: session, offset }
    await send('upload_session/append_v2', { cursor, close }, next(length), length)
  }
  const cursor = { session_id: session, offset: file.size }
  const commit = { path: to, mode: 'add', autorename: false }
  const made = await send('upload_session/finish', { cursor, commit }, new Uint8Array(0), 0)
  const said = typeof made === 'object' && made !== null && 'content_hash' in made
  if (!said || made.content_hash !== digest.digest().contentHash)
    throw new Error('the bare pipe carried something else')
  return performance.now() - start
}

function sessionOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'session_id' in answer)
    return String(answer.session_id)
  throw new Error('no session was started')
}
