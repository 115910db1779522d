import type { ProviderId } from '../../shared/job.ts'
import type { Connection, Connections as Records } from '../records/connections.ts'

/** `ready` can be used; `expired` waits until its owner signs in again. */
type ConnectionState = 'ready' | 'expired'

/** A connection as its owner sees it. It holds no token. */
export interface ConnectionView {
  readonly id: string
  readonly provider: ProviderId
  /** How the provider names the account to its owner: usually an e-mail address. */
  readonly account: string
  readonly state: ConnectionState
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
    state: state === 'active' ? 'ready' : 'expired',
  }
}

/** @returns what people can see of the connections kept in `records`. */
export function createConnectionViews(records: Records): Connections {
  // Ids sort by time.
  return { list: async (user) => (await records.list(user)).map(viewOf) }
}
