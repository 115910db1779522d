/** What one route was asked for. Bytes are bodies only, without headers. */
interface RouteCalls {
  readonly calls: number
  /** Calls that ended with a status of 400 or more, or without any answer. */
  readonly refused: number
  /** Calls that an injected fault touched. */
  readonly faulted: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Quota units, in the provider's own prices. */
  readonly units: number
}

/** All calls up to a moment, or between two moments. */
export interface CallSnapshot extends RouteCalls {
  readonly byRoute: Readonly<Record<string, RouteCalls>>
}

/** Counts every call of one simulated cloud, also refused ones and token calls. */
export interface CallLog {
  /** Adds to the counters of a route. */
  add(route: string, more: Partial<RouteCalls>): void
  /** The counters so far. */
  snapshot(): CallSnapshot
  /** What was counted after `earlier` was taken; routes without a new call are left out. */
  since(earlier: CallSnapshot): CallSnapshot
  /** Everything back to zero. */
  reset(): void
}

type Counters = { -readonly [K in keyof RouteCalls]: RouteCalls[K] }

const none: RouteCalls = { calls: 0, refused: 0, faulted: 0, bytesIn: 0, bytesOut: 0, units: 0 }
const columns = ['calls', 'refused', 'faulted', 'bytesIn', 'bytesOut', 'units'] as const

/** An empty call log. */
export function createCallLog(): CallLog {
  const byRoute = new Map<string, Counters>()

  return {
    add(route, more) {
      let counters = byRoute.get(route)
      if (counters === undefined) byRoute.set(route, (counters = { ...none }))
      for (const column of columns) counters[column] += more[column] ?? 0
    },
    snapshot: () => summed([...byRoute].map(([route, counters]) => [route, { ...counters }])),
    since(earlier) {
      const later: [string, RouteCalls][] = []
      for (const [route, counters] of byRoute) {
        const before = earlier.byRoute[route] ?? none
        const grown = { ...counters }
        for (const column of columns) grown[column] -= before[column]
        if (columns.some((column) => grown[column] !== 0)) later.push([route, grown])
      }
      return summed(later)
    },
    reset: () => byRoute.clear(),
  }
}

function summed(rows: readonly (readonly [string, RouteCalls])[]): CallSnapshot {
  const total: Counters = { ...none }
  for (const [, row] of rows) for (const column of columns) total[column] += row[column]
  const sorted = rows.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { ...total, byRoute: Object.fromEntries(sorted) }
}
