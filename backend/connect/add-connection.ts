import type { AccountProvider } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { Acts } from '../audit/acts.ts'
import type { TokenSource } from '../clouds/cloud.ts'
import type { Connection, Connections } from '../records/connections.ts'
import { keepAccount } from './keep-account.ts'
import type { Account } from './keep-account.ts'
import { endpointAt } from './oauth-server.ts'
import type { OAuthEndpoints } from './oauth-server.ts'
import { wishToConnect } from './policing.ts'
import type { Policing } from './policing.ts'
import { processRefresh, requestRefresh } from './refresh.ts'

const PATIENCE_MS = 30_000

/** Whose account this is, as the provider says. */
export type WhoseAccount = (provider: AccountProvider, token: TokenSource) => Promise<Account>

export interface AddingDeps {
  readonly connections: Connections
  readonly acts: Pick<Acts, 'leaf'>
  readonly endpoints: OAuthEndpoints
  readonly whose: WhoseAccount
  /** Keeps people to the policy of their domain; there is none unless given. */
  readonly policing?: Pick<Policing, 'refuse'>
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/**
 * Keeps an account whose refresh token somebody already has. Proves it first: the token is used, and the account asked
 * for its name. The same account again replaces the tokens of its connection.
 *
 * @throws WaybillError `connection_expired` when the provider refuses the token
 */
export async function addConnection(
  deps: AddingDeps,
  user: string,
  provider: AccountProvider,
  given: string,
): Promise<Connection> {
  const refreshToken = given.trim()
  if (refreshToken === '') throw new WaybillError('invalid_request', 'The refresh token is empty.')
  const endpoint = endpointAt(deps.endpoints, provider)
  // Nobody knows what such a token may read: as much as there is.
  const tier = provider === 'google-drive' ? 'whole' : null
  await deps.policing?.refuse(user, wishToConnect(provider, tier))
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const grant = await processRefresh(endpoint, await requestRefresh(endpoint, refreshToken, signal))
  const account = await deps.whose(provider, {
    get: async () => grant.accessToken,
    reject: () => undefined,
  })
  await deps.policing?.refuse(user, wishToConnect(provider, tier, account))
  const proven = { provider, account, grant, refreshToken: grant.refreshToken ?? refreshToken }
  // Who has the token at hand knows which account it is, and is told.
  return keepAccount(deps, user, { ...proven, tier: null }, true)
}
