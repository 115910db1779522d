import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { Connection } from '../records/connections.ts'
import { refuseFrozen } from '../records/freezes.ts'
import { newSecret } from '../records/hashed-secret.ts'
import type { Owners } from '../records/owner.ts'
import type { Revocations } from '../records/revocations.ts'
import { keepSignIn, takeSignIn } from '../records/sign-ins.ts'
import { createTicket, readTicket, ticketMs, useTicket } from '../records/tickets.ts'
import type { Ticket } from '../records/tickets.ts'
import type { Store } from '../store/store.ts'
import type { AddingDeps } from './add-connection.ts'
import { askedAt, grantedTier, tierOf } from './asked.ts'
import { processAuthorization, requestAuthorization } from './authorize.ts'
import type { Authorization } from './authorize.ts'
import { viewOf } from './connections-view.ts'
import type { ConnectionView } from './connections-view.ts'
import { keepAccount } from './keep-account.ts'
import type { ProvenAccount } from './keep-account.ts'
import { endpointAt } from './oauth-server.ts'
import { wishToConnect } from './policing.ts'
import { revokeTokens } from './revoke.ts'

const PATIENCE_MS = 30_000

/** Where the browser goes now, and what it has to bring back with the answer. */
export interface Departure {
  readonly url: string
  readonly state: string
  /** Known to this browser alone; kept hashed. */
  readonly browser: string
}

export type Arrival =
  | { readonly kind: 'connected'; readonly connection: ConnectionView }
  | { readonly kind: 'denied' }
  | { readonly kind: 'incomplete' }

/**
 * Connecting an account with a browser:
 *
 * 1. `start`, for somebody whom the API knows: a link with a ticket in it.
 * 2. The link shows what is asked and why (`look`), to nobody but the one it was made for.
 * 3. `begin` uses the ticket up and sends the browser to the provider.
 * 4. `finish` takes what the browser comes back with, once, from this browser and this person.
 * 5. The connection is `unconfirmed` until its owner has seen which account it is (`confirm`).
 */
export interface Connecting {
  /** Throws `invalid_request` for a tier that there is not, `settings_invalid` without a client at the provider, `frozen`, `policy_refused`. */
  start(
    user: string,
    asked: { readonly provider: AccountProvider; readonly tier?: DriveTier | undefined },
    isBearer?: boolean,
  ): Promise<{ readonly url: string; readonly expiresAt: string }>
  /** Throws `not_found` for a link that is over, and `wrong_state` for one that has been used. */
  look(ticket: string): Promise<Ticket>
  /** Throws as `look`, and `forbidden` for anybody but the one the link was made for. */
  begin(ticket: string, user: string): Promise<Departure>
  /**
   * Throws `not_found` and `invalid_request` for anything but the answer to a sign-in that this browser has begun, and
   * `forbidden` if somebody else is signed in now. Whatever it throws, the sign-in is over.
   */
  finish(
    at: AccountProvider,
    callback: URLSearchParams,
    browser: unknown,
    user: string | null,
  ): Promise<Arrival>
  /** Throws `not_found`; confirming twice is fine, and `wrong_state` says that it is not up to this. */
  confirm(user: string, connection: string): Promise<ConnectionView>
  get(user: string, connection: string): Promise<ConnectionView>
}

export interface ConnectingDeps extends AddingDeps {
  readonly store: Store
  readonly owners: Owners
  readonly revocations: Revocations
  /** Where browsers find this Waybill, without a slash at the end; throws `settings_invalid` where nobody has said. */
  readonly publicUrl: () => string
  /** Whether the whole Drive may be asked for. */
  readonly isWholeAllowed: boolean
}

/** @returns the sign-in at providers. */
export function createConnecting(deps: ConnectingDeps): Connecting {
  const { store, owners, connections, acts, endpoints, publicUrl, now, random } = deps

  return {
    start: async (user, { provider, tier }, bearer = false) => {
      endpointAt(endpoints, provider)
      await refuseFrozen(store, user)
      const base = publicUrl()
      const expiresAt = now() + ticketMs
      const asked = tierOf(provider, tier, deps.isWholeAllowed)
      await deps.policing?.refuse(user, wishToConnect(provider, asked))
      const ticket = { user, provider, tier: asked, bearer, expiresAt }
      const secret = await createTicket(store, ticket, random)
      return { url: `${base}/connect/${secret}`, expiresAt: new Date(expiresAt).toISOString() }
    },
    look: (ticket) => readTicket(store, ticket),
    begin: async (secret, user) => {
      const { provider, tier } = ownTicket(await readTicket(store, secret), user)
      await refuseFrozen(store, user)
      await deps.policing?.refuse(user, wishToConnect(provider, tier))
      const departure = { state: newSecret(random), browser: newSecret(random) }
      const details = {
        verifier: newSecret(random),
        nonce: newSecret(random),
        redirectUri: callbackUrl(publicUrl(), provider),
        tier,
        ticket: null,
      }
      await keepSignIn(
        { store, owners },
        { at: provider, user, details },
        { ...departure, now: now() },
        async (transaction) => void ownTicket(await useTicket(transaction, secret), user),
      )
      const url = await requestAuthorization(
        endpointAt(endpoints, provider),
        askedAt(provider, tier),
        { ...details, state: departure.state },
      )
      return { url, ...departure }
    },
    finish: async (at, callback, browser, user) => {
      const states = callback.getAll('state')
      const state = states.length === 1 ? states[0] : undefined
      const signIn = await takeSignIn({ store, owners }, at, state, browser)
      if (user === null || signIn.user !== user) throw somebodyElse()
      await refuseFrozen(store, user)
      const { details } = signIn
      const answer = await processAuthorization(
        endpointAt(endpoints, at),
        askedAt(at, details.tier),
        { ...details, state: state ?? '' },
        callback,
        AbortSignal.timeout(PATIENCE_MS),
      )
      if (answer.kind !== 'allowed') return answer
      const connection = await keep(deps, user, at, answer.authorization)
      return { kind: 'connected', connection: viewOf(connection) }
    },
    confirm: async (user, id) => {
      const details = { connection: id }
      const leaf = await acts.leaf(user, { act: 'account_confirmed', target: id, details })
      const change = ({ state }: Connection): Partial<Connection> | null => {
        if (state === 'active') return null
        if (state === 'unconfirmed') return { state: 'active' }
        throw new WaybillError('wrong_state', 'This account has to be connected again first.')
      }
      return viewOf(await connections.update(user, id, change, leaf))
    },
    get: async (user, id) => viewOf(await connections.get(user, id)),
  }
}

/** @returns where a provider sends the browser back to: a place of its own for each, as RFC 9700 §4.4.2.2 asks. */
export function callbackUrl(publicUrl: string, at: string): string {
  return `${publicUrl}/oauth/${at}/callback`
}

async function keep(
  deps: ConnectingDeps,
  user: string,
  provider: AccountProvider,
  authorization: Authorization,
): Promise<Connection> {
  const { refreshToken, accessToken, email, scopes } = authorization
  if (refreshToken === null)
    throw new WaybillError('invalid_request', 'The provider gave no lasting access. Begin again.')
  const account = await deps.whose(provider, {
    get: async () => accessToken,
    reject: () => undefined,
  })
  // The ID token and the tokens beside it have to be of the same account.
  if (provider === 'google-drive' && email?.toLowerCase() !== account.label.toLowerCase())
    throw new WaybillError('invalid_request', 'The provider answered for two accounts at once.')
  const tier = provider === 'google-drive' ? grantedTier(scopes) : null
  await refuseAccount(deps, user, { provider, tier, account }, authorization)
  await dropRevocations(deps, user, provider, account.id)
  const proven = { provider, account, grant: authorization, refreshToken, tier }
  return keepAccount(deps, user, proven, false)
}

/** What the policy of a domain refuses is given back: nobody is to believe that Waybill has it. */
async function refuseAccount(
  { policing, endpoints, now }: ConnectingDeps,
  user: string,
  { provider, tier, account }: Pick<ProvenAccount, 'provider' | 'tier' | 'account'>,
  { refreshToken, accessToken, expiresIn }: Authorization,
): Promise<void> {
  try {
    await policing?.refuse(user, wishToConnect(provider, tier, account))
  } catch (error) {
    const endpoint = endpointAt(endpoints, provider)
    // Google would take back what an earlier connection has, too.
    if (provider !== 'google-drive' && endpoint.revokeUrl !== null && refreshToken !== null) {
      const accessExpiresAt = now() + expiresIn * 1_000
      const secrets = { accountId: account.id, refreshToken, accessToken, accessExpiresAt }
      await revokeTokens(endpoint, provider, secrets, now())
    }
    throw error
  }
}

/** Google revokes all that a person has allowed at once: what was to be revoked would now take the new access along. */
async function dropRevocations(
  { revocations }: ConnectingDeps,
  user: string,
  provider: AccountProvider,
  account: string,
): Promise<void> {
  if (provider !== 'google-drive') return
  for (const each of await revocations.list({ user })) {
    if (each.provider !== provider) continue
    const secrets = await revocations.open(each)
    if (secrets === null || secrets.accountId === account) await revocations.forget(each)
  }
}

function ownTicket(ticket: Ticket, user: string): Ticket {
  if (ticket.user !== user) throw somebodyElse()
  return ticket
}

function somebodyElse(): WaybillError {
  return new WaybillError('forbidden', 'This link was made for somebody else.')
}
