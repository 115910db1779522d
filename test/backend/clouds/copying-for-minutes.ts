import { createPace } from '../../../backend/clouds/pace.ts'
import { seededRandom } from '../../clouds/random.ts'
import type { Random } from '../../clouds/random.ts'
import type { Quota } from './quotas.ts'
import { createVirtualTime } from './virtual-time.ts'

const MINUTE_MS = 60_000

export interface Copying {
  readonly seed: string
  readonly quota: (random: Random) => Quota
  /** What the calls cost in our table, drawn evenly. */
  readonly costs: readonly number[]
  /** Whether the provider counts those units, or calls. */
  readonly counts: 'units' | 'calls'
  /** How many calls are made at once, by each of `runs` that share the quota but not the pace. */
  readonly lanes: number
  readonly runs?: number
  /** What is measured: from minute to minute of virtual time. */
  readonly from: number
  readonly to: number
}

export interface Measured {
  /** What the provider let through, as it counts, a minute. */
  readonly perMinute: number
  /** Part of the calls that it refused. */
  readonly refused: number
}

/** Calls a simulated provider as fast as the pace allows, and measures what came of it. */
export async function copyForMinutes(copying: Copying): Promise<Measured> {
  const { costs, counts, from, to } = copying
  const random = seededRandom(copying.seed)
  const quota = copying.quota(random)
  const time = createVirtualTime()
  const latency = 50 + random() * 950
  const total = { calls: 0, granted: 0, refused: 0 }

  // Timers wake late, and answers take their time on both ways.
  const late = (ms: number, signal?: AbortSignal): Promise<void> =>
    time.sleep(ms + random() * 3, signal)
  const travel = (): Promise<void> => time.sleep(latency * (0.25 + random() / 2))

  async function copyOn(pace: ReturnType<typeof createPace>): Promise<void> {
    for (;;) {
      const cost = costs[Math.floor(random() * costs.length)] ?? 1
      const counted = counts === 'units' ? cost : 1
      for (let answer: ReturnType<Quota['ask']> | null = null; answer !== 'granted';) {
        await pace.take(cost)
        await travel()
        const at = time.clock()
        answer = quota.ask(at, counted)
        await travel()
        if (answer === 'granted') pace.granted(cost)
        else pace.refused(answer.retryAfterMs)
        if (at < from * MINUTE_MS) continue
        total.calls += 1
        if (answer === 'granted') total.granted += counted
        else total.refused += 1
      }
    }
  }

  const failures: unknown[] = []
  for (let run = 0; run < (copying.runs ?? 1); run += 1) {
    const pace = createPace({ clock: time.clock, random, sleep: late })
    for (let lane = 0; lane < copying.lanes; lane += 1)
      copyOn(pace).catch((error: unknown) => failures.push(error))
  }
  await time.runUntil(to * MINUTE_MS)
  if (failures.length > 0) throw failures[0]
  return { perMinute: total.granted / (to - from), refused: total.refused / total.calls }
}
