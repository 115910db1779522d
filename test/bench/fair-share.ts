/** A job as far as fairness goes. Times in milliseconds, work in quota units. */
export interface Demand {
  readonly createdAt: number
  readonly units: number
}

/**
 * What a perfectly fair provider would have made of the same jobs: at every moment each job under way gets the same part
 * of the quota, from the moment it is created until its units are used up. No job waits, no call is refused or takes
 * time, nothing of the quota is left unused. (Max–min fairness; equal parts are that as long as nobody's own quota is
 * smaller than his part, which ten endless jobs see to: a tenth of the project's quota is a third of a user's.)
 *
 * @param perMinute the project's quota, in units
 * @param endless how many jobs take their part all the time
 * @param demands in the order in which they were created
 * @returns milliseconds that each would have taken, in the same order
 */
export function fairTimes(
  perMinute: number,
  endless: number,
  demands: readonly Demand[],
): readonly number[] {
  const times = demands.map(() => 0)
  // What each job has been given since the start, had it been there: a job ends when this has grown by its units.
  let given = 0
  let now = 0
  let underWay: { readonly at: number; readonly until: number }[] = []

  function goOn(to: number): void {
    while (now < to) {
      const perMs = perMinute / 60_000 / (endless + underWay.length)
      const [first] = underWay
      const endsAt = first === undefined ? Infinity : now + (first.until - given) / perMs
      if (first === undefined || endsAt > to) {
        if (to < Infinity) given += perMs * (to - now)
        now = to
      } else {
        given = first.until
        now = endsAt
        underWay = underWay.slice(1)
        times[first.at] = now - (demands[first.at]?.createdAt ?? 0)
      }
    }
  }

  for (const [at, { createdAt, units }] of demands.entries()) {
    goOn(createdAt)
    underWay = [...underWay, { at, until: given + units }].toSorted((a, b) => a.until - b.until)
  }
  goOn(Infinity)
  return times
}
