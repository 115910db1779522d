import { WaybillError } from '../../shared/errors.ts'
import { isAccountProvider } from '../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { refuseErasing } from './freezes.ts'
import { hashed, isSecret, newSecret } from './hashed-secret.ts'

/** How long a ticket waits to be used, in milliseconds. */
export const ticketMs = 10 * 60_000

/**
 * A link that somebody was given to connect an account, in the browser, to what is theirs. It is known by its hash, bound
 * to the person it was made for, and good for one sign-in at a provider.
 */
export interface Ticket {
  readonly user: string
  readonly provider: AccountProvider
  /** Null except for Google Drive. */
  readonly tier: DriveTier | null
  /**
   * Whether it says by itself who its bearer is: only that of the terminal does, for the owner of a Waybill on one
   * machine, who has no account to sign in with.
   */
  readonly bearer: boolean
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** @returns the ticket's secret, which is kept nowhere. */
export async function createTicket(
  store: Store,
  ticket: Ticket,
  random: (bytes: number) => Uint8Array,
): Promise<string> {
  const secret = newSecret(random)
  const { user, provider, tier, bearer, expiresAt } = ticket
  const fields = { user, provider, tier, bearer }
  await store.transact(async (transaction) => {
    await refuseErasing(transaction, user)
    transaction.put('tickets', { key: hashed('ticket', secret), fields, body: null, expiresAt })
  })
  return secret
}

/**
 * @returns the ticket, which stays good; `not_found` if there is none or its time is over, `wrong_state` if it has been
 *   used
 */
export async function readTicket(from: Pick<Transaction, 'get'>, secret: string): Promise<Ticket> {
  const found = isSecret(secret) ? await from.get('tickets', hashed('ticket', secret)) : null
  if (found === null)
    throw new WaybillError('not_found', 'There is no such link, or its time is over.')
  if (found.fields['isUsed'] === true)
    throw new WaybillError('wrong_state', 'This link has been used.')
  return ticketFrom(found)
}

/**
 * Uses a ticket up, in the transaction that keeps what it is used for: of whom and for what it was is forgotten, and that it
 * was used is known until its time is over, so that whoever opens the link again is told so. Throws as `readTicket`.
 */
export async function useTicket(transaction: Transaction, secret: string): Promise<Ticket> {
  const ticket = await readTicket(transaction, secret)
  const key = hashed('ticket', secret)
  const { expiresAt } = ticket
  transaction.put('tickets', { key, fields: { isUsed: true }, body: null, expiresAt })
  return ticket
}

function ticketFrom({ fields, expiresAt }: Document): Ticket {
  const { user, provider, tier, bearer } = fields
  if (!isAccountProvider(provider) || expiresAt === null)
    throw new WaybillError('internal', 'A ticket is damaged.')
  return {
    user: String(user),
    provider,
    tier: tier === 'picked' || tier === 'whole' ? tier : null,
    bearer: bearer === true,
    expiresAt,
  }
}
