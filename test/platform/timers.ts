/** The time, and what is to happen later. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `act` in so many milliseconds, unless the function that it returns is called before. */
  after(ms: number, act: () => void): () => void
}

/** The machine's own. They keep no process alive. */
export const realTimers: Timers = {
  now: Date.now,
  after(ms, act) {
    // Node takes no more than 2^31 ms; who asks for more is called early and looks again.
    const timer = setTimeout(act, Math.min(ms, 2 ** 31 - 1))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

export interface ManualTimers extends Timers {
  /** Lets so many milliseconds pass, and whatever is due in them happen. */
  pass(ms: number): void
}

/** A clock that stands still unless it is moved. */
export function createManualTimers(start: number): ManualTimers {
  const waiting = new Set<{ readonly at: number; readonly act: () => void }>()
  let time = start
  return {
    now: () => time,
    after(ms, act) {
      const one = { at: time + Math.max(0, ms), act }
      waiting.add(one)
      return () => waiting.delete(one)
    },
    pass(ms) {
      const until = time + ms
      for (;;) {
        const [first] = [...waiting].toSorted((a, b) => a.at - b.at)
        if (first === undefined || first.at > until) break
        waiting.delete(first)
        time = Math.max(time, first.at)
        first.act()
      }
      time = until
    },
  }
}
