import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { crc32 } from 'node:zlib'
import { assert, property, uint8Array } from 'fast-check'
import { createActs } from '../../../backend/audit/acts.ts'
import { isApiKey, newApiKey } from '../../../backend/records/api-key-text.ts'
import { createApiKeys } from '../../../backend/records/api-keys.ts'
import type { ApiKeys } from '../../../backend/records/api-keys.ts'
import { hashed } from '../../../backend/records/hashed-secret.ts'
import type { ApiKeyRequest } from '../../../shared/api-key.ts'
import { leaksIn } from '../../spellings.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

const hour = 60 * 60_000
const day = 24 * hour
const asked: ApiKeyRequest = { name: 'Nightly export', scopes: ['jobs:read', 'jobs:run'] }

describe('the text of a key', () => {
  it('is wbk_, 43 letters and digits, and six more that are the CRC-32 of these', () => {
    assert(
      property(uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const key = newApiKey(() => bytes)
        expect(key).toMatch(/^wbk_[0-9A-Za-z]{49}$/)
        expect(isApiKey(key)).toBe(true)
      }),
    )
    const zeros = newApiKey(() => new Uint8Array(32))
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    const sum = Array.from(zeros.slice(-6), (digit) => digits.indexOf(digit)).reduce(
      (all, digit) => all * 62 + digit,
      0,
    )
    expect(sum).toBe(crc32('0'.repeat(43)))
  })

  it('keeps all 256 bits apart', () => {
    const keys = new Set<string>()
    for (let bit = 0; bit < 256; bit += 1) {
      const bytes = new Uint8Array(32)
      bytes[bit >> 3] = 1 << (bit & 7)
      keys.add(newApiKey(() => bytes))
    }
    expect(keys.size).toBe(256)
  })

  it('is known from any that differs from it in one character', () => {
    const key = newApiKey(randomBytes)
    let tried = 0
    for (let at = 0; at < key.length; at += 1)
      for (const other of '0Az_-. é') {
        const changed = key.slice(0, at) + other + key.slice(at + 1)
        if (changed === key) continue
        expect([changed, isApiKey(changed)]).toEqual([changed, false])
        tried += 1
      }
    expect(tried).toBeGreaterThan(300)
  })
})

describe('API keys', () => {
  let records: KeptRecords
  let keys: ApiKeys
  let reads: string[]
  beforeEach(() => {
    records = keepRecords()
    reads = []
    const store = {
      ...records.store,
      get: async (...wanted: Parameters<KeptRecords['store']['get']>) => {
        reads.push(wanted[0])
        return records.store.get(...wanted)
      },
    }
    const acts = createActs({ ...records, random: randomBytes })
    keys = createApiKeys({ ...records, store, leaf: acts.leaf, random: randomBytes })
  })
  afterEach(() => records.close())

  const acts = async () =>
    (await records.store.list({ collection: 'audit', where: { waits: true }, limit: 100 })).map(
      ({ fields }) => fields['act'],
    )

  it('are found by the key itself, for their owner and with their scopes', async () => {
    const { key, id } = await keys.create('ann', asked)
    expect(await keys.find(key)).toEqual({
      hash: hashed('api-key', key),
      id,
      user: 'ann',
      scopes: asked.scopes,
      from: [],
    })
    expect(await keys.find(newApiKey(randomBytes))).toBeNull()
  })

  it('are good for 90 days unless somebody says for how long', async () => {
    const [usual, short] = [
      await keys.create('ann', asked),
      await keys.create('ann', { ...asked, days: 1 }),
    ]
    expect(Date.parse(usual.expiresAt) - records.now()).toBe(90 * day)
    records.pass(day - 1)
    expect(await keys.find(short.key)).not.toBeNull()
    records.pass(1)
    expect(await keys.find(short.key)).toBeNull()
    expect((await keys.list('ann')).map(({ id }) => id)).toEqual([usual.id])
    records.pass(89 * day)
    expect(await keys.find(usual.key)).toBeNull()
  })

  it('are taken no more by any process once they are revoked', async () => {
    const { key, id } = await keys.create('ann', asked)
    const acting = createActs({ ...records, random: randomBytes })
    const elsewhere = createApiKeys({
      ...records,
      ...records.another(),
      leaf: acting.leaf,
      random: randomBytes,
    })
    expect(await elsewhere.find(key)).not.toBeNull()
    const other = await keys.create('ann', asked)
    await keys.revoke('ann', other.id)
    expect(await elsewhere.find(key)).not.toBeNull()
    await keys.revoke('ann', id)
    expect(await elsewhere.find(key)).toBeNull()
    await expect(keys.revoke('ann', id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('are nobody else’s to revoke or see', async () => {
    const { key, id } = await keys.create('ann', asked)
    await expect(keys.revoke('bob', id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await keys.list('bob')).toEqual([])
    expect(await keys.revokeAll('bob')).toBe(0)
    expect(await keys.find(key)).not.toBeNull()
  })

  it('are all revoked at once', async () => {
    const both = [await keys.create('ann', asked), await keys.create('ann', asked)]
    expect(await keys.revokeAll('ann')).toBe(2)
    expect(await Promise.all(both.map(({ key }) => keys.find(key)))).toEqual([null, null])
  })

  it('have a line in the log for each that is created and each that is revoked', async () => {
    const { id } = await keys.create('ann', asked)
    expect(await acts()).toEqual(['api_key_created'])
    await keys.revoke('ann', id)
    expect(new Set(await acts())).toEqual(new Set(['api_key_created', 'api_key_revoked']))
  })

  it('are not looked for in the store where the checksum is wrong', async () => {
    const { key } = await keys.create('ann', asked)
    reads = []
    const last = key.endsWith('A') ? 'B' : 'A'
    for (const wrong of [key.slice(0, -1) + last, key.slice(0, -1), `${key}A`, `${key} `, ''])
      expect(await keys.find(wrong)).toBeNull()
    expect(reads).toEqual([])
    await keys.find(newApiKey(randomBytes))
    expect(reads).toEqual(['apiKeys'])
  })

  it('are written down as used once an hour', async () => {
    const { key } = await keys.create('ann', asked)
    const use = async () => {
      const found = await keys.find(key)
      if (found !== null) await keys.notice(found)
      return (await keys.list('ann')).map(({ lastUsedAt }) => lastUsedAt)
    }
    const first = new Date(records.now()).toISOString()
    expect(await use()).toEqual([first])
    records.pass(hour - 1)
    expect(await use()).toEqual([first])
    records.pass(1)
    expect(await use()).toEqual([new Date(records.now()).toISOString()])
  })

  it('do not come back when they are noticed after they were revoked', async () => {
    const { key, id } = await keys.create('ann', asked)
    const found = await keys.find(key)
    await keys.revoke('ann', id)
    if (found !== null) await keys.notice(found)
    expect(await keys.find(key)).toBeNull()
  })

  it('leave in the store neither themselves nor their name nor the networks', async () => {
    const name = 'Canary of the name'
    const { key } = await keys.create('ann', { ...asked, name, from: ['203.0.113.77'] })
    const found = await records.store.list({
      collection: 'apiKeys',
      where: { user: 'ann' },
      limit: 10,
    })
    const kept = Buffer.concat(
      found.flatMap(({ body, ...plain }) => [
        Buffer.from(JSON.stringify(plain)),
        Buffer.from(body ?? []),
      ]),
    )
    expect(kept.length).toBeGreaterThan(200)
    const secret = key.slice(4, 47)
    expect(leaksIn(kept, [key, secret, name, '203.0.113.77'])).toEqual([])
  })

  it('are 50 of a person at most', async () => {
    for (let made = 0; made < 50; made += 1) await keys.create('ann', asked)
    await expect(keys.create('ann', asked)).rejects.toMatchObject({ code: 'wrong_state' })
    await keys.create('bob', asked)
  })
})
