import { copyForMinutes } from '../backend/clouds/copying-for-minutes.ts'
import { drawQuota, quotaKinds } from './drawn-quota.ts'
import type { Measurement } from './figure.ts'

/** Seeds for each way in which a provider may count. */
const seeds = 6

/** How much of a quota that nobody told it a pace uses, and how many calls are refused, in virtual time; the worst of all runs. */
export const pace: Measurement = {
  figures: [
    { name: 'pace-used', unit: 'of the quota', reach: { least: 0.9 } },
    { name: 'pace-refused', unit: 'of the calls', reach: { most: 0.01 } },
  ],
  measure: async () => {
    const used: number[] = []
    const refused: number[] = []
    for (const kind of quotaKinds)
      for (let seed = 0; seed < seeds; seed += 1) {
        const drawn = drawQuota(kind, seed)
        const measured = await copyForMinutes({
          seed: `${kind} ${seed}`,
          ...drawn,
          lanes: 24,
          from: 10,
          to: 40,
        })
        used.push(measured.perMinute / drawn.perMinute)
        refused.push(measured.refused)
      }
    const mean = (row: readonly number[]): number =>
      row.reduce((sum, each) => sum + each, 0) / row.length
    return [
      { value: Math.min(...used), details: { runs: used.length, 'on average': mean(used) } },
      { value: Math.max(...refused), details: { runs: used.length, 'on average': mean(refused) } },
    ]
  },
}
