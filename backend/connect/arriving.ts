import { hasCode } from '../../shared/errors.ts'
import type { People, Person } from '../records/people.ts'
import { ensureTenant, findTenant, joinCustomer, readTenant } from '../records/tenants.ts'
import type { TenantDeps } from '../records/tenants.ts'
import type { Delegating } from './delegating.ts'

/** Who a good ID token is of. */
export interface Arrival {
  /** Our id. */
  readonly user: string
  readonly sub: string
  /** `hd`; null for an account of no domain. */
  readonly domain: string | null
  /** Null for a token without. */
  readonly address: string | null
}

/** A token is good for an hour; who is at work is looked at more often than that. */
const LOOKED_AT_MS = 10 * 60_000
const REMEMBERED = 10_000

/**
 * Writes down who of a domain came and which tenant they are of, whenever that is not what it was. Of people without a
 * domain nothing is written down.
 *
 * A domain may have another name since somebody came last. The directory of the customer that they were of says whether
 * they are still: then the new name leads to the old tenant. Where that cannot be told, they stay where they were.
 *
 * @returns what to call with everybody who proves who they are
 */
export function createArriving(
  deps: TenantDeps & {
    readonly people: People
    readonly delegating: Pick<Delegating, 'lookUp'>
  },
): (arrival: Arrival) => Promise<void> {
  const { people, now } = deps
  const seen = new Map<string, { readonly text: string; readonly until: number }>()

  const tenantFor = async (known: Person | null, domain: string): Promise<string | null> => {
    const led = await findTenant(deps, domain)
    if (led !== null) return led
    if (known === null) return ensureTenant(deps, domain)
    const { customer, administrator } = await readTenant(deps.store, deps.owners, known.tenant)
    if (customer === null || administrator === null) return ensureTenant(deps, domain)
    const found = await lookUp(deps, administrator, known.sub)
    if (found === 'unknown') return null
    return found?.customer === customer
      ? joinCustomer(deps, domain, customer)
      : ensureTenant(deps, domain)
  }

  return async ({ user, sub, domain, address }) => {
    const text = JSON.stringify([domain, address])
    const before = seen.get(user)
    const isKnown = before?.text === text && now() < before.until
    // Who was erased meanwhile is of no domain until they are written down again, and nothing would keep them to its policy.
    if (isKnown && (domain === null || (await people.tenantOf(user)) !== null)) return
    const known = await people.find(user)
    if (domain === null) {
      if (known !== null) await people.forget(user)
    } else {
      const lower = domain.toLowerCase()
      const tenant = await tenantFor(known, lower)
      // Asked again the next time they come.
      if (tenant === null) return
      const person = {
        user,
        tenant,
        sub,
        domain: lower,
        address: address ?? known?.address ?? null,
      }
      if (known === null || !isSame(person, known)) await people.keep(person)
    }
    if (seen.size >= REMEMBERED) seen.clear()
    seen.set(user, { text, until: now() + LOOKED_AT_MS })
  }
}

function isSame(one: Person, other: Person): boolean {
  return (['tenant', 'sub', 'domain', 'address'] as const).every((at) => one[at] === other[at])
}

async function lookUp(
  { delegating }: { readonly delegating: Pick<Delegating, 'lookUp'> },
  administrator: string,
  sub: string,
) {
  try {
    return await delegating.lookUp(administrator, sub)
  } catch (error) {
    if (hasCode(error, 'unavailable') || hasCode(error, 'connection_expired')) return 'unknown'
    throw error
  }
}
