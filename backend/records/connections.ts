import { WaybillError } from '../../shared/errors.ts'
import type { ProviderId } from '../../shared/job.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'

type ConnectionState = 'active' | 'expired'

/** What is sealed of a connection: the only record that holds tokens. */
interface Credentials {
  readonly accountId: string
  /** Shown to its owner: an e-mail address. */
  readonly label: string
  readonly refreshToken: string
  readonly accessToken: string | null
  /** Milliseconds since 1970. */
  readonly accessExpiresAt: number
}

export interface Connection {
  readonly id: string
  readonly user: string
  readonly provider: ProviderId
  readonly state: ConnectionState
  readonly createdAt: number
  readonly credentials: Credentials
}

/** A user's accounts at providers. */
export interface Connections {
  create(connection: Connection): Promise<void>
  /** `not_found` also when it is somebody else's; `envelope_refused` when the keys it was sealed with are lost. */
  get(user: string, id: string): Promise<Connection>
  /** Those that open: what was sealed with lost keys is lost with them, and its account can be connected again. */
  list(user: string): Promise<readonly Connection[]>
  /**
   * Changes what `change` returns, against the connection as it is at that moment; null leaves it.
   * Runs again when somebody else changed it meanwhile.
   */
  update(
    user: string,
    id: string,
    change: (now: Connection) => Partial<Connection> | null,
  ): Promise<Connection>
}

/** @returns the connections kept in `store`, sealed for their owners. */
export function createConnections(store: Store, owners: Owners): Connections {
  const toDocument = (owner: Owner, connection: Connection) => {
    const { id, user, provider, state, createdAt, credentials } = connection
    return {
      key: id,
      fields: { user, provider, state, createdAt },
      body: owner.seal('connections', id, credentials),
      expiresAt: null,
    }
  }

  const read = async (
    from: Pick<Transaction, 'get'>,
    user: string,
    id: string,
  ): Promise<Connection> => {
    const found = await from.get('connections', id)
    if (found === null || found.fields['user'] !== user)
      throw new WaybillError('not_found', 'There is no such connection.')
    return connectionFrom(await owners.of(user), found)
  }

  return {
    create: async (connection) => {
      const document = toDocument(await owners.of(connection.user), connection)
      await store.transact(async (transaction) => transaction.put('connections', document))
    },
    get: (user, id) => read(store, user, id),
    list: async (user) => {
      const found = await store.list({ collection: 'connections', where: { user }, limit: 1000 })
      // Who has nothing yet needs no keys.
      if (found.length === 0) return []
      const owner = await owners.of(user)
      return found
        .map((document) => unlessLost(() => connectionFrom(owner, document)))
        .filter((connection) => connection !== null)
    },
    update: async (user, id, change) =>
      store.transact(async (transaction) => {
        const now = await read(transaction, user, id)
        const changed = change(now)
        if (changed === null) return now
        const connection = { ...now, ...changed }
        transaction.put('connections', toDocument(await owners.of(user), connection))
        return connection
      }),
  }
}

function connectionFrom(owner: Owner, { key, fields, body }: Document): Connection {
  return {
    id: key,
    user: owner.user,
    provider: providerOf(fields['provider']),
    state: fields['state'] === 'expired' ? 'expired' : 'active',
    createdAt: Number(fields['createdAt']),
    credentials: owner.open<Credentials>('connections', key, body),
  }
}

function providerOf(value: unknown): ProviderId {
  if (value === 'google-drive' || value === 'dropbox') return value
  throw new WaybillError('internal', 'A connection names a provider that Waybill does not know.')
}
