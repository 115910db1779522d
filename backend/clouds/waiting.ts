import { WaybillError } from '../../shared/errors.ts'

/** Milliseconds since 1970. */
export type Clock = () => number

/** A number in [0, 1). */
export type Random = () => number

/** Resolves after `ms` milliseconds; rejects as soon as `signal` aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/**
 * @param signal one that has aborted
 * @returns what its aborter gave as the reason, if that is ours, or `cancelled`
 */
export function reasonOf(signal: AbortSignal): WaybillError {
  const reason: unknown = signal.reason
  if (reason instanceof WaybillError) return reason
  return new WaybillError('cancelled', 'The call was stopped.', { cause: reason })
}
