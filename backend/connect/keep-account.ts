import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import type { Acts } from '../audit/acts.ts'
import type { Connection, Connections } from '../records/connections.ts'
import { newId } from '../records/ids.ts'
import type { AccessGrant } from './refresh.ts'

/** An account as its provider names it. */
export interface Account {
  readonly id: string
  readonly label: string
}

/** An account that was proven to be somebody's, with tokens that work. */
export interface ProvenAccount {
  readonly provider: AccountProvider
  readonly account: Account
  readonly grant: AccessGrant
  readonly refreshToken: string
  readonly tier: DriveTier | null
  /** Whether its domain's administrator has let Waybill use it: it has no refresh token. */
  readonly isDelegated?: boolean
}

/**
 * Keeps an account, with its line in the audit log. The same account again replaces the tokens of its connection.
 *
 * @param isConfirmed whether its owner has seen already which account it is. Otherwise a new one waits for that, and one
 *   that they have confirmed before does not
 */
export async function keepAccount(
  {
    connections,
    acts,
    now,
    random,
  }: {
    readonly connections: Connections
    readonly acts: Pick<Acts, 'leaf'>
    readonly now: () => number
    readonly random: (bytes: number) => Uint8Array
  },
  user: string,
  { provider, account, grant, refreshToken, tier, isDelegated = false }: ProvenAccount,
  isConfirmed: boolean,
): Promise<Connection> {
  const credentials = {
    accountId: account.id,
    label: account.label,
    ...(grant.subject === null ? {} : { subject: grant.subject }),
    ...(tier === null ? {} : { tier }),
    ...(isDelegated ? { delegated: { checkedAt: now() } } : {}),
    refreshToken,
    accessToken: grant.accessToken,
    accessExpiresAt: now() + grant.expiresIn * 1000,
  }
  const known = (await connections.list(user)).find(
    (each) => each.provider === provider && each.credentials.accountId === account.id,
  )
  const leafFor = async (connection: string) =>
    acts.leaf(user, {
      act: 'account_connected',
      target: connection,
      details: { connection, provider },
    })
  if (known !== undefined) {
    const change = ({ state }: Connection): Partial<Connection> => {
      const wasConfirmed = state === 'active' || state === 'expired'
      return {
        state: isConfirmed || wasConfirmed ? 'active' : 'unconfirmed',
        refreshing: null,
        credentials,
      }
    }
    return connections.update(user, known.id, change, await leafFor(known.id))
  }
  const connection: Connection = {
    id: newId(now(), random),
    user,
    provider,
    state: isConfirmed ? 'active' : 'unconfirmed',
    createdAt: now(),
    credentials,
  }
  await connections.create(connection, await leafFor(connection.id))
  return connection
}
