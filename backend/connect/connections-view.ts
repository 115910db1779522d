import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import type { Connection, Connections as Records } from '../records/connections.ts'

/**
 * `ready` can be used. The others wait for their owner: `unconfirmed` to be told that it is the account they mean,
 * `expired` for another sign-in, `frozen` too, since a refresh was answered for another account.
 */
type ConnectionState = 'ready' | 'unconfirmed' | 'expired' | 'frozen'

/** A connection as its owner sees it. It holds no token. */
export interface ConnectionView {
  readonly id: string
  readonly provider: AccountProvider
  /** How the provider names the account to its owner: usually an e-mail address. */
  readonly account: string
  readonly state: ConnectionState
  /** What was granted of a Google Drive; null for other providers, and where that is not known. */
  readonly tier: DriveTier | null
}

/** What a person can see of their connections. */
export interface Connections {
  /** All of them, oldest first; none is an empty list. */
  list(user: string): Promise<readonly ConnectionView[]>
}

/** @returns a connection without anything secret. */
export function viewOf({ id, provider, credentials, state }: Connection): ConnectionView {
  return {
    id,
    provider,
    account: credentials.label,
    state: state === 'active' ? 'ready' : state,
    tier: credentials.tier ?? null,
  }
}

/** @returns what people can see of the connections kept in `records`. */
export function createConnectionViews(records: Records): Connections {
  // Ids sort by time.
  return { list: async (user) => (await records.list(user)).map(viewOf) }
}
