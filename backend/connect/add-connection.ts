import { WaybillError } from '../../shared/errors.ts'
import type { ProviderId } from '../../shared/job.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import type { Connection, Connections } from '../records/connections.ts'
import { newId } from '../records/ids.ts'
import { processRefresh, requestRefresh } from './refresh.ts'
import type { TokenEndpoint } from './refresh.ts'

const PATIENCE_MS = 30_000

/** Whose account this is, as the provider says. */
export type WhoseAccount = (
  provider: ProviderId,
  token: TokenSource,
) => Promise<{ readonly id: string; readonly label: string }>

/**
 * Keeps an account whose refresh token somebody already has. Proves it first: the token is used, and the account asked
 * for its name. The same account again replaces the tokens of its connection.
 *
 * @throws WaybillError `connection_expired` when the provider refuses the token
 */
export async function addConnection(
  deps: {
    readonly connections: Connections
    readonly endpoints: Readonly<Record<ProviderId, TokenEndpoint>>
    readonly whose: WhoseAccount
    readonly now: () => number
    readonly random: (bytes: number) => Uint8Array
  },
  user: string,
  provider: ProviderId,
  refreshToken: string,
): Promise<Connection> {
  const { connections, endpoints, whose, now, random } = deps
  if (refreshToken.trim() === '')
    throw new WaybillError('invalid_request', 'The refresh token is empty.')
  const endpoint = endpoints[provider]
  const response = await requestRefresh(
    endpoint,
    refreshToken.trim(),
    AbortSignal.timeout(PATIENCE_MS),
  )
  const grant = await processRefresh(endpoint, response)
  const account = await whose(provider, {
    get: async () => grant.accessToken,
    reject: () => undefined,
  })
  const credentials = {
    accountId: account.id,
    label: account.label,
    refreshToken: grant.refreshToken ?? refreshToken.trim(),
    accessToken: grant.accessToken,
    accessExpiresAt: now() + grant.expiresIn * 1000,
  }
  const known = (await connections.list(user)).find(
    (each) => each.provider === provider && each.credentials.accountId === account.id,
  )
  if (known !== undefined)
    return connections.update(user, known.id, () => ({ state: 'active', credentials }))
  const connection: Connection = {
    id: newId(now(), random),
    user,
    provider,
    state: 'active',
    createdAt: now(),
    credentials,
  }
  await connections.create(connection)
  return connection
}
