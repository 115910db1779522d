import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { RandomBytes } from './cobblestone.ts'
import { encodeRecordContext } from './context.ts'
import type { KeyOwner, RecordContext } from './context.ts'
import { openEnvelope, readDekId, sealEnvelope } from './envelope.ts'
import type { KeyWrapper } from './key-wrapper.ts'

const KEY_BYTES = 32
const DEK_ID_BYTES = 16
// 22 characters of base64url are 132 bits: too many for two values of one user ever to meet.
const BLIND_CHARACTERS = 22
const PURPOSE = 'dek-wrap'
// In the place of a DEK id, in what is sealed with a key that no rotation changes.
const LASTING = 'lasting'

/** What the store keeps of a user's keys. None of it opens anything without the KEK. */
export interface KeyRecord {
  readonly dekId: string
  readonly wrapped: Uint8Array
  readonly kekId: string
  /** The key of the blind index, sealed under the DEK. */
  readonly blindIndex: Uint8Array
  /**
   * Raised whenever cached keys must be forgotten: on freeze and revocation. A new DEK has an id of its own, so that a
   * rotation withdraws nothing from whoever is at work.
   */
  readonly keyEpoch: number
}

/** The kinds of records; each has a key of its own, so that one is never taken for another. */
type RecordKind = 'records' | 'resume' | 'audit'

/** Seals and opens records of one kind for one user; synchronous. */
interface Sealer {
  /**
   * @returns a `wb1` envelope bound to the user and the context.
   * @throws WaybillError `envelope_refused` when it would be longer than 256 KiB, `key_unavailable` once destroyed.
   */
  seal(context: RecordContext, plaintext: Uint8Array): Uint8Array
  /**
   * @throws WaybillError `envelope_refused` for everything that this sealer did not seal for this very context,
   * `key_unavailable` once destroyed.
   */
  open(context: RecordContext, envelope: Uint8Array): Uint8Array
}

/** What a blinded value stands for; equal values of different kinds have unrelated names. */
export type BlindKind = 'source' | 'parent' | 'slot' | 'tenant' | 'actor' | 'target' | 'alias'

/** The keys of one user. Ask the DEK cache for them each time instead of holding on to them: they are destroyed. */
export interface UserKeys {
  readonly dekId: string
  readonly records: Sealer
  readonly resume: Sealer
  /** Lasts as the blind index does: a log's lines hash what was sealed, so it can never be sealed anew. */
  readonly audit: Sealer
  /** Whether an envelope says that it was sealed under this DEK. Nobody has vouched for it before it is opened. */
  sealed(envelope: Uint8Array): boolean
  /**
   * @returns 22 characters of base64url that stand for `value`: always the same for this user, also after the DEK has
   * been rotated, and unrelated to those of any other user.
   * @throws WaybillError `key_unavailable` once destroyed.
   */
  blind(kind: BlindKind, value: string): string
  /** Forgets the keys. Every later use fails with `key_unavailable`. */
  destroy(): void
}

/** Where a user's keys come from. */
export interface KeySource {
  readonly owner: KeyOwner
  readonly wrapper: KeyWrapper
  readonly random: RandomBytes
}

/**
 * Makes a new user's keys: a DEK and the key of the blind index, both random.
 *
 * @returns what to store, and the keys ready for use.
 * @throws WaybillError `key_unavailable` when the wrapper cannot wrap.
 */
export async function newUserKeys(
  source: KeySource,
): Promise<{ readonly record: KeyRecord; readonly keys: UserKeys }> {
  const blindKey = Uint8Array.from(source.random(KEY_BYTES))
  try {
    return await wrapNewDek(source, blindKey, 1)
  } finally {
    blindKey.fill(0)
  }
}

/**
 * Unwraps a user's keys from what the store keeps.
 *
 * @throws WaybillError `key_unavailable` when the wrapper cannot be reached or its KEK is gone, `envelope_refused` when
 * the record was changed or belongs to another owner.
 */
export async function unwrapUserKeys(record: KeyRecord, source: KeySource): Promise<UserKeys> {
  return unwrapping(record, source, (dek, blindKey) =>
    deriveUserKeys(dek, record.dekId, blindKey, source),
  )
}

/**
 * Gives a user a new DEK. The blind index keeps its key, so no stored name changes; the old record must be kept until
 * nothing is sealed under its DEK any more.
 *
 * @returns what to store beside `record`, of the same epoch: it was unwrapped again, because things will be sealed under
 * it that nothing else opens
 * @throws as {@link unwrapUserKeys}; `envelope_refused` is about the old record only
 */
export async function rotateUserKeys(record: KeyRecord, source: KeySource): Promise<KeyRecord> {
  return unwrapping(record, source, async (_dek, blindKey) => {
    const made = await wrapNewDek(source, blindKey, record.keyEpoch)
    made.keys.destroy()
    const again = await unwrapUserKeys(made.record, source).catch((error: unknown) => {
      if (!hasCode(error, 'envelope_refused')) throw error
      throw new WaybillError('key_unavailable', 'A key was wrapped so that it is lost', {
        cause: error,
      })
    })
    again.destroy()
    return made.record
  })
}

/**
 * Wraps a user's DEK again, under the KEK that wraps now. The DEK stays the same, and so does its epoch.
 *
 * @returns what to store in place of `record`: it was unwrapped again, because the old wrapped form will be gone
 * @throws as {@link unwrapUserKeys}; `envelope_refused` is about the old record only
 */
export async function rewrapUserKeys(
  record: KeyRecord,
  { owner, wrapper }: Pick<KeySource, 'owner' | 'wrapper'>,
): Promise<KeyRecord> {
  const context = { ...owner, dekId: record.dekId, purpose: PURPOSE }
  const dek = await wrapper.unwrap(record, context)
  try {
    const { kekId, wrapped } = await wrapper.wrap(dek, context)
    const again = await wrapper.unwrap({ kekId, wrapped }, context).catch((error: unknown) => {
      if (!hasCode(error, 'envelope_refused')) throw error
      return null
    })
    const same = again !== null && timingSafeEqual(dek, again)
    again?.fill(0)
    if (!same) throw new WaybillError('key_unavailable', 'A key was wrapped so that it is lost')
    return { ...record, kekId, wrapped }
  } finally {
    dek.fill(0)
  }
}

async function wrapNewDek(
  source: KeySource,
  blindKey: Uint8Array,
  keyEpoch: number,
): Promise<{ readonly record: KeyRecord; readonly keys: UserKeys }> {
  const dekId = Buffer.from(source.random(DEK_ID_BYTES)).toString('base64url')
  const dek = Uint8Array.from(source.random(KEY_BYTES))
  try {
    const wrapped = await source.wrapper.wrap(dek, { ...source.owner, dekId, purpose: PURPOSE })
    const keyOfBlindIndex = { key: derive(dek, 'waybill/v1/blind-index'), dekId }
    const context = blindIndexContext(source.owner, dekId)
    const blindIndex = sealEnvelope(keyOfBlindIndex, context, blindKey, source.random)
    return {
      record: { dekId, wrapped: wrapped.wrapped, kekId: wrapped.kekId, blindIndex, keyEpoch },
      keys: deriveUserKeys(dek, dekId, blindKey, source),
    }
  } finally {
    dek.fill(0)
  }
}

async function unwrapping<T>(
  record: KeyRecord,
  { owner, wrapper }: KeySource,
  use: (dek: Uint8Array, blindKey: Uint8Array) => T | Promise<T>,
): Promise<T> {
  const { dekId } = record
  const dek = await wrapper.unwrap(record, { ...owner, dekId, purpose: PURPOSE })
  try {
    const key = derive(dek, 'waybill/v1/blind-index')
    const blindKey = openEnvelope(
      { key, dekId },
      blindIndexContext(owner, dekId),
      record.blindIndex,
    )
    try {
      return await use(dek, blindKey)
    } finally {
      blindKey.fill(0)
    }
  } finally {
    dek.fill(0)
  }
}

function deriveUserKeys(
  dek: Uint8Array,
  dekId: string,
  blindKey: Uint8Array,
  { owner, random }: Pick<KeySource, 'owner' | 'random'>,
): UserKeys {
  // One switch for all of them: destroying drops the only references, and OpenSSL wipes what it frees.
  let live: Readonly<Record<RecordKind | 'blind', KeyObject>> | undefined = {
    records: derive(dek, 'waybill/v1/records'),
    resume: derive(dek, 'waybill/v1/resume'),
    audit: derive(blindKey, 'waybill/v1/audit'),
    blind: createSecretKey(blindKey),
  }
  const keyFor = (kind: RecordKind | 'blind'): KeyObject => {
    if (live === undefined) throw new WaybillError('key_unavailable', 'These keys are destroyed')
    return live[kind]
  }
  const sealer = (kind: RecordKind, id = dekId): Sealer => ({
    seal: (context, plaintext) => {
      const aad = encodeRecordContext(owner, id, context)
      return sealEnvelope({ key: keyFor(kind), dekId: id }, aad, plaintext, random)
    },
    open: (context, envelope) => {
      const aad = encodeRecordContext(owner, id, context)
      return openEnvelope({ key: keyFor(kind), dekId: id }, aad, envelope)
    },
  })
  return {
    dekId,
    records: sealer('records'),
    resume: sealer('resume'),
    audit: sealer('audit', LASTING),
    sealed: (envelope) => saysDekId(envelope) === dekId,
    blind: (kind, value) =>
      createHmac('sha256', keyFor('blind'))
        .update(`waybill/v1/blind/${kind}\0`)
        // UTF-16, because names from a provider may hold unpaired surrogates and UTF-8 would make them all alike.
        .update(value, 'utf16le')
        .digest('base64url')
        .slice(0, BLIND_CHARACTERS),
    destroy: () => {
      live = undefined
    },
  }
}

function saysDekId(envelope: Uint8Array): string | null {
  try {
    return readDekId(envelope)
  } catch (error) {
    if (hasCode(error, 'envelope_refused')) return null
    throw error
  }
}

function derive(secret: Uint8Array, label: string): KeyObject {
  const key = new Uint8Array(hkdfSync('sha512', secret, '', label, KEY_BYTES))
  const derived = createSecretKey(key)
  key.fill(0)
  return derived
}

function blindIndexContext(owner: KeyOwner, dekId: string): Uint8Array {
  const place = { collection: 'keys', docId: dekId, field: 'blindIndex', schemaVersion: 1, rev: 0 }
  return encodeRecordContext(owner, dekId, place)
}
