import type { WrapContext } from './context.ts'

/** A DEK as it may be stored. */
interface WrappedKey {
  /** Which KEK it is wrapped under, in the words of the wrapper that made it. */
  readonly kekId: string
  readonly wrapped: Uint8Array
}

/**
 * Wraps DEKs under key-encryption keys (KEKs) that never leave it.
 *
 * - What was wrapped unwraps to the same bytes under the same context.
 * - A DEK is 32 bytes: wrapping anything else is refused with `envelope_refused`.
 * - Wrapping the same DEK twice gives different bytes, of at most 1,024.
 * - The context is not stored: unwrapping under any other one is refused with `envelope_refused`.
 * - Changed, cut or lengthened bytes are refused with `envelope_refused`.
 * - A wrapped key that names another KEK than its own is never unwrapped.
 * - A KEK that is unknown, or cannot be reached, is `key_unavailable`: asking again later may help.
 * - The newest KEK wraps; what an older KEK wrapped can still be unwrapped.
 * - The returned bytes are the caller's to overwrite, and so is the DEK that was passed in; neither is kept.
 */
export interface KeyWrapper {
  wrap(dek: Uint8Array, context: WrapContext): Promise<WrappedKey>
  unwrap(key: WrappedKey, context: WrapContext): Promise<Uint8Array>
}

/** A wrapper that can say which KEKs there are, for whoever moves DEKs from older ones to the newest. */
export interface RotatingKeyWrapper extends KeyWrapper {
  /**
   * The ids of all KEKs that may have wrapped something, first the one that wraps now. A KEK that has just become the
   * newest may be named before `wrap` uses it.
   */
  kekIds(): Promise<readonly [string, ...string[]]>
}
