import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Collection, Store } from '../store/store.ts'
import type { DekCache } from '../vault/dek-cache.ts'
import type { KeyWrapper } from '../vault/key-wrapper.ts'
import { newUserKeys } from '../vault/user-keys.ts'
import type { BlindKind, UserKeys } from '../vault/user-keys.ts'
import { refuseErasing } from './freezes.ts'
import { keyDocument, keyOwner, keyRingFrom } from './key-records.ts'
import type { KeyRing } from './key-records.ts'
import { placeOf } from './sealing.ts'

/** Seals and opens what belongs to one user. Ask for it anew for each operation: its keys are forgotten after minutes. */
export interface Owner {
  readonly user: string
  /** Seals `value` as JSON, bound to the user and to the document it is kept in. */
  seal(collection: Collection, key: string, value: unknown): Uint8Array
  /** As `seal`, of a value that is JSON already. */
  sealText(collection: Collection, key: string, json: string): Uint8Array
  /**
   * Opens what `seal` made for this very document, also under a DEK that is being replaced; `envelope_refused` for
   * anything else.
   */
  open<T>(collection: Collection, key: string, envelope: Uint8Array | null): T
  /** As `seal`, with the key that is only for what lets an upload go on. */
  sealResume(key: string, value: unknown): Uint8Array
  openResume<T>(key: string, envelope: Uint8Array | null): T
  /** Seals the details of an act, with a key that no rotation changes. */
  sealAct(key: string, json: string): Uint8Array
  /** The very text that was sealed; `envelope_refused` for anything else. */
  openAct(key: string, envelope: Uint8Array | null): string
  /** A name for `value` that says nothing about it, the same each time for this user. */
  blind(kind: BlindKind, value: string): string
}

export interface Owners {
  /** The user's keys, made when they have none yet. Throws `key_unavailable`, and `frozen` while they are being erased. */
  of(user: string): Promise<Owner>
  /** Forgets the user's keys in this process: whoever still holds an `Owner` of theirs can use it no more. */
  forget(user: string): void
}

export interface OwnersDeps {
  readonly store: Store
  readonly wrapper: KeyWrapper
  readonly cache: DekCache
  /** Name of the installation: what one seals, another never opens. */
  readonly env: string
  readonly random: (bytes: number) => Uint8Array
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What is kept of a user's keys is believed for so long, in milliseconds: keys that are withdrawn stop working soon. */
export const believedMs = 20_000
const REMEMBERED = 1_000

/** @returns the place where users' keys are looked up and made. */
export function createOwners(deps: OwnersDeps): Owners {
  const { store, wrapper, cache, env, random, now } = deps
  const remembered = new Map<string, { readonly ring: KeyRing; readonly until: number }>()

  const readKeyRing = async (user: string): Promise<KeyRing | null> => {
    const found = await store.get('keys', user)
    return found === null ? null : keyRingFrom(found)
  }

  const makeKeyRing = async (user: string): Promise<void> => {
    await refuseErasing(store, user)
    const made = await newUserKeys({ owner: keyOwner(env, user), wrapper, random })
    made.keys.destroy()
    const ring: KeyRing = { current: made.record, madeAt: now(), other: null }
    await store.transact(async (transaction) => {
      // Whoever came first has already sealed with theirs.
      if ((await transaction.get('keys', user)) !== null) return
      transaction.put('keys', keyDocument(user, ring))
    })
  }

  const ringOf = async (user: string): Promise<KeyRing> => {
    const known = remembered.get(user)
    if (known !== undefined && now() < known.until) return known.ring
    // Counted from when it was asked for: it may be an old one by the time the answer is here.
    const until = now() + believedMs
    let ring = await readKeyRing(user)
    if (ring === null) {
      await makeKeyRing(user)
      ring = await readKeyRing(user)
    }
    if (ring === null)
      throw new WaybillError('key_unavailable', 'The keys of this user cannot be had.')
    if (remembered.size >= REMEMBERED) remembered.clear()
    remembered.set(user, { ring, until })
    return ring
  }

  return {
    of: async (user) => {
      const { current, other: second } = await ringOf(user)
      const whose = keyOwner(env, user)
      const [keys, other] = await Promise.all([
        cache.lookup(current, whose),
        second === null ? null : cache.lookup(second.record, whose),
      ])
      const keysFor = (envelope: Uint8Array): UserKeys =>
        other?.sealed(envelope) === true ? other : keys
      return {
        user,
        seal: (collection, key, value) =>
          keys.records.seal(placeOf(collection, key), encode(value)),
        sealText: (collection, key, json) =>
          keys.records.seal(placeOf(collection, key), Buffer.from(json, 'utf8')),
        open: (collection, key, envelope) => {
          const body = present(envelope)
          return decode(keysFor(body).records.open(placeOf(collection, key), body))
        },
        sealResume: (key, value) => keys.resume.seal(placeOf('transfers', key), encode(value)),
        openResume: (key, envelope) => {
          const body = present(envelope)
          return decode(keysFor(body).resume.open(placeOf('transfers', key), body))
        },
        sealAct: (key, json) => keys.audit.seal(placeOf('audit', key), Buffer.from(json, 'utf8')),
        openAct: (key, envelope) =>
          Buffer.from(keys.audit.open(placeOf('audit', key), present(envelope))).toString('utf8'),
        blind: (kind, value) => keys.blind(kind, value),
      }
    },
    forget: (user) => {
      const known = remembered.get(user)
      remembered.delete(user)
      if (known === undefined) return
      cache.purge(known.ring.current.dekId)
      if (known.ring.other !== null) cache.purge(known.ring.other.record.dekId)
    },
  }
}

/**
 * For lists: what was sealed with keys that are gone is lost, and must not take the rest along with it. Only around what
 * opens a document, never around `Owners.of`: keys that are refused themselves may be the wrong wallet's.
 *
 * @returns what `open` returns; null if the document does not open
 */
export function unlessLost<T>(open: () => T): T | null {
  try {
    return open()
  } catch (error) {
    if (hasCode(error, 'envelope_refused')) return null
    throw error
  }
}

function present(envelope: Uint8Array | null): Uint8Array {
  // Never passed through: a record without its envelope is as damaged as one that does not open.
  if (envelope === null) throw new WaybillError('envelope_refused', 'A record is damaged.')
  return envelope
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8')
}

function decode<T>(bytes: Uint8Array): T {
  // The envelope proves that `encode` wrote it for this place; the schema version is part of what it is bound to.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  ) as T
}
