import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createSecretKey, randomBytes } from 'node:crypto'
import type { RecordContext } from '../../../backend/vault/context.ts'
import type { KeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import { newUserKeys, rotateUserKeys, unwrapUserKeys } from '../../../backend/vault/user-keys.ts'
import type { KeySource, UserKeys } from '../../../backend/vault/user-keys.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import { WaybillError } from '../../../shared/errors.ts'

const kek = {
  id: 'kek',
  key: createSecretKey(randomBytes(32)),
  created: '2026-11-01T00:00:00Z',
  state: 'active',
} as const
const wrapper = createWalletWrapper({ keks: [kek] }, randomBytes)
const source: KeySource = {
  owner: { env: 'test', tenantId: 'tenant', userId: 'ann' },
  wrapper,
  random: randomBytes,
}
const place: RecordContext = {
  collection: 'connections',
  docId: 'doc',
  field: 'tokens',
  schemaVersion: 1,
  rev: 1,
}
const plaintext = Buffer.from('1//refresh-token')
const refusal = expect.objectContaining({ code: 'envelope_refused' })
const unavailable = expect.objectContaining({ code: 'key_unavailable' })

function opens(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch (error) {
    if (error instanceof WaybillError && error.code === 'envelope_refused') return false
    throw error
  }
}

/** A wrapper that unwraps to the same DEK for whoever asks: what is left is the context of the records. */
function careless(dek: Uint8Array): KeyWrapper {
  return {
    wrap: async () => ({ kekId: 'none', wrapped: new Uint8Array() }),
    unwrap: async () => Uint8Array.from(dek),
  }
}

describe('user keys', () => {
  it('open after a restart what they sealed before it', async () => {
    const { record, keys } = await newUserKeys(source)
    const sealed = keys.records.seal(place, plaintext)
    const later = await unwrapUserKeys(record, source)
    expect(plaintext.equals(later.records.open(place, sealed))).toBe(true)
    expect(later.blind('source', 'id')).toBe(keys.blind('source', 'id'))
  })

  it('store nothing that is a key', async () => {
    const given: Uint8Array[] = []
    const random = (count: number) => {
      const bytes = randomBytes(count)
      given.push(Uint8Array.from(bytes))
      return bytes
    }
    const { record } = await newUserKeys({ ...source, random })
    const stored = Buffer.concat([record.wrapped, record.blindIndex])
    const keysMade = given.filter((bytes) => bytes.length === 32)
    expect(keysMade).toHaveLength(2)
    expect(keysMade.map((bytes) => stored.includes(Buffer.from(bytes)))).toEqual([false, false])
    expect(record).toMatchObject({ kekId: 'kek', keyEpoch: 1, dekId: expect.any(String) })
  })

  it('overwrite the DEK they were given', async () => {
    const { record } = await newUserKeys(source)
    const given: Uint8Array[] = []
    const watched: KeyWrapper = {
      ...wrapper,
      unwrap: async (key, context) => {
        const dek = await wrapper.unwrap(key, context)
        given.push(dek)
        return dek
      },
    }
    await unwrapUserKeys(record, { ...source, wrapper: watched })
    expect(given.map((dek) => dek.every((byte) => byte === 0))).toEqual([true])
  })

  it('overwrite the DEK also when the rest of the record was damaged', async () => {
    const { record } = await newUserKeys(source)
    const dek = randomBytes(32)
    const handing: KeyWrapper = { ...wrapper, unwrap: async () => dek }
    const attempt = unwrapUserKeys(record, { ...source, wrapper: handing })
    await expect(attempt).rejects.toEqual(refusal)
    expect(dek.every((byte) => byte === 0)).toBe(true)
  })

  it('open no record that was moved, whichever field of its context differs', async () => {
    const dek = randomBytes(32)
    const seed = await newUserKeys({ ...source, wrapper: careless(dek) })
    // All under one DEK and one DEK id, so that nothing but the context tells the cells apart.
    const owners = [
      source.owner,
      { ...source.owner, env: 'prod' },
      { ...source.owner, tenantId: 'tenant2' },
      { ...source.owner, userId: 'bob' },
    ]
    const places: readonly RecordContext[] = [
      place,
      { ...place, collection: 'jobs' },
      { ...place, docId: 'doc2' },
      { ...place, field: 'label' },
      { ...place, schemaVersion: 2 },
      { ...place, rev: 2 },
    ]
    const cells = await Promise.all(
      owners.map(async (owner) => keysUnder(dek, seed.record.dekId, owner)),
    )
    const matrix = cells.flatMap((keys, who) =>
      places.map((where) => ({ keys, who, where, sealed: keys.records.seal(where, plaintext) })),
    )
    const opened = matrix.flatMap((writer) =>
      matrix
        .filter((reader) => opens(() => reader.keys.records.open(reader.where, writer.sealed)))
        .map((reader) => reader === writer),
    )
    expect(matrix).toHaveLength(24)
    expect(opened).toEqual(Array.from({ length: 24 }, () => true))
  })

  it('open a record only with the kind of sealer that made it', async () => {
    const { keys } = await newUserKeys(source)
    const sealers = [keys.records, keys.resume, keys.audit]
    const opened = sealers.map((writer) => {
      const sealed = writer.seal(place, plaintext)
      return sealers.map((reader) => opens(() => reader.open(place, sealed)))
    })
    expect(opened).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ])
  })

  it('of two users have nothing in common', async () => {
    const bob = { ...source, owner: { ...source.owner, userId: 'bob' } }
    const [ann, other] = [await newUserKeys(source), await newUserKeys(bob)]
    const sealed = ann.keys.records.seal(place, plaintext)
    expect(opens(() => other.keys.records.open(place, sealed))).toBe(false)
    expect(other.record.dekId).not.toBe(ann.record.dekId)
    expect(other.keys.blind('source', 'id')).not.toBe(ann.keys.blind('source', 'id'))
    await expect(unwrapUserKeys(ann.record, bob)).rejects.toEqual(refusal)
  })

  it('are never made twice', async () => {
    const made = await Promise.all(Array.from({ length: 500 }, () => newUserKeys(source)))
    expect(new Set(made.map(({ record }) => record.dekId)).size).toBe(500)
    expect(new Set(made.map(({ keys }) => keys.blind('source', 'x'))).size).toBe(500)
  })

  it('do not take the blind index of another record', async () => {
    const [one, other] = [await newUserKeys(source), await newUserKeys(source)]
    const mixed = { ...one.record, blindIndex: other.record.blindIndex }
    await expect(unwrapUserKeys(mixed, source)).rejects.toEqual(refusal)
  })

  it('cannot be used once destroyed', async () => {
    const { keys } = await newUserKeys(source)
    const sealed = keys.records.seal(place, plaintext)
    keys.destroy()
    keys.destroy()
    expect(() => keys.records.seal(place, plaintext)).toThrow(unavailable)
    expect(() => keys.records.open(place, sealed)).toThrow(unavailable)
    expect(() => keys.blind('source', 'x')).toThrow(unavailable)
  })
})

describe('a new DEK', () => {
  it('renames nothing in the blind index', async () => {
    const { record, keys } = await newUserKeys(source)
    const rotated = await rotateUserKeys(record, source)
    const reread = await unwrapUserKeys(rotated, source)
    expect(rotated.dekId).not.toBe(record.dekId)
    expect(reread.blind('slot', 'x')).toBe(keys.blind('slot', 'x'))
  })

  it('withdraws nothing: its epoch is that of the old one', async () => {
    const { record } = await newUserKeys(source)
    expect((await rotateUserKeys({ ...record, keyEpoch: 7 }, source)).keyEpoch).toBe(7)
  })

  it('that does not unwrap is not given out', async () => {
    const { record } = await newUserKeys(source)
    const lying = {
      ...source.wrapper,
      wrap: async () => ({ kekId: 'kek', wrapped: randomBytes(60) }),
    }
    await expect(rotateUserKeys(record, { ...source, wrapper: lying })).rejects.toEqual(unavailable)
  })

  it('opens nothing that the old one sealed', async () => {
    const { record, keys } = await newUserKeys(source)
    const sealed = keys.records.seal(place, plaintext)
    const rotated = await unwrapUserKeys(await rotateUserKeys(record, source), source)
    expect(opens(() => rotated.records.open(place, sealed))).toBe(false)
    expect([keys, rotated].map((each) => each.sealed(sealed))).toEqual([true, false])
    expect(keys.sealed(plaintext)).toBe(false)
    expect(
      plaintext.equals((await unwrapUserKeys(record, source)).records.open(place, sealed)),
    ).toBe(true)
  })
})

describe('the blind index', () => {
  it('gives 22 characters that depend on the value and on its kind', async () => {
    const { keys } = await newUserKeys(source)
    const names = [
      keys.blind('source', 'x'),
      keys.blind('parent', 'x'),
      keys.blind('slot', 'x'),
      keys.blind('source', 'y'),
      keys.blind('source', ''),
    ]
    expect(new Set(names).size).toBe(names.length)
    expect(names.every((name) => /^[A-Za-z0-9_-]{22}$/.test(name))).toBe(true)
    expect(keys.blind('source', 'x')).toBe(names[0])
  })

  it('tells any two values apart, also with unpaired surrogates', async () => {
    const { keys } = await newUserKeys(source)
    const value = fc.string({
      unit: fc.constantFrom('a', '\ud800', '\udc00', '\ufffd', '\0'),
      maxLength: 2,
    })
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(keys.blind('slot', one) === keys.blind('slot', other)).toBe(one === other)
      }),
    )
  })
})

/** The keys that `owner` would have if the same DEK and DEK id were theirs. */
async function keysUnder(
  dek: Uint8Array,
  dekId: string,
  owner: KeySource['owner'],
): Promise<UserKeys> {
  const bytes = [randomBytes(32), Buffer.from(dekId, 'base64url'), Buffer.from(dek)]
  const random = (count: number) => {
    const planned = bytes[0]?.length === count ? bytes.shift() : undefined
    return planned ?? randomBytes(count)
  }
  return (await newUserKeys({ owner, wrapper: careless(dek), random })).keys
}
