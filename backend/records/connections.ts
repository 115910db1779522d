import { WaybillError } from '../../shared/errors.ts'
import { isAccountProvider } from '../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { refuseErasing } from './freezes.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'

/**
 * | state | means | may be used by a job | goes on to |
 * | --- | --- | --- | --- |
 * | `unconfirmed` | its owner has not said yet that this is the account they mean | no | `active`, once they have |
 * | `active` | its tokens are good, or can be refreshed | yes | `expired`, `frozen` |
 * | `expired` | the provider takes the refresh token no more | no | `active`, when the same account is connected again |
 * | `frozen` | a refresh was answered for another account | no | `unconfirmed`, when it is connected again |
 *
 * From any state it can be disconnected: then there is no record of it any more.
 */
export type ConnectionState = (typeof states)[number]

const states = ['unconfirmed', 'active', 'expired', 'frozen'] as const

/** What is sealed of a connection: the only record that holds tokens. */
export interface Credentials {
  readonly accountId: string
  /** Shown to its owner: an e-mail address. */
  readonly label: string
  /** Who the provider says that its tokens are for, in the answers of its token endpoint; absent if it does not say. */
  readonly subject?: string
  /** What was granted of a Google Drive; absent for other providers, and where that is not known. */
  readonly tier?: DriveTier
  /**
   * Of an account that its domain's administrator has let Waybill use: it has no refresh token, and `checkedAt` says when
   * whose account it is was last compared, in milliseconds since 1970.
   */
  readonly delegated?: { readonly checkedAt: number }
  readonly refreshToken: string
  readonly accessToken: string | null
  /** Milliseconds since 1970. */
  readonly accessExpiresAt: number
  /** The refresh token before this one, for providers that take it a little longer. */
  readonly previous?: { readonly refreshToken: string; readonly until: number }
}

export interface Connection {
  readonly id: string
  readonly user: string
  readonly provider: AccountProvider
  readonly state: ConnectionState
  readonly createdAt: number
  /** Who is refreshing its tokens, and until when nobody else does, in milliseconds since 1970. */
  readonly refreshing?: { readonly holder: string; readonly until: number } | null
  readonly credentials: Credentials
}

/** A user's accounts at providers. */
export interface Connections {
  /** Keeps it, and the leaf that tells of it. */
  create(connection: Connection, leaf?: Leaf): Promise<void>
  /** `not_found` also when it is somebody else's; `envelope_refused` when the keys it was sealed with are lost. */
  get(user: string, id: string): Promise<Connection>
  /** Those that open: what was sealed with lost keys is lost with them, and its account can be connected again. */
  list(user: string): Promise<readonly Connection[]>
  /**
   * Changes what `change` returns, against the connection as it is at that moment; null leaves it.
   * Runs again when somebody else changed it meanwhile. The transaction is for what has to be read with it; `leaf` tells of
   * the change.
   */
  update(
    user: string,
    id: string,
    change: (
      now: Connection,
      transaction: Transaction,
    ) => Partial<Connection> | null | Promise<Partial<Connection> | null>,
    leaf?: Leaf,
  ): Promise<Connection>
  /** Forgets it, told of by `leaf`; `beside` is for what has to be kept in the same transaction. Throws as `get`. */
  remove(
    user: string,
    id: string,
    beside: (connection: Connection, transaction: Transaction) => void,
    leaf?: Leaf,
  ): Promise<void>
}

/** @returns the connections kept in `store`, sealed for their owners. */
export function createConnections(store: Store, owners: Owners): Connections {
  const toDocument = (owner: Owner, connection: Connection) => {
    const { id, user, provider, state, createdAt, refreshing, credentials } = connection
    const { holder = null, until = 0 } = refreshing ?? {}
    return {
      key: id,
      fields: { user, provider, state, createdAt, holder, until },
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
    create: async (connection, leaf) => {
      const document = toDocument(await owners.of(connection.user), connection)
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, connection.user)
        transaction.put('connections', document)
        if (leaf !== undefined) putLeaf(transaction, leaf)
      })
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
    update: async (user, id, change, leaf) =>
      store.transact(async (transaction) => {
        const now = await read(transaction, user, id)
        const changed = await change(now, transaction)
        if (changed === null) return now
        const connection = { ...now, ...changed }
        transaction.put('connections', toDocument(await owners.of(user), connection))
        if (leaf !== undefined) putLeaf(transaction, leaf)
        return connection
      }),
    remove: async (user, id, beside, leaf) =>
      store.transact(async (transaction) => {
        beside(await read(transaction, user, id), transaction)
        transaction.remove('connections', id)
        if (leaf !== undefined) putLeaf(transaction, leaf)
      }),
  }
}

function connectionFrom(owner: Owner, { key, fields, body }: Document): Connection {
  const { provider, state, holder, until } = fields
  if (!isAccountProvider(provider) || !isState(state))
    throw new WaybillError('internal', 'A connection is one that Waybill does not know.')
  return {
    id: key,
    user: owner.user,
    provider,
    state,
    createdAt: Number(fields['createdAt']),
    ...(typeof holder === 'string' ? { refreshing: { holder, until: Number(until) } } : {}),
    credentials: owner.open<Credentials>('connections', key, body),
  }
}

function isState(value: unknown): value is ConnectionState {
  return states.some((each) => each === value)
}
