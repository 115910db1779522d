import { dropboxFaults } from './fault-catalogue-dropbox.ts'
import { googleFaults } from './fault-catalogue-google.ts'
import { netFaults } from './fault-catalogue-net.ts'
import { hostileFaults, signInFaults } from './fault-catalogue-sign-in.ts'
import type { ProviderName } from './oauth/provider.ts'

/** How a fault shows itself, and in which phase of a call. */
export type FaultAct =
  /** Before the handler: this answer instead of its own. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body: unknown
    }
  /** Before the handler: the connection is reset, nothing happened. */
  | { readonly kind: 'reset' }
  /** After the handler: what was asked for happened, the connection is reset instead of the answer. */
  | { readonly kind: 'lost' }
  /** After the handler: what was asked for happened, and this answer is sent instead of the good news. */
  | { readonly kind: 'lost-behind'; readonly status: number; readonly body: unknown }
  /** After the handler: what was asked for happened, and this is sent as if it were JSON. */
  | { readonly kind: 'garbled'; readonly body: string }
  /** Before the handler: nothing for so many milliseconds. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** In the body: reset after some of the bytes. */
  | { readonly kind: 'cut' }
  /** In the body: an orderly close after fewer bytes than were announced. */
  | { readonly kind: 'short' }
  /** In the body: one byte is another one, the length is right. */
  | { readonly kind: 'flip' }
  /** In the body: some bytes, then none until the client gives up (or `faults.release()`). */
  | { readonly kind: 'stall' }
  /** Before the handler: the request's Range header is not looked at. */
  | { readonly kind: 'no-range' }
  /** In a JSON answer: the body is what `rewrite` makes of it; it leaves its argument as it is. */
  | {
      readonly kind: 'rewrite'
      readonly rewrite: (json: Record<string, unknown>, query: URLSearchParams) => unknown
    }
  /** The handler acts it out: it finds the id in `call.fault`. */
  | { readonly kind: 'inside' }

/** One failure that a provider or the network is known to produce. */
export interface CatalogueFault {
  /** The same id as in the catalogue of real failures. */
  readonly id: string
  /** Who can fail like this; `net` is everybody. */
  readonly provider: 'net' | ProviderName
  /** Route names (a `*` at the end matches the rest) or `@kind`. */
  readonly routes: readonly string[]
  /** True when another try is expected to help: only these are in a menu unless asked for. */
  readonly transient: boolean
  readonly act: FaultAct
}

/** Every fault that the simulated clouds can inject at the level of HTTP. */
export const faultCatalogue: readonly CatalogueFault[] = [
  ...netFaults,
  ...googleFaults,
  ...dropboxFaults,
  ...signInFaults,
]

/** The fault of this id: of the catalogue, or a hostile one. Throws when there is none: a test named it wrongly. */
export function faultById(id: string): CatalogueFault {
  const found = [...faultCatalogue, ...hostileFaults].find((fault) => fault.id === id)
  if (found === undefined) throw new Error(`no fault is called ${id}`)
  return found
}
