import type { CallLog } from './call-log.ts'
import type { FaultMenu, Faults } from './faults.ts'
import type { OauthControl } from './oauth/control.ts'
import type { Account, Tokens } from './tokens.ts'

/** What every simulated cloud is started with. */
export interface CloudOptions {
  /** 0 or nothing for a free port. */
  readonly port?: number
  /** Milliseconds that every call waits. */
  readonly latencyMs?: number
  /** Faults from the start; none unless given. */
  readonly faults?: FaultMenu
  /** Milliseconds since 1970; the machine's clock unless given. */
  readonly now?: () => number
  /** Ids and synthetic contents depend on it. */
  readonly seed?: string | number
  /** Where visitors of the consent page may come back to, from the client that is there from the start. */
  readonly redirectUris?: readonly string[]
}

/** One item as a test compares it. */
export interface DumpEntry {
  readonly kind: 'file' | 'folder' | 'document' | 'shortcut'
  readonly id: string
  /** Bytes; null where the provider says none. */
  readonly size: number | null
  /** Hexadecimal sha256 of a file's content, so that trees of different clouds compare; null without bytes. */
  readonly sha256: string | null
  /** The modification time that the cloud would report, RFC 3339; null for folders of clouds without one. */
  readonly modified: string | null
}

/** Path without a slash at the front → item. Twins at one path get ` #2`, ` #3` … behind it. */
export type Dump = Readonly<Record<string, DumpEntry>>

/** What every simulated cloud offers to a test, beside its HTTP API. */
export interface SimulatedCloud {
  /** Base URL, without a slash at the end. */
  readonly url: string
  readonly account: Account
  readonly tokens: Tokens
  /** People, clients, consents and keys. */
  readonly oauth: OauthControl
  readonly calls: CallLog
  readonly faults: Faults
  /** While true, every call is reset, as if the network were gone. */
  setOffline(offline: boolean): void
  /** Everything that is not in the trash. */
  dump(): Promise<Dump>
  close(): Promise<void>
}
