import { watchTenant } from './tenants.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { frozenSince, refuseErasing } from './freezes.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'

/** What Google has said of somebody of a domain when they last came. Of others nothing is kept. */
export interface Person {
  /** Our id. */
  readonly user: string
  /** Our id of their domain's tenant. */
  readonly tenant: string
  /** Google's id of the account, which is never anybody else's. */
  readonly sub: string
  /** Their address, which may change, and may later be somebody else's; null if they never said. */
  readonly address: string | null
  /** The domain that Google said they are of (`hd`), never one read out of an address. */
  readonly domain: string
}

/** Who came, and which tenant each is of. */
export interface People {
  find(user: string): Promise<Person | null>
  /** The tenant of their domain, without their keys, null if they have none; what another process writes is known within 20 seconds. */
  tenantOf(user: string): Promise<string | null>
  keep(person: Person): Promise<void>
  /** Absent is fine. */
  forget(user: string): Promise<void>
  /** People of a tenant in the order of their ids, each with what stands for them in its log. */
  listOf(
    tenant: string,
    after?: string,
  ): AsyncIterable<{ readonly user: string; readonly actor: string }>
}

const BELIEVED_MS = 20_000
const REMEMBERED = 10_000
const AT_ONCE = 100

/** @returns the people kept in `store`. */
export function createPeople({
  store,
  owners,
  now,
}: {
  readonly store: Store
  readonly owners: Owners
  /** Milliseconds since 1970. */
  readonly now: () => number
}): People {
  const remembered = new Map<string, { readonly tenant: string | null; readonly until: number }>()
  const remember = (user: string, tenant: string | null): string | null => {
    if (remembered.size >= REMEMBERED) remembered.clear()
    remembered.set(user, { tenant, until: now() + BELIEVED_MS })
    return tenant
  }

  return {
    find: async (user) => {
      const found = await store.get('people', user)
      if (found === null) return null
      const owner = await owners.of(user)
      return unlessLost(() => personFrom(owner, found))
    },
    tenantOf: async (user) => {
      const known = remembered.get(user)
      if (known !== undefined && now() < known.until) return known.tenant
      return remember(user, tenantIn(await store.get('people', user)))
    },
    keep: async (person) => {
      const document = personDocument(await owners.of(person.user), person)
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, person.user)
        transaction.put('people', document)
      })
      remember(person.user, person.tenant)
    },
    forget: async (user) => {
      await store.transact(async (transaction) => transaction.remove('people', user))
      remember(user, null)
    },
    listOf: (tenant, after) => listOf(store, tenant, after),
  }
}

async function* listOf(
  store: Store,
  tenant: string,
  from: string | undefined,
): AsyncGenerator<{ readonly user: string; readonly actor: string }> {
  let after = from
  for (;;) {
    const page = { collection: 'people', where: { tenant }, limit: AT_ONCE } as const
    const found = await store.list(after === undefined ? page : { ...page, after })
    for (const { key, fields } of found) yield { user: key, actor: String(fields['actor']) }
    after = found.at(-1)?.key
    if (found.length < AT_ONCE || after === undefined) return
  }
}

/** @returns since when an administrator has frozen somebody's domain, in milliseconds since 1970; null if none has. */
export async function domainFrozenSince(
  from: Pick<Transaction, 'get'>,
  user: string,
): Promise<number | null> {
  const tenant = tenantIn(await from.get('people', user))
  return tenant === null ? null : (await watchTenant(from, tenant)).frozenSince
}

/** How much somebody uses, counted: up to 1,000 of each. */
export interface Usage {
  readonly connections: number
  readonly jobs: number
  /** Whether everything of theirs is frozen. */
  readonly frozen: boolean
}

/** @returns what somebody uses; nothing of it is opened. */
export async function usageOf(store: Store, user: string): Promise<Usage> {
  const where = { user }
  const [connections, jobs, freeze] = await Promise.all([
    store.list({ collection: 'connections', where, limit: 1_000 }),
    store.list({ collection: 'jobs', where, limit: 1_000 }),
    frozenSince(store, user),
  ])
  return { connections: connections.length, jobs: jobs.length, frozen: freeze !== null }
}

function personDocument(owner: Owner, { user, tenant, sub, address, domain }: Person): Document {
  return {
    key: user,
    fields: { tenant, actor: owner.blind('actor', user) },
    body: owner.seal('people', user, { sub, address, domain }),
    expiresAt: null,
  }
}

function personFrom(owner: Owner, document: Document): Person {
  const { key, body } = document
  const sealed = owner.open<Pick<Person, 'sub' | 'address' | 'domain'>>('people', key, body)
  return { user: key, tenant: String(document.fields['tenant']), ...sealed }
}

function tenantIn(document: Document | null): string | null {
  const tenant = document?.fields['tenant']
  return typeof tenant === 'string' ? tenant : null
}
