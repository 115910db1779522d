import type { Readable } from 'node:stream'

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
        // A small piece of a large buffer would keep all of it in memory.
        return whole.byteLength * 2 < whole.buffer.byteLength ? Uint8Array.from(whole) : whole
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
