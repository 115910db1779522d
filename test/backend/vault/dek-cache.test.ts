import { describe, expect, it } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import type { DekCacheOptions } from '../../../backend/vault/dek-cache.ts'
import type { KeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import { newUserKeys } from '../../../backend/vault/user-keys.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import { WaybillError } from '../../../shared/errors.ts'

const owner = { env: 'test', tenantId: 'tenant', userId: 'ann' }
const place = { collection: 'c', docId: 'd', field: 'f', schemaVersion: 1, rev: 0 }
const unavailable = expect.objectContaining({ code: 'key_unavailable' })
const refusal = expect.objectContaining({ code: 'envelope_refused' })
const minute = 60_000

/** A cache over a wrapper that counts, with a clock and faults in the hands of the test. */
function setUp(options: Partial<DekCacheOptions> = {}) {
  const kek = {
    id: 'kek',
    key: createSecretKey(randomBytes(32)),
    created: '2026-11-01T00:00:00Z',
    state: 'active',
  } as const
  const wallet = createWalletWrapper({ keks: [kek] }, randomBytes)
  const world = {
    time: 0,
    unwraps: 0,
    fault: undefined as WaybillError | undefined,
    gate: Promise.resolve(),
    given: [] as Uint8Array[],
  }
  const wrapper: KeyWrapper = {
    ...wallet,
    unwrap: async (key, context) => {
      world.unwraps += 1
      await world.gate
      if (world.fault !== undefined) throw world.fault
      const dek = await wallet.unwrap(key, context)
      world.given.push(dek)
      return dek
    },
  }
  const cache = createDekCache({ wrapper, random: randomBytes, now: () => world.time, ...options })
  const newRecord = async () =>
    (await newUserKeys({ owner, wrapper: wallet, random: randomBytes })).record
  return { world, cache, newRecord }
}

/** Whether keys can still be used, or have been destroyed. */
function alive(keys: { blind(kind: 'source', value: string): string }): boolean {
  try {
    return keys.blind('source', 'x').length > 0
  } catch (error) {
    if (error instanceof WaybillError && error.code === 'key_unavailable') return false
    throw error
  }
}

describe('DEK cache', () => {
  it('unwraps once for a thousand lookups at once', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    const found = await Promise.all(
      Array.from({ length: 1_000 }, () => cache.lookup(record, owner)),
    )
    expect(new Set(found).size).toBe(1)
    expect(world.unwraps).toBe(1)
    await cache.lookup(record, owner)
    expect(world.unwraps).toBe(1)
  })

  it('gives keys that work', async () => {
    const { cache, newRecord } = setUp()
    const keys = await cache.lookup(await newRecord(), owner)
    const sealed = keys.records.seal(place, Buffer.from('x'))
    expect(Buffer.from(keys.records.open(place, sealed)).toString()).toBe('x')
  })

  it('keeps no bytes of the DEK', async () => {
    const { world, cache, newRecord } = setUp()
    await cache.lookup(await newRecord(), owner)
    expect(world.given.map((dek) => dek.every((byte) => byte === 0))).toEqual([true])
  })

  it('unwraps again after five minutes, however often the keys were used', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    const first = await cache.lookup(record, owner)
    for (const time of [1, 2, 3, 4]) {
      world.time = time * minute
      // oxlint-disable-next-line no-await-in-loop
      expect(await cache.lookup(record, owner)).toBe(first)
    }
    world.time = 4.5 * minute - 1
    expect(await cache.lookup(record, owner)).toBe(first)
    // Early enough that whoever looked them up can finish before they are too old.
    world.time = 4.5 * minute
    const second = await cache.lookup(record, owner)
    expect(second).not.toBe(first)
    expect([alive(first), alive(second)]).toEqual([true, true])
    world.time = 5 * minute
    cache.sweep()
    expect([alive(first), alive(second)]).toEqual([false, true])
    expect(world.unwraps).toBe(2)
  })

  it('counts the five minutes from when the wrapper was asked, not from its answer', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    world.gate = promise
    const asked = cache.lookup(record, owner)
    await Promise.resolve()
    world.time = 4 * minute
    resolve(undefined)
    const keys = await asked
    world.time = 5 * minute
    cache.sweep()
    expect(alive(keys)).toBe(false)
  })

  it('destroys what is too old when it is swept, and when anybody else is looked up', async () => {
    const { world, cache, newRecord } = setUp()
    const old = await cache.lookup(await newRecord(), owner)
    world.time = minute
    const younger = await cache.lookup(await newRecord(), owner)
    world.time = 5 * minute
    await cache.lookup(await newRecord(), owner)
    expect([alive(old), alive(younger)]).toEqual([false, true])
    world.time = 6 * minute
    cache.sweep()
    expect(alive(younger)).toBe(false)
  })

  it('unwraps again after so many uses', async () => {
    const { world, cache, newRecord } = setUp({ maxUses: 3 })
    const record = await newRecord()
    const first = await cache.lookup(record, owner)
    await cache.lookup(record, owner)
    expect(await cache.lookup(record, owner)).toBe(first)
    expect(await cache.lookup(record, owner)).not.toBe(first)
    expect(world.unwraps).toBe(2)
    // The operation that looked them up last is still at work.
    expect(alive(first)).toBe(true)
    world.time = 30_000
    cache.sweep()
    expect(alive(first)).toBe(false)
  })

  it('destroys at once what is purged, also if it has left the cache already', async () => {
    const { cache, newRecord } = setUp({ maxUses: 1 })
    const record = await newRecord()
    const first = await cache.lookup(record, owner)
    const second = await cache.lookup(record, owner)
    cache.purge(record.dekId)
    expect([alive(first), alive(second)]).toEqual([false, false])
  })

  it('lets go of the one looked up longest ago when it is full', async () => {
    const { world, cache, newRecord } = setUp({ maxEntries: 2 })
    const [a, b, c] = [await newRecord(), await newRecord(), await newRecord()]
    const keysOfA = await cache.lookup(a, owner)
    const keysOfB = await cache.lookup(b, owner)
    await cache.lookup(a, owner)
    const keysOfC = await cache.lookup(c, owner)
    world.time = 30_000
    cache.sweep()
    expect([keysOfA, keysOfB, keysOfC].map(alive)).toEqual([true, false, true])
    await cache.lookup(a, owner)
    expect(world.unwraps).toBe(3)
  })

  it('does not remember a failure', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    world.fault = new WaybillError('key_unavailable', 'down')
    const failed = await Promise.allSettled([
      cache.lookup(record, owner),
      cache.lookup(record, owner),
    ])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(world.unwraps).toBe(1)
    world.fault = undefined
    expect(alive(await cache.lookup(record, owner))).toBe(true)
    expect(world.unwraps).toBe(2)
  })

  it('unwraps again when the epoch has changed', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    const first = await cache.lookup(record, owner)
    const second = await cache.lookup({ ...record, keyEpoch: record.keyEpoch + 1 }, owner)
    expect([alive(first), alive(second)]).toEqual([false, true])
    expect(world.unwraps).toBe(2)
  })

  it('asks the wrapper about another owner, who gets nothing', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    await cache.lookup(record, owner)
    const attempt = cache.lookup(record, { ...owner, userId: 'bob' })
    await expect(attempt).rejects.toEqual(refusal)
    expect(world.unwraps).toBe(2)
  })

  it('forgets one DEK, or all of them, when told', async () => {
    const { world, cache, newRecord } = setUp()
    const [a, b, c] = [await newRecord(), await newRecord(), await newRecord()]
    const keys = [
      await cache.lookup(a, owner),
      await cache.lookup(b, owner),
      await cache.lookup(c, owner),
    ]
    cache.purge(b.dekId)
    expect(keys.map(alive)).toEqual([true, false, true])
    cache.purge()
    expect(keys.map(alive)).toEqual([false, false, false])
    await cache.lookup(a, owner)
    expect(world.unwraps).toBe(4)
  })

  it('does not let keys in that were purged while they were being unwrapped', async () => {
    const { world, cache, newRecord } = setUp()
    const record = await newRecord()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    world.gate = promise
    const asked = Promise.allSettled([cache.lookup(record, owner), cache.lookup(record, owner)])
    await Promise.resolve()
    cache.purge(record.dekId)
    const after = cache.lookup(record, owner)
    resolve(undefined)
    expect(await asked).toEqual([
      { status: 'rejected', reason: unavailable },
      { status: 'rejected', reason: unavailable },
    ])
    expect(alive(await after)).toBe(true)
    expect(world.unwraps).toBe(2)
  })
})
