import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { Collection, Store } from '../store/store.ts'
import type { DekCache } from '../vault/dek-cache.ts'
import type { KeyWrapper } from '../vault/key-wrapper.ts'
import { newUserKeys } from '../vault/user-keys.ts'
import type { BlindKind, KeyRecord } from '../vault/user-keys.ts'
import { keyDocument, keyOwner, keyRecordFrom } from './key-records.ts'

/** Seals and opens what belongs to one user. Ask for it anew for each operation: its keys are forgotten after minutes. */
export interface Owner {
  readonly user: string
  /** Seals `value` as JSON, bound to the user and to the document it is kept in. */
  seal(collection: Collection, key: string, value: unknown): Uint8Array
  /** As `seal`, of a value that is JSON already. */
  sealText(collection: Collection, key: string, json: string): Uint8Array
  /** Opens what `seal` made for this very document; `envelope_refused` for anything else. */
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
  /** The user's keys, made when they have none yet. Throws `key_unavailable`. */
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

const SCHEMA_VERSION = 1
/** A key record is believed for so long: keys that are withdrawn elsewhere stop working within a minute. */
const BELIEVED_MS = 20_000
const REMEMBERED = 1_000

/** @returns the place where users' keys are looked up and made. */
export function createOwners(deps: OwnersDeps): Owners {
  const { store, wrapper, cache, env, random, now } = deps
  const remembered = new Map<string, { readonly record: KeyRecord; readonly until: number }>()

  const readKeyRecord = async (user: string): Promise<KeyRecord | null> => {
    const found = await store.get('keys', user)
    return found === null ? null : keyRecordFrom(found)
  }

  const makeKeyRecord = async (user: string): Promise<void> => {
    const made = await newUserKeys({ owner: keyOwner(env, user), wrapper, random })
    made.keys.destroy()
    await store.transact(async (transaction) => {
      // Whoever came first has already sealed with theirs.
      if ((await transaction.get('keys', user)) !== null) return
      transaction.put('keys', keyDocument(user, made.record))
    })
  }

  const recordOf = async (user: string): Promise<KeyRecord> => {
    const known = remembered.get(user)
    if (known !== undefined && now() < known.until) return known.record
    let record = await readKeyRecord(user)
    if (record === null) {
      await makeKeyRecord(user)
      record = await readKeyRecord(user)
    }
    if (record === null)
      throw new WaybillError('key_unavailable', 'The keys of this user cannot be had.')
    if (remembered.size >= REMEMBERED) remembered.clear()
    remembered.set(user, { record, until: now() + BELIEVED_MS })
    return record
  }

  return {
    of: async (user) => {
      const record = await recordOf(user)
      const keys = await cache.lookup(record, keyOwner(env, user))
      const at = (collection: string, docId: string) => ({
        collection,
        docId,
        field: 'body',
        schemaVersion: SCHEMA_VERSION,
        rev: 0,
      })
      return {
        user,
        seal: (collection, key, value) => keys.records.seal(at(collection, key), encode(value)),
        sealText: (collection, key, json) =>
          keys.records.seal(at(collection, key), Buffer.from(json, 'utf8')),
        open: (collection, key, envelope) =>
          decode(keys.records.open(at(collection, key), present(envelope))),
        sealResume: (key, value) => keys.resume.seal(at('transfers', key), encode(value)),
        openResume: (key, envelope) =>
          decode(keys.resume.open(at('transfers', key), present(envelope))),
        sealAct: (key, json) => keys.audit.seal(at('audit', key), Buffer.from(json, 'utf8')),
        openAct: (key, envelope) =>
          Buffer.from(keys.audit.open(at('audit', key), present(envelope))).toString('utf8'),
        blind: (kind, value) => keys.blind(kind, value),
      }
    },
    forget: (user) => {
      const known = remembered.get(user)
      remembered.delete(user)
      if (known !== undefined) cache.purge(known.record.dekId)
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
