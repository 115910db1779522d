import type { AccountProvider } from '../../shared/account.ts'
import type { Acts } from '../audit/acts.ts'
import type { Connection, Connections } from '../records/connections.ts'
import type { Revocation, Revocations } from '../records/revocations.ts'
import type { OAuthEndpoints } from './oauth-server.ts'
import { revokeTokens } from './revoke.ts'

/**
 * What became of the access that a person had allowed:
 *
 * - `revoked`: the provider has taken it back.
 * - `pending`: the provider could not be asked. Waybill tries again, for a week at most.
 * - `not_offered`: the provider lets nobody but the person take it back, at `link`. Waybill has forgotten its tokens.
 */
export interface Disconnected {
  readonly outcome: 'revoked' | 'pending' | 'not_offered'
  /** Where a person sees what they have allowed, and can take it back themselves. */
  readonly link: string
}

/** An account that is disconnected here, and still to be revoked at its provider. */
export interface PendingRevocation {
  readonly id: string
  readonly provider: AccountProvider
  /** Given up then, RFC 3339. */
  readonly until: string
}

export interface Disconnecting {
  /**
   * Forgets a connection with its tokens, and has them revoked. Jobs that need it fail from then on. Throws `not_found`.
   */
  disconnect(user: string, connection: string): Promise<Disconnected>
  /** What the person has disconnected and the provider does not know yet. */
  pending(user: string): Promise<readonly PendingRevocation[]>
  /** Asks the providers again, where it is time. Throws what went wrong with one of them once the others are done. */
  retry(): Promise<void>
}

/** Asked for by one tick, at the same time. */
const AT_ONCE = 20

const personalTenant = '9188040d-6c67-4c5b-b112-36a304b66dad/'

/** @returns where people see what they have allowed, and can take it back. */
function linkAt({ provider, credentials }: Connection): string {
  switch (provider) {
    case 'google-drive':
      return 'https://myaccount.google.com/connections'
    case 'dropbox':
      return 'https://www.dropbox.com/account/connected_apps'
    case 'box':
      return 'https://app.box.com/account/security'
    case 'microsoft':
      return credentials.subject?.startsWith(personalTenant) === true
        ? 'https://account.live.com/consent/Manage'
        : 'https://myapps.microsoft.com'
    default:
      return provider satisfies never
  }
}

/** @returns what ends connections. */
export function createDisconnecting({
  connections,
  revocations,
  acts,
  endpoints,
  now,
}: {
  readonly connections: Connections
  readonly revocations: Revocations
  readonly acts: Pick<Acts, 'leaf'>
  readonly endpoints: OAuthEndpoints
  readonly now: () => number
}): Disconnecting {
  const revoke = async (revocation: Revocation): Promise<boolean> => {
    const secrets = await revocations.open(revocation)
    const endpoint = endpoints[revocation.provider]
    if (secrets !== null && endpoint === null) return false
    const isDone =
      secrets === null ||
      endpoint === null ||
      (await revokeTokens(endpoint, revocation.provider, secrets, now()))
    if (isDone) await revocations.forget(revocation)
    return isDone
  }

  const revokeOrPostpone = async (revocation: Revocation): Promise<void> => {
    let isDone = false
    try {
      isDone = await revoke(revocation)
    } finally {
      // Also one that fails, as its key is away: it would stand first each time, and keep the others waiting.
      if (!isDone) await revocations.postpone(revocation)
    }
  }

  return {
    disconnect: async (user, id) => {
      const connection = await connections.get(user, id)
      const { provider } = connection
      const link = linkAt(connection)
      const endpoint = endpoints[provider]
      const details = { connection: id, provider }
      const leaf = await acts.leaf(user, { act: 'account_disconnected', target: id, details })
      // Only an administrator of the domain takes back what was delegated.
      const isDelegated = connection.credentials.delegated !== undefined
      if (isDelegated || (endpoint !== null && endpoint.revokeUrl === null)) {
        await connections.remove(user, id, () => undefined, leaf)
        return { outcome: 'not_offered', link }
      }
      // Kept before anything is asked: killed in between, the next tick goes on.
      const keep = await revocations.prepare(id)
      await connections.remove(user, id, keep, leaf)
      const [waiting] = (await revocations.list({ user })).filter((each) => each.id === id)
      const isRevoked = waiting === undefined || (await revoke(waiting))
      return { outcome: isRevoked ? 'revoked' : 'pending', link }
    },
    pending: async (user) =>
      (await revocations.list({ user })).map(({ id, provider, until }) => ({
        id,
        provider,
        until: new Date(until).toISOString(),
      })),
    retry: async () => {
      const all = await revocations.list('all')
      // However many wait for their provider: no key of theirs lives longer than a week.
      const over = all.filter(({ until }) => until <= now())
      const waiting = all.filter(({ until, nextAt }) => until > now() && nextAt <= now())
      // The longest waiting first; a provider that does not answer takes a while for each.
      const first = waiting.toSorted((a, b) => a.nextAt - b.nextAt).slice(0, AT_ONCE)
      const asked = await Promise.allSettled([
        ...over.map(async (each) => revocations.forget(each)),
        ...first.map(revokeOrPostpone),
      ])
      const failed = asked.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
  }
}
