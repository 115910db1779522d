/** How a provider counts: each call by its weight, or each call as one. */
export type Measure = 'units' | 'calls'

const REMEMBERED = 6
/** How much steadier the other measure must be before we change our mind. */
const CLEARLY = 0.6

/**
 * Finds out how a provider counts. The same quota refuses at the same sum every time, if the sum is of what the provider
 * counts; the sum of anything else differs from refusal to refusal with the mix of calls.
 */
export interface MeasureEstimate {
  /** Both sums over the minute before a refusal. */
  saw(units: number, calls: number): void
  current(): Measure
}

/** @param current the measure to begin with */
export function createMeasureEstimate(current: Measure): MeasureEstimate {
  const seen: { readonly units: number; readonly calls: number }[] = []

  // Step by step, so that a quota that has changed counts once and not for as long as it is remembered.
  function unsteadiness(measure: Measure): number {
    let sum = 0
    for (const [at, sums] of seen.entries()) {
      const earlier = seen[at - 1]
      if (earlier) sum += Math.abs(Math.log(sums[measure] / earlier[measure]))
    }
    return sum
  }

  return {
    saw(units, calls) {
      if (units <= 0 || calls <= 0) return
      seen.push({ units, calls })
      if (seen.length > REMEMBERED) seen.shift()
      if (seen.length < 3) return
      const other = current === 'units' ? 'calls' : 'units'
      if (unsteadiness(other) < CLEARLY * unsteadiness(current)) current = other
    },
    current: () => current,
  }
}
