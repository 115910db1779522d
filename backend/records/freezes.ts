import { WaybillError } from '../../shared/errors.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { isErasedKey, keyDocument, keyRingFrom } from './key-records.ts'

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

/**
 * Who froze it: its owner; an alarm, of which the owner has to show that they are the owner; or an administrator, and then
 * only an administrator ends it.
 */
export type FrozenBy = 'owner' | 'alarm' | 'administrator'

const strengths: Readonly<Record<FrozenBy, number>> = { owner: 0, alarm: 1, administrator: 2 }

/** Throws `frozen` if everything of the person is frozen. */
export async function refuseFrozen(from: Pick<Transaction, 'get'>, user: string): Promise<void> {
  if ((await frozenSince(from, user)) !== null)
    throw new WaybillError('frozen', 'Everything is frozen until its owner ends that.')
}

/**
 * Throws `frozen` if the person is being erased. Whatever makes a document of theirs that was not there asks this in its
 * transaction: what is not there when the erasure begins does not come to be until it has ended.
 */
export async function refuseErasing(from: Pick<Transaction, 'get'>, user: string): Promise<void> {
  const found = await from.get('freezes', user)
  if (typeof found?.fields['erasure'] === 'string')
    throw new WaybillError('frozen', 'Everything of this person is being erased.')
}

/**
 * Freezes everything of a person. A new key epoch makes every process forget the keys that it has unwrapped, the next time
 * that it looks.
 *
 * @param by who wants it; what an alarm froze stays so also when its owner freezes it besides
 * @returns since when; that of the first time if it is frozen already, except that an alarm freezes anew
 */
export async function freeze(
  store: Store,
  user: string,
  now: number,
  by: FrozenBy = 'owner',
  leaf?: Leaf,
): Promise<number> {
  const since = await store.transact(async (transaction) => {
    const found = await transaction.get('freezes', user)
    if (leaf !== undefined) putLeaf(transaction, leaf)
    const already = found === null ? null : Number(found.fields['since'])
    // What somebody who has taken the account over froze in advance is no way around the alarm.
    const counts = by !== 'owner' && strengths[by] >= strengths[byOf(found)]
    if (already !== null && !counts) return already
    const began = by === 'alarm' ? now : (already ?? now)
    const fields = { ...found?.fields, since: began, by }
    transaction.put('freezes', { key: user, fields, body: null, expiresAt: null })
    return began
  })
  await store.transact(async (transaction) => {
    const found = await transaction.get('keys', user)
    if (found === null || isErasedKey(found)) return
    const ring = keyRingFrom(found)
    const current = { ...ring.current, keyEpoch: ring.current.keyEpoch + 1 }
    transaction.put('keys', keyDocument(user, { ...ring, current }))
  })
  return since
}

/**
 * Ends it. Throws `frozen` for a person who is being erased, `forbidden` where an administrator has to end it, or an alarm
 * froze it and `isEnough` says so.
 *
 * @param isEnough whether who ends it has shown enough for an alarm that froze it at this time, in milliseconds since 1970.
 *   Asked in the transaction: an alarm that is raised in this very moment counts
 */
export async function unfreeze(
  store: Store,
  user: string,
  {
    by = 'owner',
    leaf,
    isEnough = () => true,
  }: {
    readonly by?: FrozenBy
    readonly leaf?: Leaf
    readonly isEnough?: (alarm: number) => boolean
  } = {},
): Promise<void> {
  await store.transact(async (transaction) => {
    await refuseErasing(transaction, user)
    const found = await transaction.get('freezes', user)
    if (byOf(found) === 'administrator' && by !== 'administrator')
      throw new WaybillError('forbidden', 'Only an administrator of your domain can end this.')
    if (byOf(found) === 'alarm' && !isEnough(Number(found?.fields['since'])))
      throw new WaybillError(
        'forbidden',
        'An alarm has frozen this. Look at it in the browser, at /connect/freeze, and sign in anew.',
      )
    transaction.remove('freezes', user)
    if (leaf !== undefined) putLeaf(transaction, leaf)
  })
}

function byOf(document: Document | null): FrozenBy {
  const by = document?.fields['by']
  return by === 'alarm' || by === 'administrator' ? by : 'owner'
}
