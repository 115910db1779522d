import { domainOf } from '../../shared/policy.ts'
import type { JobRequest } from '../../shared/job.ts'
import { refuseAgainst, refuseFrozenTenant, unfrozenTenant } from '../connect/policing.ts'
import type { Policing, Wish } from '../connect/policing.ts'
import type { Connections } from '../records/connections.ts'
import type { Watch } from '../records/leases.ts'
import type { Owners } from '../records/owner.ts'
import { watchTenant } from '../records/tenants.ts'
import type { Tenant } from '../records/tenants.ts'

/**
 * Holds a job against the policy of its owner's domain, before anything is done for it. Throws `policy_refused`, or `frozen`
 * as an administrator has frozen the domain.
 *
 * @returns what has to be looked at again while it is worked on; null for somebody without a domain
 */
export type KeepToPolicy = (user: string, request: JobRequest) => Promise<Watch | null>

/** @returns it. Each look costs one read, and two more whenever there is another policy than the one decided by. */
export function createKeepToPolicy({
  policing,
  connections,
  owners,
}: {
  readonly policing: Pick<Policing, 'tenantOf'>
  readonly connections: Pick<Connections, 'get'>
  readonly owners: Owners
}): KeepToPolicy {
  const decideBy = async (tenant: Tenant, user: string, request: JobRequest): Promise<void> => {
    // Where nobody ever made a policy, nobody has to look at the accounts.
    if (tenant.version === 0) return
    refuseAgainst(tenant, user, await wishOf(connections, user, request))
  }

  return async (user, request) => {
    const tenant = await policing.tenantOf(user)
    if (tenant === null) return null
    await decideBy(tenant, user, request)
    let { version } = tenant
    return async (from) => {
      const now = await watchTenant(from, tenant.id)
      refuseFrozenTenant(now)
      if (now.version === version) return
      const changed = await unfrozenTenant(from, owners, tenant.id)
      await decideBy(changed, user, request)
      version = changed.version
    }
  }
}

async function wishOf(
  connections: Pick<Connections, 'get'>,
  user: string,
  { source, destination }: JobRequest,
): Promise<Wish> {
  const from = await connections.get(user, source.connection)
  const to = await connections.get(user, destination.connection)
  const { accountId, label } = to.credentials
  return {
    source: {
      provider: from.provider,
      whole: from.credentials.tier === 'whole' || source.selection.kind !== 'items',
    },
    destination: {
      provider: to.provider,
      account: { id: accountId, domain: domainOf(label) },
      folder: destination.folder,
    },
  }
}
