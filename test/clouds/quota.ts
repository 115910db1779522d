/** A provider's limit on calls. */
export interface QuotaOptions {
  /** How many units fit in any 60 seconds. */
  readonly unitsPerMinute: number
  /** Whether each user has these units, or all users of the project share them. */
  readonly per: 'user' | 'project'
  /** `units` counts the provider's prices, `calls` counts every call as one. */
  readonly mode?: 'units' | 'calls'
}

/** Counts units over a sliding minute. */
export interface Quota {
  readonly per: 'user' | 'project'
  /** Takes units, or takes nothing and answers false when they do not fit in the last 60 seconds. */
  take(user: string, units: number): boolean
}

const slices = 60
const sliceMs = 1000

/** A sliding minute in slices of a second; `now` gives milliseconds. */
export function createQuota(options: QuotaOptions, now: () => number): Quota {
  const used = new Map<string, { units: Float64Array; at: number; sum: number }>()

  return {
    per: options.per,
    take(user, units) {
      const key = options.per === 'user' ? user : ''
      const slice = Math.floor(now() / sliceMs)
      let window = used.get(key)
      if (window === undefined)
        used.set(key, (window = { units: new Float64Array(slices), at: slice, sum: 0 }))
      for (let steps = Math.min(slices, slice - window.at); steps > 0; steps--) {
        const old = (slice - steps + 1) % slices
        window.sum -= window.units[old] ?? 0
        window.units[old] = 0
      }
      window.at = Math.max(window.at, slice)
      const price = options.mode === 'calls' ? 1 : units
      if (window.sum + price > options.unitsPerMinute) return false
      window.units[window.at % slices] = (window.units[window.at % slices] ?? 0) + price
      window.sum += price
      return true
    },
  }
}
