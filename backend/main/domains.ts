import { userIdOf } from '../api/user-id.ts'
import { personalTenant } from '../records/audit-lines.ts'
import { createActs } from '../audit/acts.ts'
import type { TenantOf } from '../audit/acts.ts'
import type { Settings } from '../config.ts'
import type { DelegationSettings } from '../config/delegation.ts'
import { createArriving } from '../connect/arriving.ts'
import type { ServiceAccount } from '../connect/delegate.ts'
import { createDelegating } from '../connect/delegating.ts'
import type { DelegatingDeps } from '../connect/delegating.ts'
import { createPolicing } from '../connect/policing.ts'
import { createPeople } from '../records/people.ts'
import type { TenantDeps } from '../records/tenants.ts'
import { createAdministering } from '../run/administering.ts'
import type { FreezingOfOthers } from '../run/freezing.ts'
import { createKeepToPolicy } from '../run/keep-to-policy.ts'
import { googleSigning, serviceAccountAt } from './delegation-account.ts'

/**
 * Domains: who is of which, what they allow, and what they have delegated.
 *
 * @param deps.freezing of everybody
 */
export function createDomains(
  settings: Settings,
  deps: TenantDeps &
    Pick<DelegatingDeps, 'connections' | 'directory' | 'endpoint' | 'whose'> & {
      readonly freezing: FreezingOfOthers
    },
) {
  const { connections, owners } = deps
  const { delegation, google, wholeDrive: isWholeAllowed } = settings
  const people = createPeople(deps)
  const tenantOf: TenantOf = async (owner) =>
    (await people.tenantOf(owner.user)) ?? personalTenant(owner)
  const acts = createActs({ ...deps, tenantOf })
  const policing = createPolicing({ ...deps, people })
  let loading: Promise<ServiceAccount> | null = null
  const account = async (): Promise<ServiceAccount | null> =>
    delegation === null ? null : (loading ??= openAccount(delegation))
  const delegating = createDelegating({
    ...deps,
    account,
    people,
    policing,
    acts,
    isWholeAllowed,
  })
  const userOf = (sub: string): string => userIdOf(google.issuers[0] ?? '', sub)
  const administering = createAdministering({ ...deps, people, acts, delegating, userOf })
  return {
    tenantOf,
    acts,
    policing,
    delegating,
    administering,
    arrived: createArriving({ ...deps, people, delegating }),
    keepToPolicy: createKeepToPolicy({ policing, connections, owners }),
    /** Of a domain's log: a person alone has the whole of their own. */
    refuseExport: async (user: string): Promise<void> => {
      if ((await people.tenantOf(user)) !== null) await administering.refuseOthers(user)
    },
  }
}

/** The library that signs takes a while to load, and most installations have no domain. */
async function openAccount(delegation: DelegationSettings): Promise<ServiceAccount> {
  if (delegation.kind === 'account') return serviceAccountAt(delegation, googleSigning, fetch)
  const { serviceAccountFrom } = await import('./delegation-key.ts')
  return serviceAccountFrom(delegation.file)
}
