/** How a simulated provider counts. `ask` says null for a call let through, or what it says of when to come back. */
export interface Quota {
  ask(now: number, cost: number): 'granted' | { readonly retryAfterMs?: number }
}

const MINUTE_MS = 60_000

/** At most `perMinute` within any 60 s. */
export function slidingMinute(perMinute: (now: number) => number): Quota {
  const log: { readonly at: number; readonly cost: number }[] = []
  let first = 0
  let sum = 0
  return {
    ask(now, cost) {
      for (let old = log[first]; old !== undefined && old.at <= now - MINUTE_MS; old = log[first]) {
        sum -= old.cost
        first += 1
      }
      if (sum + cost > perMinute(now)) return {}
      log.push({ at: now, cost })
      sum += cost
      return 'granted'
    },
  }
}

/** At most `perMinute` from each full minute (of the provider's clock, `phaseMs` off ours) to the next. */
export function fixedMinute(
  perMinute: (now: number) => number,
  options: { readonly phaseMs: number; readonly saysWhen: boolean },
): Quota {
  let minute = -1
  let sum = 0
  return {
    ask(now, cost) {
      const current = Math.floor((now + options.phaseMs) / MINUTE_MS)
      if (current !== minute) {
        minute = current
        sum = 0
      }
      if (sum + cost > perMinute(now)) {
        const left = (minute + 1) * MINUTE_MS - options.phaseMs - now
        // Whole seconds, as the header has them.
        return options.saysWhen ? { retryAfterMs: Math.ceil(left / 1000) * 1000 } : {}
      }
      sum += cost
      return 'granted'
    },
  }
}

/** A bucket that holds `burstMinutes` worth of the quota, is full at first, and is filled evenly. */
export function tokenBucket(
  perMinute: (now: number) => number,
  options: { readonly burstMinutes: number },
): Quota {
  let tokens = Number.POSITIVE_INFINITY
  let last = 0
  return {
    ask(now, cost) {
      const rate = perMinute(now)
      // A bucket that holds less than one call would never let it through.
      const most = Math.max(rate * options.burstMinutes, cost)
      tokens = Math.min(most, tokens + ((now - last) * rate) / MINUTE_MS)
      last = now
      if (tokens < cost) return {}
      tokens -= cost
      return 'granted'
    },
  }
}
