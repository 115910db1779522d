import { apiKeyDays, isApiKeyScope } from '../../shared/api-key.ts'
import type { ApiKeyRequest, ApiKeyScope, ApiKeyView } from '../../shared/api-key.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { Document, Store } from '../store/store.ts'
import { isApiKey, newApiKey } from './api-key-text.ts'
import { putLeaf } from './audit-lines.ts'
import type { Act, Leaf } from './audit-lines.ts'
import { refuseErasing, refuseFrozen } from './freezes.ts'
import { hashed } from './hashed-secret.ts'
import { newId } from './ids.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'

const dayMs = 24 * 60 * 60_000
/** That a key is used is written down this often. */
const noticeMs = 60 * 60_000
const mostKeys = 50

/** A key that somebody asks with. */
export interface ApiKey {
  /** What the store knows it by. */
  readonly hash: string
  readonly id: string
  readonly user: string
  readonly scopes: readonly ApiKeyScope[]
  /** From where alone it is taken; from everywhere if it is empty. */
  readonly from: readonly string[]
}

/** Keys by which a person's programs use the API. A key is known by its hash; it is asked for each time, so that one that is revoked is taken no more. */
export interface ApiKeys {
  /** @returns the key itself, which is kept nowhere, and how its owner sees it. Throws `wrong_state` if there are 50, `frozen`. */
  create(user: string, asked: ApiKeyRequest): Promise<{ readonly key: string } & ApiKeyView>
  /** Those that are good, oldest first. */
  list(user: string): Promise<readonly ApiKeyView[]>
  /** Throws `not_found`, also if it is somebody else's. */
  revoke(user: string, id: string): Promise<void>
  /** Revokes all; returns how many there were. */
  revokeAll(user: string): Promise<number>
  /** Null for anything but a key that is good. What is not written like a key is not looked for. */
  find(key: string): Promise<ApiKey | null>
  /** Writes down that it is used, at most once an hour. */
  notice(key: ApiKey): Promise<void>
}

/** What is sealed of a key. */
interface Sealed {
  readonly name: string
  readonly from: readonly string[]
}

/** @returns the keys kept in `store`, each act with its line in the log that `leaf` makes. */
export function createApiKeys(deps: {
  readonly store: Store
  readonly owners: Owners
  readonly leaf: (user: string, act: Act) => Promise<Leaf>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}): ApiKeys {
  const { store, owners, leaf, now, random } = deps

  const documentsOf = async (user: string): Promise<readonly Document[]> => {
    const found = await store.list({ collection: 'apiKeys', where: { user }, limit: 1000 })
    return found.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : 1))
  }

  const remove = async (user: string, { key, fields }: Document): Promise<void> => {
    const target = String(fields['id'])
    const line = await leaf(user, { act: 'api_key_revoked', target, details: { key: target } })
    await store.transact(async (transaction) => {
      // Only one of two who revoke it at once tells of it.
      if ((await transaction.get('apiKeys', key)) === null) return
      transaction.remove('apiKeys', key)
      putLeaf(transaction, line)
    })
  }

  return {
    create: async (user, { name, scopes, days = apiKeyDays.usual, from = [] }) => {
      await refuseFrozen(store, user)
      if ((await documentsOf(user)).length >= mostKeys)
        throw new WaybillError('wrong_state', 'There are 50 keys already: revoke one first.')
      const key = newApiKey(random)
      const hash = hashed('api-key', key)
      const id = newId(now(), random)
      const owner = await owners.of(user)
      const expiresAt = now() + days * dayMs
      const allowed = [...new Set(scopes)]
      const fields = { user, id, scopes: allowed.join(' '), createdAt: now(), usedAt: null }
      const body = owner.seal('apiKeys', hash, { name, from } satisfies Sealed)
      const details = { key: id, scopes: allowed.join(' '), days, limited: from.length > 0 }
      const line = await leaf(user, { act: 'api_key_created', target: id, details })
      const document = { key: hash, fields, body, expiresAt }
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, user)
        transaction.put('apiKeys', document)
        putLeaf(transaction, line)
      })
      return { key, ...viewOf(owner, document) }
    },
    list: async (user) => {
      const found = await documentsOf(user)
      if (found.length === 0) return []
      const owner = await owners.of(user)
      return found
        .map((document) => unlessLost(() => viewOf(owner, document)))
        .filter((view) => view !== null)
    },
    revoke: async (user, id) => {
      const found = (await documentsOf(user)).find((document) => idOf(document) === id)
      if (found === undefined) throw new WaybillError('not_found', 'There is no such key.')
      await remove(user, found)
    },
    revokeAll: async (user) => {
      const found = await documentsOf(user)
      for (const document of found) await remove(user, document)
      return found.length
    },
    find: async (key) => {
      if (!isApiKey(key)) return null
      const hash = hashed('api-key', key)
      const found = await store.get('apiKeys', hash)
      if (found === null) return null
      const user = String(found.fields['user'])
      const owner = await owners.of(user)
      const sealed = unlessLost(() => owner.open<Sealed>('apiKeys', hash, found.body))
      // A key that only some places may use must not be taken from all of them because these cannot be read.
      if (sealed === null) return null
      return { hash, id: idOf(found), user, scopes: scopesOf(found), from: sealed.from }
    },
    notice: async ({ hash }) =>
      store.transact(async (transaction) => {
        const found = await transaction.get('apiKeys', hash)
        if (found === null || Number(found.fields['usedAt'] ?? 0) + noticeMs > now()) return
        transaction.put('apiKeys', { ...found, fields: { ...found.fields, usedAt: now() } })
      }),
  }
}

function idOf({ fields }: Document): string {
  return String(fields['id'])
}

function scopesOf({ fields }: Document): readonly ApiKeyScope[] {
  return String(fields['scopes']).split(' ').filter(isApiKeyScope)
}

function viewOf(owner: Owner, document: Document): ApiKeyView {
  const { key, fields, body, expiresAt } = document
  const { name, from } = owner.open<Sealed>('apiKeys', key, body)
  const at = (time: unknown) => new Date(Number(time)).toISOString()
  return {
    id: idOf(document),
    name,
    scopes: scopesOf(document),
    from,
    createdAt: at(fields['createdAt']),
    expiresAt: at(expiresAt),
    lastUsedAt: fields['usedAt'] === null ? null : at(fields['usedAt']),
  }
}
