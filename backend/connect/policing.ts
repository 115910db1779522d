import { WaybillError } from '../../shared/errors.ts'
import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import { decide, domainOf, refusalWords } from '../../shared/policy.ts'
import type { Asked } from '../../shared/policy.ts'
import type { Owners } from '../records/owner.ts'
import type { People } from '../records/people.ts'
import { readTenant } from '../records/tenants.ts'
import type { Tenant } from '../records/tenants.ts'
import type { Store, Transaction } from '../store/store.ts'

/** What somebody wants to do, themselves left out. */
export type Wish = Omit<Asked, 'person' | 'domains'>

/** Keeps people to the policy of their tenant. */
export interface Policing {
  /** The tenant that somebody is of; null without a domain. Throws `frozen` as an administrator has frozen all of it. */
  tenantOf(user: string): Promise<Tenant | null>
  /** Throws `policy_refused`, and as `tenantOf`. */
  refuse(user: string, wish: Wish): Promise<void>
}

/** @returns it, for the tenants and people kept in `store`. */
export function createPolicing({
  store,
  owners,
  people,
}: {
  readonly store: Store
  readonly owners: Owners
  readonly people: Pick<People, 'tenantOf'>
}): Policing {
  const tenantOf = async (user: string): Promise<Tenant | null> => {
    const id = await people.tenantOf(user)
    return id === null ? null : unfrozenTenant(store, owners, id)
  }
  return {
    tenantOf,
    refuse: async (user, wish) => {
      const tenant = await tenantOf(user)
      if (tenant !== null) refuseAgainst(tenant, user, wish)
    },
  }
}

/** @returns the tenant; throws `frozen` if an administrator has frozen all of it. */
export async function unfrozenTenant(
  from: Pick<Transaction, 'get'>,
  owners: Owners,
  id: string,
): Promise<Tenant> {
  const tenant = await readTenant(from, owners, id)
  refuseFrozenTenant(tenant)
  return tenant
}

/** Throws `frozen` if an administrator has frozen all of a domain. */
export function refuseFrozenTenant({ frozenSince }: Pick<Tenant, 'frozenSince'>): void {
  if (frozenSince !== null)
    throw new WaybillError('frozen', 'An administrator has frozen everything of the domain.')
}

/** Throws `policy_refused` with the reason in words. */
export function refuseAgainst(
  { policy, domains }: Pick<Tenant, 'policy' | 'domains'>,
  person: string,
  wish: Wish,
): void {
  const decision = decide(policy, { ...wish, person, domains })
  if (decision.allowed) return
  const why = refusalWords(decision.reason)
  throw new WaybillError('policy_refused', `The policy of your domain says: ${why}.`)
}

/** @returns what connecting an account asks for, as far as it is known: a Drive is copied from, all others are copied to. */
export function wishToConnect(
  provider: AccountProvider,
  tier: DriveTier | null,
  account?: { readonly id: string; readonly label: string },
): Wish {
  if (provider === 'google-drive') return { source: { provider, whole: tier === 'whole' } }
  if (account === undefined) return { destination: { provider } }
  return { destination: { provider, account: { id: account.id, domain: domainOf(account.label) } } }
}
