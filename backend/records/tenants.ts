import { WaybillError } from '../../shared/errors.ts'
import { everythingAllowed } from '../../shared/policy.ts'
import type { Policy } from '../../shared/policy.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { newId } from './ids.ts'
import type { Owner, Owners } from './owner.ts'

/**
 * A Workspace domain. Its id is our own: Google's customer id and the names of domains lead to it, and may change. A person
 * without a domain is a tenant of their own, of which there is no record.
 */
export interface Tenant {
  readonly id: string
  /** Counts the policies that it has had; 0 for none, which allows everything. */
  readonly version: number
  readonly policy: Policy
  /** Since when everything of everybody in it is frozen, in milliseconds since 1970; null if it is not. */
  readonly frozenSince: number | null
  /** When an administrator let Waybill act for the people of the domain; null if none has. */
  readonly delegatedAt: number | null
  /** All names that led to it and lead to nobody else since, in lower case. */
  readonly domains: readonly string[]
  /** Google's id of the customer, once its directory has said so. */
  readonly customer: string | null
  /** The administrator in whose name the directory is asked; null while it is not delegated. */
  readonly administrator: string | null
  /** The addresses by which the people in its policy were named, by our ids of them: some may never have come. */
  readonly named: Readonly<Record<string, string>>
}

type Sealed = Pick<Tenant, 'policy' | 'domains' | 'customer' | 'administrator' | 'named'>

export interface TenantDeps {
  readonly store: Store
  readonly owners: Owners
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** Whose keys blind the names that lead to tenants, so that nobody who reads the store can try names. */
const directory = 'tenants'

/** @returns the tenant; `not_found` if there is none, `envelope_refused` when its keys are lost. */
export async function readTenant(
  from: Pick<Transaction, 'get'>,
  owners: Owners,
  id: string,
): Promise<Tenant> {
  const found = await from.get('tenants', id)
  if (found === null) throw new WaybillError('not_found', 'There is no such domain.')
  return tenantFrom(await owners.of(id), found)
}

/** What of a tenant is plain: nobody needs its keys to see that nothing has changed. */
export async function watchTenant(
  from: Pick<Transaction, 'get'>,
  id: string,
): Promise<Pick<Tenant, 'version' | 'frozenSince'>> {
  const found = await from.get('tenants', id)
  if (found === null) throw new WaybillError('not_found', 'There is no such domain.')
  return plainFrom(found)
}

/** @returns the tenant that a domain's name leads to; null if it leads nowhere yet. */
export async function findTenant(
  { store, owners }: Pick<TenantDeps, 'store' | 'owners'>,
  domain: string,
): Promise<string | null> {
  const key = domainKey(await owners.of(directory), domain)
  return aliasFrom(await store.get('aliases', key))
}

/** @returns the tenant that a domain's name leads to, made if there is none. */
export async function ensureTenant(deps: TenantDeps, domain: string): Promise<string> {
  const known = await findTenant(deps, domain)
  if (known !== null) return known
  const key = domainKey(await deps.owners.of(directory), domain)
  const made = await newTenant(deps, domain)
  return deps.store.transact(async (transaction) => {
    // Two people of a domain may come at once.
    const meanwhile = aliasFrom(await transaction.get('aliases', key))
    if (meanwhile !== null) return meanwhile
    transaction.put('tenants', made.document)
    putAlias(transaction, key, made.tenant.id)
    return made.tenant.id
  })
}

/**
 * Google's directory has said which customer a domain is of. A customer keeps its tenant under whatever name; a name that
 * another customer has now leads to the tenant of that one, which gets nothing of the old one's.
 *
 * @returns the tenant of the customer
 */
export async function joinCustomer(
  deps: TenantDeps,
  domain: string,
  customer: string,
): Promise<string> {
  const { store, owners } = deps
  const names = await owners.of(directory)
  const keys = { domain: domainKey(names, domain), customer: names.blind('alias', `c ${customer}`) }
  const read = async (from: Pick<Transaction, 'get'>) => {
    const [ofDomain, ofCustomer] = [
      await from.get('aliases', keys.domain),
      await from.get('aliases', keys.customer),
    ]
    return { ofDomain: aliasFrom(ofDomain), ofCustomer: aliasFrom(ofCustomer) }
  }
  const before = await read(store)
  if (before.ofDomain !== null && before.ofDomain === before.ofCustomer) return before.ofDomain
  return store.transact(async (transaction) => {
    const { ofDomain, ofCustomer } = await read(transaction)
    const old = ofDomain === null ? null : await readTenant(transaction, owners, ofDomain)
    const known = ofCustomer === null ? null : await readTenant(transaction, owners, ofCustomer)
    const free = old?.customer === null ? old : null
    const taken = known ?? free ?? (await newTenant(deps, domain)).tenant
    const domains = [...new Set([...taken.domains, domain])]
    const joined = { ...taken, customer, domains }
    if (old !== null && old.id !== joined.id) {
      const left = old.domains.filter((each) => each !== domain)
      await putTenant(transaction, owners, { ...old, domains: left })
    }
    await putTenant(transaction, owners, joined)
    putAlias(transaction, keys.domain, joined.id)
    putAlias(transaction, keys.customer, joined.id)
    return joined.id
  })
}

/** Changes what `change` returns, with the leaf that tells of it. Another policy gets another version. */
export async function changeTenant(
  { store, owners }: Pick<TenantDeps, 'store' | 'owners'>,
  id: string,
  change: Partial<
    Pick<Tenant, 'policy' | 'named' | 'frozenSince' | 'delegatedAt' | 'administrator'>
  >,
  leaf: Leaf,
): Promise<Tenant> {
  return store.transact(async (transaction) => {
    const tenant = await readTenant(transaction, owners, id)
    const version = tenant.version + (change.policy === undefined ? 0 : 1)
    const changed = { ...tenant, ...change, version }
    await putTenant(transaction, owners, changed)
    putLeaf(transaction, leaf)
    return changed
  })
}

async function newTenant({ owners, now, random }: TenantDeps, domain: string) {
  const tenant: Tenant = {
    id: newId(now(), random),
    version: 0,
    policy: everythingAllowed,
    frozenSince: null,
    delegatedAt: null,
    domains: [domain],
    customer: null,
    administrator: null,
    named: {},
  }
  const document = tenantDocument(await owners.of(tenant.id), tenant)
  return { tenant, document }
}

async function putTenant(transaction: Transaction, owners: Owners, tenant: Tenant): Promise<void> {
  transaction.put('tenants', tenantDocument(await owners.of(tenant.id), tenant))
}

function tenantDocument(owner: Owner, tenant: Tenant): Document {
  const { id, version, frozenSince, delegatedAt, ...rest } = tenant
  const { policy, domains, customer, administrator, named } = rest
  const sealed: Sealed = { policy, domains, customer, administrator, named }
  const body = owner.seal('tenants', id, sealed)
  return { key: id, fields: { version, frozenSince, delegatedAt }, body, expiresAt: null }
}

function tenantFrom(owner: Owner, document: Document): Tenant {
  const { delegatedAt } = document.fields
  return {
    id: document.key,
    ...plainFrom(document),
    delegatedAt: typeof delegatedAt === 'number' ? delegatedAt : null,
    ...owner.open<Sealed>('tenants', document.key, document.body),
  }
}

function plainFrom({ fields }: Document): Pick<Tenant, 'version' | 'frozenSince'> {
  const { version, frozenSince } = fields
  return {
    version: Number(version),
    frozenSince: typeof frozenSince === 'number' ? frozenSince : null,
  }
}

function domainKey(names: Owner, domain: string): string {
  return names.blind('alias', `d ${domain.toLowerCase()}`)
}

function aliasFrom(document: Document | null): string | null {
  return document === null ? null : String(document.fields['tenant'])
}

function putAlias(transaction: Transaction, key: string, tenant: string): void {
  transaction.put('aliases', { key, fields: { tenant }, body: null, expiresAt: null })
}
