import { WaybillError } from '../../shared/errors.ts'
import type { ActName, AuditEntry } from '../../shared/audit.ts'
import type { Policy } from '../../shared/policy.ts'
import type { Acts } from '../audit/acts.ts'
import { listLog } from '../audit/read-log.ts'
import type { AuditPage } from '../audit/read-log.ts'
import { delegatedScopes } from '../connect/delegate.ts'
import type { Delegating, Delegation } from '../connect/delegating.ts'
import { entryOf } from '../records/audit-lines.ts'
import { freeze, unfreeze } from '../records/freezes.ts'
import type { Owner, Owners } from '../records/owner.ts'
import { usageOf } from '../records/people.ts'
import type { People, Person, Usage } from '../records/people.ts'
import { changeTenant, joinCustomer, readTenant } from '../records/tenants.ts'
import type { Tenant } from '../records/tenants.ts'
import type { Store } from '../store/store.ts'
import type { FreezeView, FreezingOfOthers } from './freezing.ts'

/** A policy with people by their addresses, as administrators know them. */
export type PolicyByAddress = Omit<Policy, 'wholeDrive'> & {
  readonly wholeDrive: 'everybody' | 'nobody' | { readonly people: readonly string[] }
}

/** What an administrator sees of a domain's policy. */
export interface PolicyView {
  readonly version: number
  readonly policy: PolicyByAddress
  readonly domains: readonly string[]
  /** Since when the whole domain is frozen, RFC 3339; null if it is not. */
  readonly frozenSince: string | null
}

/** Who uses what, counted. */
export interface PersonView extends Usage {
  readonly user: string
  readonly address: string | null
}

/** A line of the domain's log, with who it is about where that can still be told. */
export interface TenantEntry {
  /** Who did it; null once they are erased. */
  readonly user: string | null
  readonly entry: AuditEntry
}

/** How far a domain is connected. */
export interface DelegationView extends Delegation {
  /** Whether all of it is granted, and an administrator has connected the domain. */
  readonly connected: boolean
}

/**
 * What administrators of a domain do. Who is one is asked of Google's directory each time: everybody else is `forbidden`,
 * also an administrator of another domain; that domain's people are `not_found`.
 */
export interface Administering {
  /** What has to be entered in Google's console, and what is; for anybody of a domain, as nobody can be known before. */
  delegation(user: string): Promise<DelegationView>
  /** Connects the domain, once everything is granted. */
  connectDomain(user: string): Promise<DelegationView>
  policy(user: string): Promise<PolicyView>
  /** Throws `invalid_request` for an address that nobody of the domain has. */
  setPolicy(user: string, policy: PolicyByAddress): Promise<PolicyView>
  people(
    user: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<{ readonly people: readonly PersonView[]; readonly next: string | null }>
  audit(
    user: string,
    page: { readonly from: number; readonly limit: number },
  ): Promise<Omit<AuditPage, 'lines'> & { readonly lines: readonly TenantEntry[] }>
  /** Freezes a person of the domain, or with null everybody; only an administrator ends it. */
  freeze(user: string, whom: string | null): Promise<FreezeView>
  unfreeze(user: string, whom: string | null): Promise<FreezeView>
  /** Throws `forbidden` for anybody but an administrator. */
  refuseOthers(user: string): Promise<void>
}

export interface AdministeringDeps {
  readonly store: Store
  readonly owners: Owners
  readonly people: People
  readonly acts: Pick<Acts, 'leaf'>
  readonly delegating: Delegating
  readonly freezing: FreezingOfOthers
  /** Our id for somebody by Google's. */
  readonly userOf: (sub: string) => string
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** @returns it, on the records given. */
export function createAdministering(deps: AdministeringDeps): Administering {
  const { store, owners, people, acts, delegating, freezing, now } = deps

  const ofDomain = async (user: string): Promise<Person> => {
    const person = await people.find(user)
    if (person === null) throw forbidden()
    return person
  }

  /** The tenant is that of the customer of which the directory says that they are an administrator. */
  const administrator = async (user: string): Promise<Tenant & { readonly address: string }> => {
    const person = await ofDomain(user)
    const found = person.address === null ? null : await delegating.administers(person)
    if (found === null || person.address === null) throw forbidden()
    const id = await joinCustomer(deps, person.domain, found.customer)
    if (person.tenant !== id) await people.keep({ ...person, tenant: id })
    return { ...(await readTenant(store, owners, id)), address: person.address }
  }

  const delegationOf = async (user: string): Promise<DelegationView> => {
    const person = await ofDomain(user)
    const seen = await delegating.look(person.address ?? '')
    const { delegatedAt } = await readTenant(store, owners, person.tenant)
    const isGranted = seen.scopes.every(({ granted }) => granted)
    return { ...seen, connected: isGranted && delegatedAt !== null }
  }

  const addressOf = async (user: string, named: Tenant['named']): Promise<string> =>
    (await people.find(user))?.address ?? named[user] ?? user

  const policyViewOf = async (tenant: Tenant): Promise<PolicyView> => {
    const { version, policy, named, domains, frozenSince } = tenant
    const { wholeDrive } = policy
    const byAddress =
      typeof wholeDrive === 'string'
        ? wholeDrive
        : {
            people: await Promise.all(
              wholeDrive.people.map(async (each) => addressOf(each, named)),
            ),
          }
    return {
      version,
      policy: { ...policy, wholeDrive: byAddress },
      domains,
      frozenSince: frozenSince === null ? null : new Date(frozenSince).toISOString(),
    }
  }

  const idOf = async (tenant: Tenant, asker: string, address: string): Promise<string> => {
    const found = await delegating.lookUp(asker, address)
    if (found === null || found.customer !== tenant.customer)
      throw new WaybillError('invalid_request', 'Somebody named there is not of this domain.')
    return deps.userOf(found.id)
  }

  const leafOf = async (user: string, act: ActName, target: string, whom: string) =>
    acts.leaf(user, { act, target, details: { user: whom } })

  const freezeOthers = async (user: string, whom: string | null): Promise<number> => {
    const tenant = await administrator(user)
    const leaf = await leafOf(user, 'user_frozen', whom ?? tenant.id, whom ?? 'all')
    if (whom === null) {
      const frozenSince = tenant.frozenSince ?? now()
      await changeTenant(deps, tenant.id, { frozenSince }, leaf)
      return frozenSince
    }
    if ((await people.find(whom))?.tenant !== tenant.id) throw nobody()
    const since = await freeze(store, whom, now(), 'administrator', leaf)
    owners.forget(whom)
    return since
  }

  const unfreezeOthers = async (user: string, whom: string | null): Promise<void> => {
    const { id } = await administrator(user)
    const leaf = await leafOf(user, 'user_unfrozen', whom ?? id, whom ?? 'all')
    if (whom === null) {
      await changeTenant(deps, id, { frozenSince: null }, leaf)
      for await (const each of people.listOf(id)) await freezing.goOn(each.user)
      return
    }
    if ((await people.find(whom))?.tenant !== id) throw nobody()
    await unfreeze(store, whom, { by: 'administrator', leaf })
    await freezing.goOn(whom)
  }

  return {
    delegation: delegationOf,
    connectDomain: async (user) => {
      const { scopes, clientId } = await delegationOf(user)
      const directory = scopes.find(({ scope }) => scope === delegatedScopes.directory)
      // Who is an administrator is not known before: they are told what is missing, and nothing is changed.
      if (directory?.granted !== true) return { clientId, scopes, connected: false }
      const tenant = await administrator(user)
      if (!scopes.every(({ granted }) => granted)) return { clientId, scopes, connected: false }
      const details = { scopes: scopes.length }
      const leaf = await acts.leaf(user, { act: 'domain_connected', target: tenant.id, details })
      const change = { delegatedAt: tenant.delegatedAt ?? now(), administrator: tenant.address }
      await changeTenant(deps, tenant.id, change, leaf)
      return { clientId, scopes, connected: true }
    },
    policy: async (user) => policyViewOf(await administrator(user)),
    setPolicy: async (user, { wholeDrive, ...policy }) => {
      const tenant = await administrator(user)
      const asked = typeof wholeDrive === 'string' ? [] : wholeDrive.people
      const found = asked.map(async (each) => [await idOf(tenant, tenant.address, each), each])
      const named: Tenant['named'] = Object.fromEntries(await Promise.all(found))
      const who = typeof wholeDrive === 'string' ? wholeDrive : { people: Object.keys(named) }
      const details = { version: tenant.version + 1 }
      const leaf = await acts.leaf(user, { act: 'policy_changed', target: tenant.id, details })
      const change = { policy: { ...policy, wholeDrive: who }, named }
      return policyViewOf(await changeTenant(deps, tenant.id, change, leaf))
    },
    people: async (user, { after, limit }) => {
      const { id } = await administrator(user)
      const views: PersonView[] = []
      for await (const { user: each } of people.listOf(id, after)) {
        const person = await people.find(each)
        const address = person?.address ?? null
        views.push({ user: each, address, ...(await usageOf(store, each)) })
        if (views.length === limit) return { people: views, next: each }
      }
      return { people: views, next: null }
    },
    audit: async (user, page) => {
      const { id } = await administrator(user)
      const actors = new Map<string, string>()
      for await (const each of people.listOf(id)) actors.set(each.actor, each.user)
      const opened: { readonly line: string; readonly open: (owner: Owner) => AuditEntry }[] = []
      const found = await listLog(store, id, page, (line, document) => {
        opened.push({ line: line.actor, open: (owner) => entryOf(owner, line, document) })
        return { line, sealed: null, details: null }
      })
      const lines: TenantEntry[] = []
      for (const { line, open } of opened) {
        const who = actors.get(line) ?? null
        lines.push({ user: who, entry: open(await owners.of(who ?? id)) })
      }
      return { lines, next: found.next }
    },
    freeze: async (user, whom) => {
      const since = await freezeOthers(user, whom)
      return { frozen: true, since: new Date(since).toISOString() }
    },
    unfreeze: async (user, whom) => {
      await unfreezeOthers(user, whom)
      return { frozen: false, since: null }
    },
    refuseOthers: async (user) => void (await administrator(user)),
  }
}

function forbidden(): WaybillError {
  return new WaybillError(
    'forbidden',
    'This is for administrators of a domain that has let Waybill ask its directory.',
  )
}

function nobody(): WaybillError {
  return new WaybillError('not_found', 'There is no such person in this domain.')
}
