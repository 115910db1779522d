import { WaybillError } from '../../shared/errors.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import type { Connection } from '../records/connections.ts'
import { freshConnection, isFresh } from './refresh-connection.ts'
import type { RefreshDeps } from './refresh-connection.ts'

/** Keeps the access tokens of connections valid; with the sign-in, the only code that sees a refresh token. */
export interface Tokens {
  /** A source of valid tokens for one connection. Its `get` throws `connection_expired` when a person has to connect again. */
  of(user: string, connection: string): TokenSource
}

/** @returns tokens for all connections; any number of callers at once, in any number of processes, cost one refresh. */
export function createTokens(deps: RefreshDeps): Tokens {
  const { now } = deps
  const underWay = new Map<string, Promise<Connection>>()

  const fly = async (
    user: string,
    id: string,
    refused: string | null,
    since: number,
  ): Promise<Connection> => {
    const begin = async () => freshConnection(deps, user, id, refused, since)
    const name = JSON.stringify([user, id])
    const flying = underWay.get(name) ?? begin().finally(() => underWay.delete(name))
    underWay.set(name, flying)
    return flying
  }

  const single = async (
    user: string,
    id: string,
    refused: string | null,
    since: number,
  ): Promise<Connection> => {
    const connection = await fly(user, id, refused, since)
    if (refused === null || connection.credentials.accessToken !== refused) return connection
    // That one was on its way before the refusal was known.
    return fly(user, id, refused, since)
  }

  return {
    of: (user, id) => {
      let current: Connection | null = null
      let refused: string | null = null
      // Whoever begins to work with a delegated account has it compared with its owner first.
      const since = now()
      return {
        get: async () => {
          const known = current?.credentials.accessToken ?? null
          if (current === null || known === refused || !isFresh(current, now()))
            current = await single(user, id, refused, since)
          const token = current.credentials.accessToken
          if (token === null)
            throw new WaybillError('connection_expired', 'The account has to be connected again.')
          return token
        },
        reject: (token) => {
          refused = token
        },
      }
    },
  }
}
