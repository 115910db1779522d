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

  const refresh = async (user: string, id: string): Promise<Connection> => {
    const connection = await connections.get(user, id)
    if (isFresh(connection, now())) return connection
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
      return await connections.update(user, id, (current) => ({
        credentials: {
          ...current.credentials,
          refreshToken: grant.refreshToken ?? current.credentials.refreshToken,
          accessToken: grant.accessToken,
          accessExpiresAt: now() + grant.expiresIn * 1000,
        },
      }))
    } catch (error) {
      if (!hasCode(error, 'connection_expired')) throw error
      // Somebody else may have used the refresh token a moment ago: what they were given counts.
      const latest = await connections.get(user, id)
      if (latest.credentials.refreshToken !== refreshToken || isFresh(latest, now())) return latest
      await connections.update(user, id, () => ({ state: 'expired' }))
      throw error
    }
  }

  const single = async (user: string, id: string): Promise<Connection> => {
    const flying = underWay.get(id) ?? refresh(user, id).finally(() => underWay.delete(id))
    underWay.set(id, flying)
    return flying
  }

  return {
    of: (user, id) => {
      let current: Connection | null = null
      let refused: string | null = null
      return {
        get: async () => {
          if (refused !== null) {
            const token = refused
            refused = null
            current = null
            await connections.update(user, id, (latest) =>
              latest.credentials.accessToken === token
                ? { credentials: { ...latest.credentials, accessToken: null, accessExpiresAt: 0 } }
                : null,
            )
          }
          if (current === null || !isFresh(current, now())) current = await single(user, id)
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
