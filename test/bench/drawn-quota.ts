import { fixedMinute, slidingMinute, tokenBucket } from '../backend/clouds/quotas.ts'
import type { Quota } from '../backend/clouds/quotas.ts'
import { seededRandom } from '../clouds/random.ts'

const minuteMs = 60_000

/** Ways in which a provider may count. */
export const quotaKinds = [
  'sliding',
  'fixed',
  'fixed, and says when',
  'bucket',
  'small bucket',
] as const

type QuotaKind = (typeof quotaKinds)[number]

/** A quota that nobody is told, and what is called. */
export interface DrawnQuota {
  /** In units, or in calls where the provider counts those. */
  readonly perMinute: number
  /** What the calls cost in our table, drawn evenly, and whether the provider counts that. */
  readonly costs: readonly number[]
  readonly counts: 'units' | 'calls'
  quota(random: () => number): Quota
}

const mixes = [
  { costs: [1], counts: 'calls' },
  { costs: [5, 100, 200], counts: 'units' },
  { costs: [5, 100, 200], counts: 'calls' },
] as const

/** @returns a quota of 200 to 800 calls a minute, as many small as large. */
export function drawQuota(kind: QuotaKind, seed: number): DrawnQuota {
  const { costs, counts } = mixes[seed % mixes.length] ?? mixes[0]
  const calls = Math.round(200 * 4 ** seededRandom(`quota ${kind} ${seed}`)())
  const mean = costs.reduce<number>((sum, cost) => sum + cost, 0) / costs.length
  const perMinute = counts === 'calls' ? calls : calls * mean
  const rate = (): number => perMinute
  return {
    perMinute,
    costs,
    counts,
    quota: (random) => {
      const phaseMs = Math.floor(random() * minuteMs)
      switch (kind) {
        case 'sliding':
          return slidingMinute(rate)
        case 'fixed':
          return fixedMinute(rate, { phaseMs, saysWhen: false })
        case 'fixed, and says when':
          return fixedMinute(rate, { phaseMs, saysWhen: true })
        case 'bucket':
          return tokenBucket(rate, { burstMinutes: 1 })
        case 'small bucket':
          return tokenBucket(rate, { burstMinutes: 0.1 })
        default:
          return kind satisfies never
      }
    },
  }
}
