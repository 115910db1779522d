import { operator } from '../audit/acts.ts'
import type { TenantOf } from '../audit/acts.ts'
import type { Disconnecting } from '../connect/disconnect.ts'
import { actorOf, eraseDetails, newLeaf, personalTenant, putLeaf } from '../records/audit-lines.ts'
import { eraseJobs, eraseOne, erasePages } from '../records/erase-pages.ts'
import type { GoOn } from '../records/erase-pages.ts'
import { beginErasure, changeErasure, erasedUser, readErasure } from '../records/erasures.ts'
import type { Erasure, ErasureStep } from '../records/erasures.ts'
import { freeze } from '../records/freezes.ts'
import { hashed, newSecret } from '../records/hashed-secret.ts'
import { newId } from '../records/ids.ts'
import { erasedKey } from '../records/key-records.ts'
import type { Owners } from '../records/owner.ts'
import type { Store } from '../store/store.ts'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import { isAccountProvider } from '../../shared/account.ts'
import type { AccountProvider } from '../../shared/account.ts'

export interface EraseDeps {
  readonly store: Store
  readonly owners: Owners
  readonly disconnecting: Pick<Disconnecting, 'disconnect'>
  /** Whether a provider takes access back when it is asked to. */
  readonly revokes: (provider: AccountProvider) => boolean
  /** As that of `createActs`. */
  readonly tenantOf?: TenantOf
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}

const AT_ONCE = 20
const SWEPT_AT_ONCE = 1_000

/**
 * Begins to erase a person. Asks their keys, for the last time, what stands for them in the audit log.
 *
 * @param code what `giveCode` gave them
 * @returns the erasure's id, and the secret for its certificate, which is kept nowhere. Throws `invalid_request` for another
 * code, `frozen` if it has begun already, `key_unavailable`.
 */
export async function begin(
  { store, owners, tenantOf = personalTenant, now, random }: EraseDeps,
  user: string,
  code: string,
): Promise<{ readonly id: string; readonly secret: string }> {
  const [id, secret] = [newId(now(), random), newSecret(random)]
  const owner = await owners.of(user).catch((error: unknown) => {
    // Lost keys keep nobody from being erased.
    if (!hasCode(error, 'envelope_refused')) throw error
    return null
  })
  await beginErasure(store, user, code, {
    id,
    secret: hashed('certificate', secret),
    startedAt: now(),
    tenant: owner === null ? null : await tenantOf(owner),
    actor: owner === null ? null : actorOf(owner),
  })
  return { id, secret }
}

/**
 * Goes on with an erasure, step by step, until it has ended: safe to call at any time, by any number of processes, and to
 * end anywhere. Each step finds by itself what is left of it to do.
 *
 * @param goOn said after each page: false ends it for now
 * @returns whether it has ended
 */
export async function goOnErasing(deps: EraseDeps, id: string, goOn: GoOn): Promise<boolean> {
  for (;;) {
    const erasure = await readErasure(deps.store, id)
    if (erasure === null || isErased(erasure)) return true
    const user = await erasedUser(deps.store, id)
    if (user === null) {
      // Ended by somebody else in this moment.
      const later = await readErasure(deps.store, id)
      if (later === null || isErased(later)) return true
      throw new WaybillError('internal', 'Nothing says whose an erasure is.')
    }
    const next = await steps[erasure.step](deps, erasure, user, goOn)
    if (next !== null) await changeErasure(deps.store, erasure, async () => next)
    else if ((await readErasure(deps.store, id))?.step === erasure.step) return false
    if (!goOn()) return false
  }
}

/** @returns whether all that was the person's is gone; the certificate may still be missing. */
export function isErased({ step }: Erasure): boolean {
  return step === 'ended' || step === 'certified'
}

/** Does what is left of a step; returns what the erasure becomes, or null if it is not done or has gone on already. */
type Step = (
  deps: EraseDeps,
  erasure: Erasure,
  user: string,
  goOn: GoOn,
) => Promise<Partial<Erasure> | null>

const steps: Readonly<Record<ErasureStep, Step>> = {
  accounts: async (deps, erasure, user, goOn) => {
    const { store, owners, now } = deps
    // Everything is frozen since it began; a new key epoch withdraws what other processes have unwrapped.
    await freeze(store, user, now())
    owners.forget(user)
    await countAccounts(deps, erasure, user)
    for (;;) {
      const where = { user }
      const found = await store.list({ collection: 'connections', where, limit: AT_ONCE })
      if (found.length === 0) return { step: 'keys' }
      for (const { key } of found) {
        await disconnect(deps, user, key)
        if (!goOn()) return null
      }
    }
  },

  keys: async ({ store, owners, now }, _, user) => {
    await store.transact(async (transaction) => transaction.put('keys', erasedKey(user)))
    owners.forget(user)
    return { step: 'jobs', keyDeletedAt: now() }
  },

  jobs: async ({ store }, erasure, user, goOn) =>
    (await eraseJobs(store, erasure, user, goOn)) ? { step: 'rest' } : null,

  rest: async ({ store }, erasure, user, goOn) => {
    const where = { user }
    for (const kind of ['sessions', 'apiKeys', 'sightings', 'picks', 'tickets', 'signIns'] as const)
      if (!(await erasePages(store, erasure, { collection: kind, where }, kind, goOn))) return null
    await eraseOne(store, erasure, 'people', user, 'people')
    await nameAnew(store, erasure, user)
    // What is over is not listed, and may lie there still.
    while (((await store.sweep?.(SWEPT_AT_ONCE)) ?? 0) > 0) if (!goOn()) return null
    return { step: 'details' }
  },

  details: async ({ store }, { actor }) => {
    if (actor !== null) await eraseDetails(store, actor)
    return { step: 'leaf' }
  },

  leaf: async ({ store, owners, now, random }, erasure, user) => {
    const { id, tenant } = erasure
    const owner = await owners.of(operator)
    const act = { act: 'user_erased', target: id, details: { erasure: id } } as const
    const effects = { now: now(), random }
    const leaf = newLeaf(owner, tenant ?? personalTenant(owner), act, effects)
    const told = await changeErasure(store, erasure, async (known, transaction) => {
      if (known.leaf !== null) return null
      putLeaf(transaction, leaf)
      return { leaf: leaf.key }
    })
    if (told === null) return null
    // As long as they are frozen nobody makes new keys.
    await store.transact(async (transaction) => transaction.remove('keys', user))
    owners.forget(user)
    await changeErasure(store, erasure, async (_, transaction) => {
      transaction.remove('freezes', user)
      return { step: 'ended', endedAt: now() }
    })
    return null
  },

  ended: async () => null,
  certified: async () => null,
}

/** Before the first is disconnected, as none can come to be any more: so each is counted once. */
async function countAccounts({ store, revokes }: EraseDeps, erasure: Erasure, user: string) {
  if (erasure.deleted.connections > 0) return
  const where = { user }
  const found = await store.list({ collection: 'connections', where, limit: 1_000 })
  const byThePerson = found.filter(({ fields: { provider } }) => {
    return isAccountProvider(provider) && !revokes(provider)
  })
  await changeErasure(store, erasure, async ({ deleted }) =>
    deleted.connections > 0
      ? null
      : {
          deleted: { ...deleted, connections: found.length },
          byThePerson: byThePerson.length,
        },
  )
}

async function disconnect({ store, disconnecting }: EraseDeps, user: string, id: string) {
  try {
    await disconnecting.disconnect(user, id)
  } catch (error) {
    if (hasCode(error, 'not_found')) return
    // Its tokens are lost already.
    if (!hasCode(error, 'envelope_refused')) throw error
    await store.transact(async (transaction) => transaction.remove('connections', id))
  }
}

/** What providers are still to be told of lives on for a week at most, under keys of its own, and is nobody's. */
async function nameAnew(store: Store, erasure: Erasure, user: string): Promise<void> {
  const where = { user }
  for (;;) {
    const found = await store.list({ collection: 'revocations', where, limit: AT_ONCE })
    if (found.length === 0) return
    await store.transact(async (transaction) => {
      const keys = found.map(({ key }) => key)
      const read = await Promise.all(keys.map(async (key) => transaction.get('revocations', key)))
      for (const document of read) {
        if (document === null) continue
        const fields = { ...document.fields, user: erasure.id }
        transaction.put('revocations', { ...document, fields })
      }
    })
  }
}
