import type { protos } from '@google-cloud/tasks'

export type Queue = protos.google.cloud.tasks.v2.IQueue
type Duration = protos.google.protobuf.IDuration
type Timestamp = protos.google.protobuf.ITimestamp

/** A queue's settings, in milliseconds. */
export interface TaskSettings {
  readonly perSecond: number
  readonly burst: number
  readonly atOnce: number
  /** -1 for any number. */
  readonly attempts: number
  /** Attempts are not given up before; 0 for no limit of time, which leaves the attempts to decide. */
  readonly retryMs: number
  readonly minBackoff: number
  readonly maxBackoff: number
  readonly doublings: number
}

/**
 * What was not set is what Cloud Tasks picks.
 * https://docs.cloud.google.com/tasks/docs/configuring-queues
 */
export function settingsOf({ rateLimits, retryConfig }: Queue): TaskSettings {
  const perSecond = rateLimits?.maxDispatchesPerSecond || 500
  return {
    perSecond,
    // The real one is not known but for its being at least the rate.
    burst: Math.max(1, Math.ceil(perSecond)),
    atOnce: rateLimits?.maxConcurrentDispatches || 1_000,
    attempts: retryConfig?.maxAttempts || 100,
    retryMs: msOf(retryConfig?.maxRetryDuration) ?? 0,
    minBackoff: msOf(retryConfig?.minBackoff) ?? 100,
    maxBackoff: msOf(retryConfig?.maxBackoff) ?? 3_600_000,
    doublings: retryConfig?.maxDoublings || 16,
  }
}

/** As the service shows them. */
export function shownSettings(settings: TaskSettings): Queue {
  return {
    rateLimits: {
      maxDispatchesPerSecond: settings.perSecond,
      maxBurstSize: settings.burst,
      maxConcurrentDispatches: settings.atOnce,
    },
    retryConfig: {
      maxAttempts: settings.attempts,
      maxRetryDuration: protoTime(settings.retryMs),
      minBackoff: protoTime(settings.minBackoff),
      maxBackoff: protoTime(settings.maxBackoff),
      maxDoublings: settings.doublings,
    },
  }
}

/**
 * @param failed how many attempts have failed, at least 1
 * @returns milliseconds until the next: doubling first, then growing by what it last grew to, as the comment on
 * `max_doublings` has it (10 s, 20 s, 40 s, 80 s, 160 s, 240 s, 300 s, 300 s …)
 */
export function backoffOf(settings: TaskSettings, failed: number): number {
  const { minBackoff, maxBackoff, doublings } = settings
  const doubled = Math.min(failed - 1, doublings)
  const largest = minBackoff * 2 ** doubled
  return Math.min(maxBackoff, largest * (1 + failed - 1 - doubled))
}

/** Milliseconds of a duration or a time; undefined if it was not sent. */
export function msOf(sent: Duration | Timestamp | null | undefined): number | undefined {
  if (sent === null || sent === undefined) return undefined
  return Number(sent.seconds ?? 0) * 1_000 + (sent.nanos ?? 0) / 1_000_000
}

/** The other way round. */
export function protoTime(ms: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(ms / 1_000)
  return { seconds, nanos: Math.round((ms - seconds * 1_000) * 1_000_000) }
}
