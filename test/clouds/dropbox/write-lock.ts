import { refusal } from '../call.ts'
import { rateLimited } from './endpoint-error.ts'

/** The lock of one namespace: Dropbox lets only one write in at a time. */
export interface WriteLock {
  /** Whether a write is going on. */
  held(): boolean
  /**
   * Takes `milliseconds`, then writes. Throws a refusal with status 429 `too_many_write_operations`
   * when another write is going on.
   */
  hold<T>(milliseconds: number, write: () => T): Promise<T>
}

/** A lock that nobody holds. */
export function createWriteLock(): WriteLock {
  let held = false

  return {
    held: () => held,
    async hold(milliseconds, write) {
      if (held) throw refusal(rateLimited('too_many_write_operations', 1))
      held = true
      try {
        await new Promise((resolve) => setTimeout(resolve, milliseconds))
        return write()
      } finally {
        held = false
      }
    },
  }
}
