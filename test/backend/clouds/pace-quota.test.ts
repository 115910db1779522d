import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '../../clouds/random.ts'
import type { Random } from '../../clouds/random.ts'
import { copyForMinutes } from './copying-for-minutes.ts'
import type { Measured } from './copying-for-minutes.ts'
import { fixedMinute, slidingMinute, tokenBucket } from './quotas.ts'
import type { Quota } from './quotas.ts'

type Rate = (now: number) => number
const MINUTE_MS = 60_000

const providers: Record<string, (rate: Rate, random: Random) => Quota> = {
  'a sliding minute': (rate) => slidingMinute(rate),
  'fixed minutes': (rate, random) =>
    fixedMinute(rate, { phaseMs: Math.floor(random() * MINUTE_MS), saysWhen: false }),
  'fixed minutes, and says when the next begins': (rate, random) =>
    fixedMinute(rate, { phaseMs: Math.floor(random() * MINUTE_MS), saysWhen: true }),
  'a token bucket that holds a minute': (rate) => tokenBucket(rate, { burstMinutes: 1 }),
  'a token bucket that holds six seconds': (rate) => tokenBucket(rate, { burstMinutes: 0.1 }),
}

// Our table has Drive's weights; the provider may count calls all the same, or the calls all weigh one.
const mixes = [
  { costs: [1], counts: 'calls' },
  { costs: [5, 100, 200], counts: 'units' },
  { costs: [5, 100, 200], counts: 'calls' },
] as const

/** The worst and the mean of the runs, as parts of the quota. */
function summary(runs: readonly { readonly share: number; readonly refused: number }[]): object {
  const shares = runs.map((run) => run.share)
  const refused = runs.map((run) => run.refused)
  const mean = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0) / row.length
  const part = (value: number): string => `${(100 * value).toFixed(2)} %`
  return {
    'least used': part(Math.min(...shares)),
    'used on average': part(mean(shares)),
    'most refused': part(Math.max(...refused)),
    'refused on average': part(mean(refused)),
  }
}

async function copyAt(options: {
  readonly provider: (rate: Rate, random: Random) => Quota
  readonly seed: string
  readonly mix: (typeof mixes)[number]
  readonly callsPerMinute: (base: number) => Rate
  readonly base: number
  readonly runs?: number
  readonly from?: number
  readonly to?: number
}): Promise<{ readonly measured: Measured; readonly unit: number }> {
  const { provider, seed, mix, base, runs = 1, from = 10, to = 40 } = options
  const unit =
    mix.counts === 'calls' ? 1 : mix.costs.reduce<number>((a, b) => a + b, 0) / mix.costs.length
  const calls = options.callsPerMinute(base)
  const measured = await copyForMinutes({
    seed,
    quota: (random) => provider((now) => calls(now) * unit, random),
    costs: mix.costs,
    counts: mix.counts,
    lanes: 24,
    runs,
    from,
    to,
  })
  return { measured, unit }
}

describe('a pace finds a quota that nobody told it, and keeps to it', () => {
  for (const [name, provider] of Object.entries(providers)) {
    it(`uses 90 % of it with 1 % of calls refused, where the provider counts by ${name}`, async () => {
      const runs: { share: number; refused: number }[] = []
      for (let seed = 0; seed < 30; seed += 1) {
        const mix = mixes[seed % mixes.length] ?? mixes[0]
        // From 200 to 600 calls a minute, as many small as large.
        const base = Math.round(200 * 3 ** seededRandom(`quota ${name} ${seed}`)())
        const { measured, unit } = await copyAt({
          provider,
          seed: `${name} ${seed}`,
          mix,
          base,
          callsPerMinute: (quota) => () => quota,
        })
        runs.push({ share: measured.perMinute / (base * unit), refused: measured.refused })
      }
      process.stdout.write(`${name}: ${JSON.stringify(summary(runs))}\n`)
      expect(runs.filter((run) => run.share < 0.9 || run.refused > 0.01)).toEqual([])
    })
  }
})

describe('a pace follows a quota that changes', () => {
  for (const [name, provider] of Object.entries(providers)) {
    const base = 400
    const [mix] = mixes

    it(`uses it again ten minutes after it shrank to 40 %, counted by ${name}`, async () => {
      const { measured } = await copyAt({
        provider,
        seed: `shrunk ${name}`,
        mix,
        base,
        callsPerMinute: (quota) => (now) => (now < 10 * MINUTE_MS ? quota : quota * 0.4),
        from: 20,
      })
      expect(measured.perMinute).toBeGreaterThan(0.9 * base * 0.4)
      expect(measured.refused).toBeLessThan(0.01)
    })

    it(`uses it again ten minutes after it grew to 250 %, counted by ${name}`, async () => {
      const { measured } = await copyAt({
        provider,
        seed: `grown ${name}`,
        mix,
        base,
        callsPerMinute: (quota) => (now) => (now < 10 * MINUTE_MS ? quota : quota * 2.5),
        from: 20,
      })
      expect(measured.perMinute).toBeGreaterThan(0.9 * base * 2.5)
      expect(measured.refused).toBeLessThan(0.01)
    })

    it(`leaves no more than a fifth unused where two share it, counted by ${name}`, async () => {
      const { measured } = await copyAt({
        provider,
        seed: `shared ${name}`,
        mix,
        base,
        callsPerMinute: (quota) => () => quota,
        runs: 2,
      })
      expect(measured.perMinute).toBeGreaterThan(0.8 * base)
      expect(measured.refused).toBeLessThan(0.02)
    })
  }
})
