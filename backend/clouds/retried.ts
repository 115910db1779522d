import { WaybillError, asWaybillError, dispositionOf } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import type { Result } from './cloud.ts'
import type { Pace } from './pace.ts'
import { reasonOf } from './waiting.ts'
import type { Random, Sleep } from './waiting.ts'

const LONGEST_BACKOFF_S = 64
const REFRESHES = 2

export interface RetryOptions {
  readonly pace: Pace
  readonly random: Random
  readonly sleep: Sleep
  /** Ends every call and every wait at once, with its reason. */
  readonly signal?: AbortSignal
  /** The longest `retryAfterMs` that is waited for; an error with a longer one is thrown on. 60,000 unless told. */
  readonly patienceMs?: number
  /** How often a call is made at most; 8 unless told. */
  readonly attempts?: number
  /** How long one call waits in all between its attempts, in milliseconds; 300,000 unless told. */
  readonly totalMs?: number
  /** Told of each attempt: null, or the code that it failed with. */
  readonly onCall?: (code: ErrorCode | null) => void
}

/** What became of a call that carried many. */
interface Settled<T> {
  /** In the order of the entries. */
  readonly results: readonly Result<T>[]
  /** Entries that were in a call whose answer was lost: it may have landed all the same. */
  readonly unsure: ReadonlySet<number>
}

export interface Retry {
  /**
   * Makes a call at the pace, and again as long as its error's disposition is to try again.
   *
   * @param call must be one that can be repeated
   * @param signal ends this call, in place of the one for all calls: it must abort when that one does
   */
  once<T>(cost: number, call: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /**
   * The same for a call that carries many: only entries that failed in a passing way are sent again. Throws only if no
   * entry has a result of its own.
   */
  each<E, T>(
    cost: number,
    entries: readonly E[],
    call: (entries: readonly E[]) => Promise<readonly Result<T>[]>,
  ): Promise<Settled<T>>
}

/**
 * Why not a retry package: cockatiel and p-retry sleep by the real clock, and cockatiel sleeps to the end after an
 * abort; what is left once both are passed in is the loop below.
 *
 * @returns calls with pace, backoff (full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter)
 *   and obedience to `retryAfterMs`
 */
export function createRetry(options: RetryOptions): Retry {
  const { pace, random, sleep, patienceMs = 60_000, attempts = 8, totalMs = 300_000 } = options
  const onCall = options.onCall ?? (() => undefined)

  async function attempt<T>(
    cost: number,
    call: () => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    await pace.take(cost, signal)
    try {
      const answer = await call()
      pace.granted(cost)
      onCall(null)
      return answer
    } catch (error) {
      const ours = asWaybillError(error)
      onCall(ours.code)
      if (ours.code === 'rate_limited') pace.refused(ours.retryAfterMs)
      else pace.granted(cost)
      throw signal?.aborted ? reasonOf(signal) : ours
    }
  }

  /** Waits after each error of one call; says false when it is time to give up. */
  function createPatience(signal: AbortSignal | undefined) {
    let failures = 0
    let refreshes = 0
    let waited = 0
    return async (error: WaybillError): Promise<boolean> => {
      if (signal?.aborted) throw reasonOf(signal)
      const disposition = dispositionOf(error.code)
      if (disposition === 'refresh') return ++refreshes <= REFRESHES
      if (disposition !== 'retry' || ++failures >= attempts) return false
      const backoff = random() * Math.min(2 ** (failures - 1), LONGEST_BACKOFF_S) * 1000
      const asked = error.retryAfterMs
      if (asked !== undefined && asked > patienceMs) return false
      // What we were asked to wait, and a little more, lest all come back in the same instant.
      const wait = asked === undefined ? backoff : asked + Math.min(backoff, 1000)
      if (waited + wait > totalMs) return false
      waited += wait
      try {
        await sleep(wait, signal)
      } catch (failure) {
        throw signal?.aborted ? reasonOf(signal) : asWaybillError(failure)
      }
      return true
    }
  }

  return {
    async once(cost, call, own) {
      const signal = own ?? options.signal
      const goOn = createPatience(signal)
      for (;;) {
        try {
          return await attempt(cost, call, signal)
        } catch (error) {
          const ours = asWaybillError(error)
          if (!(await goOn(ours))) throw ours
        }
      }
    },

    async each<E, T>(
      cost: number,
      entries: readonly E[],
      call: (entries: readonly E[]) => Promise<readonly Result<T>[]>,
    ): Promise<Settled<T>> {
      const results = new Map<number, Result<T>>()
      const unsure = new Set<number>()
      const goOn = createPatience(options.signal)
      let pending = [...entries.entries()]
      while (pending.length > 0) {
        let failure: WaybillError | null
        const sent = pending
        try {
          const answers = await attempt(
            cost,
            () => call(sent.map(([, entry]) => entry)),
            options.signal,
          )
          if (answers.length !== sent.length) throw incomplete()
          for (const [at, [index]] of sent.entries()) results.set(index, answers[at] ?? missing())
          pending = sent.filter(([index]) => isPassing(results.get(index)))
          failure = pending.map(([index]) => errorOf(results.get(index))).reduce(longer, null)
        } catch (error) {
          failure = asWaybillError(error)
          if (isPassing({ error: failure }) && failure.code !== 'rate_limited')
            for (const [index] of sent) unsure.add(index)
          if (options.signal?.aborted) throw failure
          const given = failure
          for (const [index] of sent) results.set(index, { error: given })
          if (!(await goOn(failure))) {
            if (sent.length === entries.length) throw failure
            break
          }
          continue
        }
        if (failure !== null && !(await goOn(failure))) break
      }
      return { results: entries.map((_, index) => results.get(index) ?? missing()), unsure }
    },
  }
}

function errorOf(result: Result<unknown> | undefined): WaybillError | null {
  return result && 'error' in result ? result.error : null
}

function isPassing(result: Result<unknown> | undefined): boolean {
  const error = errorOf(result)
  return error !== null && ['retry', 'refresh'].includes(dispositionOf(error.code))
}

/** Of two errors, the one that asks for the longer wait. */
function longer(a: WaybillError | null, b: WaybillError | null): WaybillError | null {
  if (a === null || b === null) return a ?? b
  return (b.retryAfterMs ?? 0) > (a.retryAfterMs ?? 0) ? b : a
}

function incomplete(): WaybillError {
  return new WaybillError('internal', 'A cloud answered about other entries than it was asked.')
}

function missing(): { readonly error: WaybillError } {
  return { error: incomplete() }
}
