import { timingSafeEqual } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import type { Store, Transaction } from '../store/store.ts'
import { refuseErasing } from './freezes.ts'
import { hashed, isSecret } from './hashed-secret.ts'
import type { Owners } from './owner.ts'

/** How long somebody may take at the provider, in milliseconds. */
export const signInMs = 10 * 60_000

/** `google` is signing in to Waybill itself, the others are accounts to connect. */
export type SignInAt = AccountProvider | 'google'

/** What is sealed of a sign-in. */
interface SignInDetails {
  /** PKCE's (RFC 7636), and the nonce of the ID token. */
  readonly verifier: string
  readonly nonce: string
  /** Where the provider was told to send the browser back to. */
  readonly redirectUri: string
  readonly tier: DriveTier | null
  /** The link that the person came by, to go on with after signing in. */
  readonly ticket: string | null
}

/** Somebody is at a provider and is expected back. */
export interface SignIn {
  readonly at: SignInAt
  /** Who began it; null if that is what is to be found out. */
  readonly user: string | null
  readonly details: SignInDetails
}

/** Details of sign-ins by nobody yet are sealed with keys of their own. No person's id looks like this. */
const nobody = 'signing-in'

/**
 * Keeps a pending sign-in: one document, known by the hash of its `state`, bound to a secret that only the browser has.
 *
 * @param beside what belongs into the same transaction
 */
export async function keepSignIn(
  { store, owners }: { readonly store: Store; readonly owners: Owners },
  signIn: SignIn,
  {
    state,
    browser,
    now,
  }: { readonly state: string; readonly browser: string; readonly now: number },
  beside: (transaction: Transaction) => Promise<void> = async () => undefined,
): Promise<void> {
  const { at, user, details } = signIn
  const key = hashed('state', state)
  const owner = await owners.of(user ?? nobody)
  const body = owner.seal('signIns', key, details)
  const fields = { at, user, browser: hashed('browser', browser) }
  await store.transact(async (transaction) => {
    if (user !== null) await refuseErasing(transaction, user)
    await beside(transaction)
    transaction.put('signIns', { key, fields, body, expiresAt: now + signInMs })
  })
}

/**
 * Takes a sign-in out, once. Who has the `state` but not the browser's secret takes nothing out, so that nobody can spoil
 * the sign-in of somebody else; who has both is heard once only, also where the answer came in at another provider's place.
 *
 * @throws WaybillError `not_found` for anything but a sign-in that this browser has begun at this provider
 */
export async function takeSignIn(
  { store, owners }: { readonly store: Store; readonly owners: Owners },
  at: SignInAt,
  state: unknown,
  browser: unknown,
): Promise<SignIn> {
  if (!isSecret(state) || !isSecret(browser)) throw unknown()
  const key = hashed('state', state)
  const found = await store.transact(async (transaction) => {
    const pending = await transaction.get('signIns', key)
    if (pending === null || !isSame(pending.fields['browser'], hashed('browser', browser)))
      return null
    transaction.remove('signIns', key)
    return pending
  })
  if (found === null || found.fields['at'] !== at) throw unknown()
  const { user } = found.fields
  const owner = await owners.of(typeof user === 'string' ? user : nobody)
  return {
    at,
    user: typeof user === 'string' ? user : null,
    details: owner.open('signIns', key, found.body),
  }
}

function isSame(kept: unknown, given: string): boolean {
  const [a, b] = [Buffer.from(String(kept)), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function unknown(): WaybillError {
  return new WaybillError('not_found', 'This sign-in is over: begin it again.')
}
