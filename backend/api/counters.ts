import { RateLimiterMemory } from 'rate-limiter-flexible'

/** So many are counted at once. Beyond it the one that was quiet for longest is forgotten, so that nobody is kept out by the crowd. */
const most = 20_000

/** How much there was of something within a time. */
export interface Counted {
  readonly count: number
  /** Until the time is over, in milliseconds. */
  readonly msLeft: number
}

/** Counts things by names, in this process and within fixed times. */
export interface Counter {
  add(name: string): Promise<Counted>
  look(name: string): Promise<Counted>
  /** Counts one that is over after so many seconds, whatever the counter's own time is. */
  mark(name: string, seconds: number): Promise<void>
}

const none: Counted = { count: 0, msLeft: 0 }

/** @param seconds how long each name is counted from its first time on */
export function createCounter(seconds: number): Counter {
  const limiter = new RateLimiterMemory({ points: 1, duration: seconds })
  const names = new Set<string>()

  const remember = async (name: string): Promise<void> => {
    names.delete(name)
    names.add(name)
    if (names.size <= most) return
    const [quietest = ''] = names
    names.delete(quietest)
    await limiter.delete(quietest)
  }

  return {
    add: async (name) => {
      await remember(name)
      const { consumedPoints, msBeforeNext } = await limiter.penalty(name, 1)
      return { count: consumedPoints, msLeft: msBeforeNext }
    },
    look: async (name) => {
      const found = await limiter.get(name)
      if (found === null || found.msBeforeNext <= 0) return none
      return { count: found.consumedPoints, msLeft: found.msBeforeNext }
    },
    mark: async (name, length) => {
      await remember(name)
      await limiter.set(name, 1, length)
    },
  }
}
