import { WaybillError } from '../../shared/errors.ts'
import type { Store, Transaction } from '../store/store.ts'
import { keyDocument, keyRingFrom } from './key-records.ts'

/**
 * A person's switch that stops everything done in their name: no slice begins, those at work end with the next renewal of
 * their lease, no token is refreshed, and keys in memory are forgotten.
 */

/** @returns since when everything of the person is frozen, in milliseconds since 1970; null if it is not. */
export async function frozenSince(
  from: Pick<Transaction, 'get'>,
  user: string,
): Promise<number | null> {
  const found = await from.get('freezes', user)
  return found === null ? null : Number(found.fields['since'])
}

/** Throws `frozen` if everything of the person is frozen. */
export async function refuseFrozen(from: Pick<Transaction, 'get'>, user: string): Promise<void> {
  if ((await frozenSince(from, user)) !== null)
    throw new WaybillError('frozen', 'Everything is frozen until its owner ends that.')
}

/**
 * Freezes everything of a person. A new key epoch makes every process forget the keys that it has unwrapped, the next time
 * that it looks.
 *
 * @returns since when; that of the first time if it is frozen already
 */
export async function freeze(store: Store, user: string, now: number): Promise<number> {
  const since = await store.transact(async (transaction) => {
    const already = await frozenSince(transaction, user)
    if (already !== null) return already
    transaction.put('freezes', { key: user, fields: { since: now }, body: null, expiresAt: null })
    return now
  })
  await store.transact(async (transaction) => {
    const found = await transaction.get('keys', user)
    if (found === null) return
    const ring = keyRingFrom(found)
    const current = { ...ring.current, keyEpoch: ring.current.keyEpoch + 1 }
    transaction.put('keys', keyDocument(user, { ...ring, current }))
  })
  return since
}

/** Ends it. */
export async function unfreeze(store: Store, user: string): Promise<void> {
  await store.transact(async (transaction) => transaction.remove('freezes', user))
}
