import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { ProviderId } from '../../shared/job.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import type { Connection, Connections } from '../records/connections.ts'
import { processRefresh, requestRefresh } from './refresh.ts'
import type { TokenEndpoint } from './refresh.ts'

/** A token is replaced while this part of its life is left, so that none ends in the middle of a call. */
const MARGIN_MS = 5 * 60_000
const PATIENCE_MS = 30_000

export interface TokensDeps {
  readonly connections: Connections
  readonly endpoints: Readonly<Record<ProviderId, TokenEndpoint>>
  readonly now: () => number
}

/** Keeps the access tokens of connections valid; the only code that sees a refresh token. */
export interface Tokens {
  /** A source of valid tokens for one connection. Its `get` throws `connection_expired` when a person has to connect again. */
  of(user: string, connection: string): TokenSource
}

/** @returns tokens for all connections; any number of callers at once cost one refresh. */
export function createTokens({ connections, endpoints, now }: TokensDeps): Tokens {
  const underWay = new Map<string, Promise<Connection>>()

  const refresh = async (user: string, id: string, refused: string | null): Promise<Connection> => {
    const connection = await connections.get(user, id)
    const { accessToken } = connection.credentials
    if (isFresh(connection, now()) && accessToken !== refused) return connection
    if (connection.state === 'expired') throw expired()
    const endpoint = endpoints[connection.provider]
    const { refreshToken } = connection.credentials
    try {
      const response = await requestRefresh(
        endpoint,
        refreshToken,
        AbortSignal.timeout(PATIENCE_MS),
      )
      const grant = await processRefresh(endpoint, response)
      // Kept before it is used: a new refresh token may be the only one that still works.
      return await connections.update(user, id, ({ credentials }) =>
        credentials.refreshToken === refreshToken
          ? {
              credentials: {
                ...credentials,
                refreshToken: grant.refreshToken ?? refreshToken,
                accessToken: grant.accessToken,
                accessExpiresAt: now() + grant.expiresIn * 1000,
              },
            }
          : null,
      )
    } catch (error) {
      if (!hasCode(error, 'connection_expired')) throw error
      // Somebody else may have used the refresh token a moment ago: what they were given counts.
      const latest = await connections.get(user, id)
      const isNew = latest.credentials.accessToken !== accessToken && isFresh(latest, now())
      if (latest.credentials.refreshToken !== refreshToken || isNew) return latest
      await connections.update(user, id, ({ credentials }) =>
        credentials.refreshToken === refreshToken ? { state: 'expired' } : null,
      )
      throw error
    }
  }

  const fly = async (user: string, id: string, refused: string | null): Promise<Connection> => {
    const flying = underWay.get(id) ?? refresh(user, id, refused).finally(() => underWay.delete(id))
    underWay.set(id, flying)
    return flying
  }

  const single = async (user: string, id: string, refused: string | null): Promise<Connection> => {
    const connection = await fly(user, id, refused)
    if (refused === null || connection.credentials.accessToken !== refused) return connection
    // That one was on its way before the refusal was known.
    return fly(user, id, refused)
  }

  return {
    of: (user, id) => {
      let current: Connection | null = null
      let refused: string | null = null
      return {
        get: async () => {
          const known = current?.credentials.accessToken ?? null
          if (current === null || known === refused || !isFresh(current, now()))
            current = await single(user, id, refused)
          const token = current.credentials.accessToken
          if (token === null) throw expired()
          return token
        },
        reject: (token) => {
          refused = token
        },
      }
    },
  }
}

function isFresh(connection: Connection, now: number): boolean {
  const { accessToken, accessExpiresAt } = connection.credentials
  return connection.state === 'active' && accessToken !== null && accessExpiresAt - MARGIN_MS > now
}

function expired(): WaybillError {
  return new WaybillError('connection_expired', 'The account has to be connected again.')
}
