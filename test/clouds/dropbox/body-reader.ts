import { refusal } from '../call.ts'
import type { Call, Refusal } from '../call.ts'
import { endpointError } from './endpoint-error.ts'

/** A request body that is read in parts. */
export interface BodyReader {
  /** Whether nothing (more) comes. */
  isEmpty(): Promise<boolean>
  /** The next `length` bytes, or all the others; fewer when the body ends before. */
  take(length?: number): AsyncIterable<Buffer>
  /** Reads and forgets what is left of the body. */
  skip(length?: number): Promise<void>
  /** Bytes read so far. */
  read(): number
  /** From now on, `see` is shown every byte that arrives. */
  watch(see: (bytes: Buffer) => void): void
  /** To be called when nobody reads on: what is left of the body can then be drained. */
  release(): Promise<void>
}

/** Reads the body of a call. Throws `payload_too_large` when the body has more than `limit` bytes. */
export function createBodyReader(call: Call, limit: number): BodyReader {
  if (Number(call.headers['content-length'] ?? 0) > limit) throw tooLong()
  const source = call.chunks()[Symbol.asyncIterator]()
  let waiting: Buffer | null = null
  let ended = false
  let read = 0
  let see: (bytes: Buffer) => void = () => {}

  async function next(): Promise<Buffer | null> {
    while (waiting === null && !ended) {
      const step = await source.next()
      if (step.done === true) {
        ended = true
        // A connection that breaks may end the stream early; half a body must never count as a whole.
        if (!call.request.complete) throw refusal({ status: 400 })
      } else if (step.value.length > 0) {
        waiting = step.value
        see(step.value)
      }
    }
    return waiting
  }

  async function* take(length = Infinity): AsyncIterable<Buffer> {
    for (let left = length; left > 0;) {
      const chunk = await next()
      if (chunk === null) return
      const part = chunk.length <= left ? chunk : chunk.subarray(0, left)
      waiting = part.length === chunk.length ? null : chunk.subarray(part.length)
      left -= part.length
      read += part.length
      if (read > limit) throw tooLong()
      yield part
    }
  }

  return {
    isEmpty: async () => (await next()) === null,
    take,
    async skip(length) {
      for await (const part of take(length)) void part
    },
    read: () => read,
    watch(watcher) {
      see = watcher
    },
    release: async () => void (await source.return?.()),
  }
}

/** The error of a request that carries more than it may. */
export function tooLong(): Refusal {
  return endpointError({ '.tag': 'payload_too_large' })
}
