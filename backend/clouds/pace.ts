import { WaybillError } from '../../shared/errors.ts'
import { createQuotaEstimate } from './quota-estimate.ts'
import type { Rate } from './quota-estimate.ts'
import { reasonOf } from './waiting.ts'
import type { Clock, Random, Sleep } from './waiting.ts'

/** The right to call one provider for one account: whoever shares the quota shares the pace. */
export interface Pace {
  /** A slice begins that shares this pace. Its first calls go ahead at once: what others use, they give way with. */
  begin(): void
  /**
   * Resolves, in the order asked, when a call of this cost may go. Every call that went is followed by `granted` or
   * `refused`. Throws `rate_limited` with `retryAfterMs` when the provider asked for a longer stop than `patienceMs`,
   * and the signal's reason as soon as it aborts.
   *
   * @param cost in the provider's units
   */
  take(cost: number, signal?: AbortSignal): Promise<void>
  /** The provider counted a call of this cost and let it through, whatever then became of it. */
  granted(cost: number): void
  /** The provider refused a call for its rate. Nothing goes for `retryAfterMs`, if it said so, or for a while. */
  refused(retryAfterMs?: number): void
  /** What the provider is believed to allow; null as long as it has refused nothing. */
  rate(): Rate | null
}

export interface PaceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
  /** Longest stop, in milliseconds, that a call waits for; 60,000 unless told. */
  readonly patienceMs?: number
  /** What `rate()` said in an earlier life. */
  readonly rate?: Rate | null
}

interface Waiting {
  readonly cost: number
  readonly go: () => void
  readonly fail: (error: WaybillError) => void
}

/**
 * Finds a provider's quota and keeps just below it, without being told how much it is. Nothing is held back until the
 * provider refuses a call for the first time.
 */
export function createPace(options: PaceOptions): Pace {
  const { clock, random, sleep, patienceMs = 60_000 } = options
  const estimate = createQuotaEstimate(random, options.rate ?? null)
  const line: Waiting[] = []
  let serving = false
  let nap: AbortController | null = null

  function impatient(): WaybillError | null {
    const left = estimate.stoppedUntil() - clock()
    if (left <= patienceMs) return null
    return new WaybillError('rate_limited', 'The provider asked us to wait.', {
      retryAfterMs: left,
    })
  }

  async function rest(ms: number): Promise<void> {
    nap = new AbortController()
    try {
      await sleep(ms, nap.signal)
    } catch (error) {
      if (!nap.signal.aborted) throw error
    } finally {
      nap = null
    }
  }

  async function serve(): Promise<void> {
    for (let first = line[0]; first !== undefined; first = line[0]) {
      const stop = impatient()
      const delay = stop ? 0 : estimate.delay(clock(), first.cost)
      if (delay > 0) {
        await rest(delay)
        continue
      }
      line.shift()
      if (stop) first.fail(stop)
      else {
        estimate.took(clock(), first.cost, true)
        first.go()
      }
    }
    serving = false
  }

  function wake(): void {
    nap?.abort()
    if (serving || line.length === 0) return
    serving = true
    serve().catch((error: unknown) => {
      serving = false
      const broken = new WaybillError('internal', 'The pace lost its clock.', { cause: error })
      for (const waiting of line.splice(0)) waiting.fail(broken)
    })
  }

  return {
    begin: () => estimate.begin(),
    async take(cost, signal) {
      if (signal?.aborted) throw reasonOf(signal)
      const stop = impatient()
      if (stop) throw stop
      if (line.length === 0 && estimate.delay(clock(), cost) <= 0) {
        estimate.took(clock(), cost, false)
        return
      }
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          const at = line.indexOf(waiting)
          if (at >= 0) line.splice(at, 1)
          if (signal) reject(reasonOf(signal))
        }
        const done = (): void => signal?.removeEventListener('abort', leave)
        const waiting: Waiting = {
          cost,
          go: () => {
            done()
            resolve()
          },
          fail: (error) => {
            done()
            reject(error)
          },
        }
        signal?.addEventListener('abort', leave, { once: true })
        line.push(waiting)
        wake()
      })
    },
    granted(cost) {
      if (estimate.granted(clock(), cost)) wake()
    },
    refused(retryAfterMs) {
      estimate.refused(clock(), retryAfterMs)
      wake()
    },
    rate: () => estimate.rate(),
  }
}
