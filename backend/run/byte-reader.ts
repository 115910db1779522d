import type { Readable } from 'node:stream'
import { WaybillError, asWaybillError } from '../../shared/errors.ts'

/** Reads a stream by exact amounts. */
export interface ByteReader {
  /**
   * `count` bytes, or fewer if the stream ends before; none at its end. Throws what the stream fails with.
   *
   * @param into where they are put, at least `count` bytes long; memory of their own unless given
   */
  read(count: number, into?: Uint8Array): Promise<Uint8Array>
  /** Lets go of the stream, whatever is left in it. */
  close(): void
}

/**
 * Reads the beginning of a stream, or all of it. With events, at a third of what an iterator costs for a small body.
 *
 * @param enough how many bytes it must be, unless the stream ends before
 * @returns at least that many bytes, or all; the stream waits there for whoever reads on. Throws what it fails with.
 */
export async function readStart(stream: Readable, enough: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  await new Promise<void>((resolve, reject) => {
    const letGo = (): void =>
      void stream.off('data', take).off('end', over).off('error', fail).off('close', broke)
    const over = (): void => {
      letGo()
      resolve()
    }
    const fail = (error: unknown): void => {
      letGo()
      reject(error instanceof Error ? error : asWaybillError(error))
    }
    const broke = (): void => fail(new WaybillError('unavailable', 'The connection was closed.'))
    const take = (piece: Uint8Array): void => {
      pieces.push(piece)
      length += piece.length
      if (length < enough) return
      stream.pause()
      over()
    }
    stream.on('data', take).once('end', over).once('error', fail).once('close', broke)
  })
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? ofItsOwn(only) : Buffer.concat(pieces, length)
}

/** A small piece of a large buffer would keep all of it in memory. */
function ofItsOwn(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? Uint8Array.from(bytes) : bytes
}

/**
 * @param stream yields bytes
 * @param skip bytes at the beginning to throw away (a provider that ignored where to begin)
 * @param head bytes that were already read and come first
 */
export function createByteReader(
  stream: Readable,
  skip = 0,
  head: Uint8Array = new Uint8Array(0),
): ByteReader {
  const pieces = stream[Symbol.asyncIterator]()
  let left = head
  let toSkip = skip
  let ended = false

  const pull = async (): Promise<boolean> => {
    while (!ended && left.length === 0) {
      const next: IteratorResult<unknown> = await pieces.next()
      if (next.done === true) ended = true
      else if (next.value instanceof Uint8Array) {
        const dropped = Math.min(toSkip, next.value.length)
        toSkip -= dropped
        left = next.value.subarray(dropped)
      }
    }
    return left.length > 0
  }

  return {
    read: async (count, into) => {
      if (!(await pull())) return new Uint8Array(0)
      if (into === undefined && left.length >= count) {
        const whole = left.subarray(0, count)
        left = left.subarray(count)
        return ofItsOwn(whole)
      }
      const bytes = into ?? Buffer.allocUnsafeSlow(count)
      let filled = 0
      while (filled < count && (await pull())) {
        const taken = left.subarray(0, count - filled)
        bytes.set(taken, filled)
        filled += taken.length
        left = left.subarray(taken.length)
      }
      return bytes.subarray(0, filled)
    },
    close: () => {
      stream.destroy()
    },
  }
}
