import type { Clock, Sleep } from '../../../backend/clouds/waiting.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

/** A clock that moves only when everybody sleeps, straight to when the first of them wakes. */
export interface VirtualTime {
  readonly clock: Clock
  readonly sleep: Sleep
  /** Lets time pass until `at` (in its milliseconds, beginning with 0). */
  runUntil(at: number): Promise<void>
}

export function createVirtualTime(): VirtualTime {
  const heap: Timer[] = []
  let now = 0
  let order = 0

  const before = (a: Timer, b: Timer): boolean =>
    a.at < b.at || (a.at === b.at && a.order < b.order)

  function push(timer: Timer): void {
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, timer)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  function pop(): void {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let below = heap[child]
      const right = heap[child + 1]
      if (below === undefined) break
      if (right !== undefined && before(right, below)) {
        below = right
        child += 1
      }
      if (before(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }

  return {
    clock: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(new Error('aborted'))
          return
        }
        const abort = (): void => reject(new Error('aborted'))
        signal?.addEventListener('abort', abort, { once: true })
        push({
          at: now + Math.max(0, ms),
          order: order++,
          wake: () => {
            signal?.removeEventListener('abort', abort)
            resolve()
          },
        })
      }),
    async runUntil(end) {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        const first = heap[0]
        if (first === undefined || first.at > end) break
        now = Math.max(now, first.at)
        for (let due = heap[0]; due !== undefined && due.at <= now; due = heap[0]) {
          pop()
          due.wake()
        }
      }
      now = Math.max(now, end)
    },
  }
}
