import { WaybillError, hasCode } from '../../shared/errors.ts'
import { isAccountProvider } from '../../shared/account.ts'
import type { AccountProvider } from '../../shared/account.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import type { Connection } from './connections.ts'
import type { Owners } from './owner.ts'

const week = 7 * 24 * 60 * 60_000
const minute = 60_000
const longestWait = 6 * 60 * minute

/** A token of an account that was disconnected here and that its provider has not taken back yet. */
export interface Revocation {
  /** That of the connection that there was. */
  readonly id: string
  readonly user: string
  readonly provider: AccountProvider
  /** Given up then, in milliseconds since 1970, and forgotten. */
  readonly until: number
  readonly nextAt: number
  readonly attempts: number
}

/** What is sealed of a revocation. */
export interface RevocationSecrets {
  readonly accountId: string
  readonly refreshToken: string
  readonly accessToken: string | null
  readonly accessExpiresAt: number
}

/**
 * What still has to be revoked. Each has a key of its own, which opens nothing else and is deleted with it, a week later at
 * the latest: the owner's own keys may be gone by then.
 */
export interface Revocations {
  /**
   * Makes the key for a connection, and returns what keeps its tokens, for the transaction that forgets it: as they are at
   * that moment, as somebody may refresh them meanwhile.
   */
  prepare(id: string): Promise<(connection: Connection, transaction: Transaction) => void>
  /** A person's, or everybody's. */
  list(of: { readonly user: string } | 'all'): Promise<readonly Revocation[]>
  /** Its secrets; null if its key is gone. */
  open(revocation: Revocation): Promise<RevocationSecrets | null>
  /** Forgets it and its key. */
  forget(revocation: Revocation): Promise<void>
  /** Waits longer each time: a minute at first, six hours at most. */
  postpone(revocation: Revocation): Promise<void>
}

/** @returns the revocations kept in `store`. */
export function createRevocations(store: Store, owners: Owners, now: () => number): Revocations {
  return {
    prepare: async (id) => {
      const owner = await owners.of(keyName(id))
      return ({ user, provider, credentials }, transaction) => {
        const { accountId, refreshToken, accessToken, accessExpiresAt } = credentials
        const secrets = { accountId, refreshToken, accessToken, accessExpiresAt }
        const body = owner.seal('revocations', id, secrets satisfies RevocationSecrets)
        const times = { until: now() + week, nextAt: now() + minute, attempts: 0 }
        const fields = { waits: true, user, provider, ...times }
        transaction.put('revocations', { key: id, fields, body, expiresAt: null })
      }
    },
    list: async (of) => {
      const where = of === 'all' ? { waits: true } : { user: of.user }
      const all: Revocation[] = []
      for (let after: string | undefined; ;) {
        const page = { limit: 1_000, ...(after === undefined ? {} : { after }) }
        const found = await store.list({ collection: 'revocations', where, ...page })
        all.push(...found.map(fromDocument))
        after = found.at(-1)?.key
        if (found.length < page.limit) return all
      }
    },
    open: async ({ id }) => {
      const found = await store.get('revocations', id)
      // Asking for a key would make one.
      if (found === null || (await store.get('keys', keyName(id))) === null) return null
      try {
        return (await owners.of(keyName(id))).open('revocations', id, found.body)
      } catch (error) {
        if (hasCode(error, 'envelope_refused')) return null
        throw error
      }
    },
    forget: async ({ id }) => {
      await store.transact(async (transaction) => transaction.remove('keys', keyName(id)))
      owners.forget(keyName(id))
      await store.transact(async (transaction) => transaction.remove('revocations', id))
    },
    postpone: async ({ id }) =>
      store.transact(async (transaction) => {
        const found = await transaction.get('revocations', id)
        if (found === null) return
        const attempts = Number(found.fields['attempts']) + 1
        const nextAt = now() + Math.min(minute * 2 ** attempts, longestWait)
        transaction.put('revocations', { ...found, fields: { ...found.fields, attempts, nextAt } })
      }),
  }
}

/** Whether keys are those of a revocation: new when it begins, and gone within a week. */
export function isRevocationKey(user: string): boolean {
  return user.startsWith(keyName(''))
}

/** No person's id looks like this. */
function keyName(id: string): string {
  return `revocation.${id}`
}

function fromDocument({ key, fields }: Document): Revocation {
  const { user, provider, until, nextAt, attempts } = fields
  if (!isAccountProvider(provider))
    throw new WaybillError('internal', 'A revocation names a provider that Waybill does not know.')
  return {
    id: key,
    user: String(user),
    provider,
    until: Number(until),
    nextAt: Number(nextAt),
    attempts: Number(attempts),
  }
}
