const WINDOW_MS = 60_000
const BINS = 240
const BIN_MS = WINDOW_MS / BINS

/** What was granted within the last minute, to a quarter of a second. */
export interface QuotaWindow {
  add(now: number, cost: number): void
  /** The sum over the last 60 s. */
  sum(now: number): number
}

/** @returns an empty window; the `now` of its calls, in milliseconds, never goes back. */
export function createQuotaWindow(): QuotaWindow {
  const bins = new Float64Array(BINS)
  let newest = Number.NEGATIVE_INFINITY
  let total = 0

  function advance(now: number): void {
    const bin = Math.floor(now / BIN_MS)
    if (bin - newest >= BINS) {
      bins.fill(0)
      total = 0
      newest = bin
    }
    while (newest < bin) {
      newest += 1
      total -= bins[newest % BINS] ?? 0
      bins[newest % BINS] = 0
    }
  }

  return {
    add(now, cost) {
      advance(now)
      const at = newest % BINS
      bins[at] = (bins[at] ?? 0) + cost
      total += cost
    },
    sum(now) {
      advance(now)
      return total
    },
  }
}
