import { WaybillError } from '../../shared/errors.ts'

/** What became of a call: its value, or whose fault it is that there is none. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | {
      readonly kind: 'unavailable'
      /** One of the places that the call passed. */
      readonly place: string
      /** For people. */
      readonly message: string
      readonly cause: unknown
    }

/**
 * Keeps calls from what does not work. A call passes named places, such as the network, then one key. While a place is
 * shut, no call gets through, but for one at a time, and no more often than every so many milliseconds, which finds out
 * whether it works again.
 */
export interface Circuit {
  /**
   * Calls, unless one of the places is shut. A call that blames one of them shuts it and opens those before it, which it
   * got through; one that is done opens them all.
   *
   * @param places from the outermost to the innermost
   * @throws WaybillError `key_unavailable` with the message of the call that shut the place, and with how long to wait;
   * whatever `call` throws
   */
  run<T>(places: readonly string[], call: () => Promise<Outcome<T>>): Promise<T>
}

interface Shut {
  readonly message: string
  readonly cause: unknown
  readonly probeAt: number
  probed: boolean
}

/**
 * @param now milliseconds of a clock that never goes back
 * @param probeEveryMs how long a place stays shut before a call is let through
 */
export function createCircuit({
  now,
  probeEveryMs,
}: {
  readonly now: () => number
  readonly probeEveryMs: number
}): Circuit {
  // As many as there are operations and versions of keys.
  const shut = new Map<string, Shut>()

  const refusal = ({ message, cause, probeAt, probed }: Shut): WaybillError => {
    const retryAfterMs = probed ? probeEveryMs : probeAt - now()
    return new WaybillError('key_unavailable', message, { cause, retryAfterMs })
  }

  return {
    run: async (places, call) => {
      const found = places.flatMap((place) => shut.get(place) ?? [])
      const closed = found.find(({ probed, probeAt }) => probed || now() < probeAt)
      if (closed !== undefined) throw refusal(closed)
      for (const each of found) each.probed = true
      try {
        const outcome = await call()
        const blamed = outcome.kind === 'done' ? places.length : places.indexOf(outcome.place)
        for (const place of places.slice(0, blamed)) shut.delete(place)
        if (outcome.kind === 'done') return outcome.value
        const { place, message, cause } = outcome
        const since: Shut = { message, cause, probeAt: now() + probeEveryMs, probed: false }
        shut.set(place, since)
        throw refusal(since)
      } finally {
        for (const each of found) each.probed = false
      }
    },
  }
}
