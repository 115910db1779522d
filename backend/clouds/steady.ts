import type { ErrorCode } from '../../shared/errors.ts'
import type { ProviderId } from '../../shared/job.ts'
import type { Destination, Source } from './cloud.ts'
import { createPace } from './pace.ts'
import type { Pace } from './pace.ts'
import type { RetryOptions } from './retried.ts'
import { steadyDestination } from './steady-destination.ts'
import { steadySource } from './steady-source.ts'
import type { Clock } from './waiting.ts'

/** Paces of as many accounts are remembered; the one unused for longest is forgotten and would be found anew. */
const REMEMBERED = 10_000

export interface SteadyOptions extends Omit<RetryOptions, 'pace' | 'signal' | 'onCall'> {
  readonly clock: Clock
  /** Told of each attempt: null, or the code that it failed with. */
  readonly onCall?: (provider: ProviderId, code: ErrorCode | null) => void
}

export interface Steady {
  /**
   * To be called once a slice.
   *
   * @param account whatever shares a quota, such as a connection's id: all its runs share a pace
   */
  source(source: Source, account: string, signal?: AbortSignal): Source
  destination(destination: Destination, account: string, signal?: AbortSignal): Destination
}

/** @returns wrappers that give clouds pace and patience, and that remember each account's pace from run to run. */
export function createSteady(options: SteadyOptions): Steady {
  const paces = new Map<string, Pace>()

  function paceOf(account: string): Pace {
    const pace = paces.get(account) ?? createPace(options)
    paces.delete(account)
    paces.set(account, pace)
    for (const oldest of paces.keys()) {
      if (paces.size <= REMEMBERED) break
      paces.delete(oldest)
    }
    return pace
  }

  const { onCall, ...others } = options
  const retry = (
    provider: ProviderId,
    account: string,
    signal: AbortSignal | undefined,
  ): RetryOptions => ({
    ...others,
    ...(onCall && { onCall: (code) => onCall(provider, code) }),
    pace: paceOf(account),
    ...(signal && { signal }),
  })

  return {
    source: (source, account, signal) => {
      const paced = retry(source.provider, account, signal)
      paced.pace.begin()
      return steadySource(source, paced)
    },
    destination: (destination, account, signal) =>
      steadyDestination(destination, retry(destination.provider, account, signal)),
  }
}
