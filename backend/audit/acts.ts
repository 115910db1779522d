import { newLeaf, personalTenant, putLeaf } from '../records/audit-lines.ts'
import type { Act, Leaf } from '../records/audit-lines.ts'
import { refuseErasing } from '../records/freezes.ts'
import type { Owner, Owners } from '../records/owner.ts'
import type { Store } from '../store/store.ts'

/** Whoever runs this installation, as the owner of what they do to it: no person's id looks like this. */
export const operator = 'operator'

/** What was done, on its way into the log of whom it concerns. */
export interface Acts {
  /** @returns the leaf of an act, for the transaction that does it. Throws `key_unavailable`. */
  leaf(user: string, act: Act): Promise<Leaf>
  /** Writes the leaf of an act that is no transaction of the store. */
  record(user: string, act: Act): Promise<void>
}

/** Says in which tenant's log a person's acts are. */
export type TenantOf = (owner: Owner) => string | Promise<string>

/**
 * @param deps.tenantOf our id of the tenant whose log a person's acts are in; each is a tenant of their own unless told
 */
export function createActs(deps: {
  readonly store: Store
  readonly owners: Owners
  readonly tenantOf?: TenantOf
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}): Acts {
  const { store, owners, tenantOf = personalTenant, now, random } = deps
  const leaf = async (user: string, act: Act): Promise<Leaf> => {
    const owner = await owners.of(user)
    return newLeaf(owner, await tenantOf(owner), act, { now: now(), random })
  }
  return {
    leaf,
    record: async (user, act) => {
      const made = await leaf(user, act)
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, user)
        putLeaf(transaction, made)
      })
    },
  }
}
