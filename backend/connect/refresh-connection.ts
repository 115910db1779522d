import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { AccountProvider } from '../../shared/account.ts'
import type { Acts } from '../audit/acts.ts'
import type { Connection, Connections, Credentials } from '../records/connections.ts'
import { refuseFrozen } from '../records/freezes.ts'
import { endpointAt } from './oauth-server.ts'
import type { OAuthEndpoints } from './oauth-server.ts'
import { processRefresh, requestRefresh } from './refresh.ts'
import type { AccessGrant } from './refresh.ts'

/** A token is replaced while this part of its life is left, so that none ends in the middle of a call. */
const MARGIN_MS = 5 * 60_000
const PATIENCE_MS = 30_000
/** Longer than a provider is waited for, so that two never use one refresh token at the same time. */
const LEASE_MS = PATIENCE_MS + 15_000
/** How long the refresh token before the present one is kept, for a provider that still takes it. */
const PREVIOUS_MS = 24 * 60 * 60_000
const LOOK_AGAIN_MS = 100
const LONGEST_LOOK_MS = 1_000

export interface RefreshDeps {
  readonly connections: Connections
  readonly endpoints: OAuthEndpoints
  /** A token for an account whose domain is delegated, and whose account it is. Throws `connection_expired`, `unavailable`. */
  readonly delegated?: (user: string) => Promise<AccessGrant>
  /** Tells of an account that is somebody else's now. */
  readonly acts?: Pick<Acts, 'leaf'>
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
  /** Resolves after that many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
  /** Told once each time a connection stops working until its owner does something. */
  readonly onStopped?: (stopped: {
    readonly connection: string
    readonly provider: AccountProvider
    readonly error: WaybillError
  }) => void
}

/**
 * Gets a connection that has a valid access token, by refreshing it if need be:
 *
 * 1. A short lease in the connection's own record, taken by compare-and-set: of any number of processes one refreshes,
 *    the others wait for what it gets. The lease of a dead one runs out.
 * 2. The provider is asked.
 * 3. What it gave is kept before it is used, the new refresh token and the one before it in one record.
 *
 * Killed after 2, the provider may have replaced a token that nobody knows. Whoever refreshes next uses the old one, which
 * providers with tokens for one use take as long as the new one was not used; one that does not ends the connection, and
 * that is said once.
 *
 * @param refused an access token that the provider has refused: not good, whatever its time
 * @param since an account of a delegated domain has to have been compared with its owner at this time or later, in
 *   milliseconds since 1970
 * @returns the connection, active, with an access token other than `refused`
 * @throws WaybillError `connection_expired`, `connection_unconfirmed`, `account_changed` when its owner has to act, `frozen`
 */
export async function freshConnection(
  deps: RefreshDeps,
  user: string,
  id: string,
  refused: string | null,
  since = 0,
): Promise<Connection> {
  const holder = Buffer.from(deps.random(12)).toString('base64url')
  for (let wait = LOOK_AGAIN_MS; ; wait = Math.min(wait * 1.5, LONGEST_LOOK_MS)) {
    const claimed = await claim(deps, user, id, { refused, since }, holder)
    if (claimed.kind === 'fresh') return claimed.connection
    if (claimed.kind === 'mine') return refresh(deps, claimed.connection, holder)
    await deps.sleep(wait)
  }
}

/** @returns whether its access token will be good for some while. */
export function isFresh(connection: Connection, now: number): boolean {
  const { accessToken, accessExpiresAt } = connection.credentials
  return connection.state === 'active' && accessToken !== null && accessExpiresAt - MARGIN_MS > now
}

/** Throws if the connection may not be used as it is. */
export function refuseUnusable({ state }: Pick<Connection, 'state'>): void {
  if (state === 'expired') throw expired()
  if (state === 'frozen') throw changed()
  if (state === 'unconfirmed')
    throw new WaybillError(
      'connection_unconfirmed',
      'Nobody has confirmed yet that this is the account that is meant.',
    )
}

async function claim(
  { connections, now }: RefreshDeps,
  user: string,
  id: string,
  { refused, since }: { readonly refused: string | null; readonly since: number },
  holder: string,
): Promise<{ readonly kind: 'fresh' | 'busy' | 'mine'; readonly connection: Connection }> {
  let kind: 'fresh' | 'busy' | 'mine' = 'busy'
  const connection = await connections.update(user, id, async (known, transaction) => {
    refuseUnusable(known)
    kind = 'fresh'
    const { accessToken, delegated } = known.credentials
    const isCompared = delegated === undefined || delegated.checkedAt >= since
    if (isFresh(known, now()) && accessToken !== refused && isCompared) return null
    await refuseFrozen(transaction, user)
    kind = 'busy'
    if ((known.refreshing?.until ?? 0) > now()) return null
    kind = 'mine'
    return { refreshing: { holder, until: now() + LEASE_MS } }
  })
  return { kind, connection }
}

async function refresh(
  deps: RefreshDeps,
  connection: Connection,
  holder: string,
): Promise<Connection> {
  const { refreshToken, previous } = connection.credentials
  try {
    return await use(deps, connection, refreshToken)
  } catch (error) {
    if (!hasCode(error, 'connection_expired')) {
      await letGo(deps, connection, holder)
      throw error
    }
    // Somebody may have connected the account again meanwhile: what they were given counts.
    const latest = await deps.connections.get(connection.user, connection.id)
    if (latest.credentials.refreshToken !== refreshToken) return latest
    if (previous !== undefined && previous.until > deps.now()) {
      const kept = await useAgain(deps, connection, previous.refreshToken)
      if (kept !== null) return kept
    }
    return stop(deps, connection, 'expired', expired())
  }
}

/** The present token may be one that the provider never came to know. */
async function useAgain(
  deps: RefreshDeps,
  connection: Connection,
  previous: string,
): Promise<Connection | null> {
  try {
    return await use(deps, connection, previous)
  } catch (error) {
    if (hasCode(error, 'connection_expired')) return null
    throw error
  }
}

async function use(
  deps: RefreshDeps,
  connection: Connection,
  refreshToken: string,
): Promise<Connection> {
  const { connections, endpoints, now } = deps
  const endpoint = endpointAt(endpoints, connection.provider)
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const grant =
    connection.credentials.delegated === undefined
      ? await processRefresh(endpoint, await requestRefresh(endpoint, refreshToken, signal))
      : await delegatedGrant(deps, connection.user)
  const { subject = null } = connection.credentials
  if (subject !== null && grant.subject !== null && grant.subject !== subject)
    return stop(deps, connection, 'frozen', changed())
  return connections.update(connection.user, connection.id, ({ credentials }) =>
    credentials.refreshToken === connection.credentials.refreshToken
      ? { refreshing: null, credentials: renewed(credentials, grant, refreshToken, now()) }
      : null,
  )
}

async function delegatedGrant(deps: RefreshDeps, user: string): Promise<AccessGrant> {
  if (deps.delegated === undefined) throw expired()
  return deps.delegated(user)
}

function renewed(
  { previous, ...credentials }: Credentials,
  grant: AccessGrant,
  used: string,
  now: number,
): Credentials {
  const refreshToken = grant.refreshToken ?? used
  const before =
    refreshToken === credentials.refreshToken
      ? previous
      : { refreshToken: used, until: now + PREVIOUS_MS }
  return {
    ...credentials,
    ...(before === undefined || before.until <= now ? {} : { previous: before }),
    ...(credentials.delegated === undefined ? {} : { delegated: { checkedAt: now } }),
    refreshToken,
    accessToken: grant.accessToken,
    accessExpiresAt: now + grant.expiresIn * 1000,
  }
}

async function letGo(deps: RefreshDeps, { user, id }: Connection, holder: string): Promise<void> {
  await deps.connections.update(user, id, ({ refreshing }) =>
    refreshing?.holder === holder ? { refreshing: null } : null,
  )
}

/** Its owner has to act. Said only by whoever changed the state. */
async function stop(
  deps: RefreshDeps,
  { user, id, provider, credentials: { refreshToken } }: Connection,
  state: 'expired' | 'frozen',
  error: WaybillError,
): Promise<never> {
  let isNews = false
  const details = { connection: id, provider }
  const told = { act: 'account_reassigned', target: id, result: 'refused', details } as const
  const leaf = state === 'frozen' ? await deps.acts?.leaf(user, told) : undefined
  const change = (known: Connection): Partial<Connection> | null => {
    isNews = known.state === 'active' && known.credentials.refreshToken === refreshToken
    return isNews ? { state, refreshing: null } : null
  }
  await deps.connections.update(user, id, change, leaf)
  if (isNews) deps.onStopped?.({ connection: id, provider, error })
  throw error
}

function expired(): WaybillError {
  return new WaybillError('connection_expired', 'The account has to be connected again.')
}

function changed(): WaybillError {
  return new WaybillError(
    'account_changed',
    'The provider answered for another account than the one that was connected.',
  )
}
