import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOwners } from '../../../backend/records/owner.ts'
import { rewrapKeys } from '../../../backend/records/rewrap-keys.ts'
import type { RewrapCounts } from '../../../backend/records/rewrap-keys.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Document, Store } from '../../../backend/store/store.ts'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import type { RotatingKeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import type { Kek } from '../../../backend/vault/wallet.ts'
import { startKmsUnderTest } from '../vault/kms-under-test.ts'
import type { KmsUnderTest } from '../vault/kms-under-test.ts'

const env = 'test'
const never = new AbortController().signal

const now = (): number => 0
let folder: string
let kms: KmsUnderTest
let store: Store
let wrapper: RotatingKeyWrapper
/** What each user sealed at the beginning. */
let sealed: Map<string, Uint8Array>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-rewrap-'))
  store = createSqliteStore(openStoreFile(join(folder, 'waybill.db')), { clock: now })
  kms = await startKmsUnderTest()
  wrapper = kms.wrapper()
  sealed = new Map()
})
afterEach(async () => {
  store.close()
  await kms.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Owners as a process that has just started sees them: nothing is cached. */
function freshOwners(through: RotatingKeyWrapper = wrapper) {
  const cache = createDekCache({ wrapper: through, random: randomBytes, now })
  const deps = { store, wrapper: through, cache, env, random: randomBytes, now }
  return createOwners(deps)
}

async function addUsers(count: number, through = wrapper): Promise<void> {
  const owners = freshOwners(through)
  for (let n = 0; n < count; n += 1) {
    const user = `user-${n}`
    sealed.set(user, (await owners.of(user)).seal('jobs', 'one', { secret: user }))
  }
}

async function read(user: string, through = wrapper): Promise<void> {
  const owner = await freshOwners(through).of(user)
  expect(owner.open('jobs', 'one', sealed.get(user) ?? null)).toEqual({ secret: user })
}

async function readAll(through = wrapper): Promise<void> {
  await Promise.all([...sealed.keys()].map(async (user) => read(user, through)))
}

async function kekOf(user: string): Promise<unknown> {
  return (await store.get('keys', user))?.fields['kekId']
}

async function keksUsed(): Promise<readonly unknown[]> {
  return [...new Set(await Promise.all([...sealed.keys()].map(kekOf)))]
}

async function rewrapped(
  deps: { store?: Store; wrapper?: RotatingKeyWrapper } = {},
): Promise<RewrapCounts> {
  return rewrapKeys({ store, wrapper, env, ...deps }, never)
}

async function change(user: string, to: (document: Document) => Document): Promise<void> {
  await store.transact(async (transaction) => {
    const found = await transaction.get('keys', user)
    if (found !== null) transaction.put('keys', to(found))
  })
}

/** Calls `step` before and after each call of a method. */
function watched<T extends object>(whole: T, step: (name: string) => Promise<void>): T {
  return new Proxy(whole, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        await step(`before ${String(name)}`)
        const answer: unknown = await Reflect.apply(value, target, args)
        await step(`after ${String(name)}`)
        return answer
      }
    },
  })
}

describe('rewrapping', () => {
  it('brings every DEK under the newest KEK, and changes nothing that was sealed', async () => {
    await addUsers(12)
    const newest = kms.rotate()
    expect(await rewrapped()).toEqual({ rewrapped: 12, left: 0, refused: 0 })
    expect(await keksUsed()).toEqual([newest])
    kms.keys.setState(kms.version(1), 'DISABLED')
    await readAll()
  })

  it('costs two calls and nothing but queries when there is nothing to do', async () => {
    await addUsers(3)
    kms.rotate()
    await rewrapped()
    const [calls, steps] = [kms.calls(), new Array<string>()]
    const counting = watched(store, async (name) => void steps.push(name))
    expect(await rewrapped({ store: counting })).toEqual({ rewrapped: 0, left: 0, refused: 0 })
    expect(kms.calls() - calls).toBe(2)
    expect(new Set(steps)).toEqual(new Set(['before list', 'after list']))
  })

  it('goes through any number of them, page by page, and of KEKs', async () => {
    const keks = Array.from({ length: 35 }, (_, n): Kek => {
      const created = new Date(n * 1_000).toISOString()
      return { id: `kek-${n}`, key: createSecretKey(randomBytes(32)), created, state: 'active' }
    })
    const walletOf = (count: number) =>
      createWalletWrapper({ keks: keks.slice(0, count) }, randomBytes)
    await addUsers(250, walletOf(1))
    for (let n = 2; n < 35; n += 1) await freshOwners(walletOf(n)).of(`later-${n}`)
    const wallet = walletOf(35)
    expect(await rewrapped({ wrapper: wallet })).toEqual({ rewrapped: 283, left: 0, refused: 0 })
    expect(await keksUsed()).toEqual(['kek-34'])
    await readAll(wallet)
  })

  it('leaves the epoch alone, so that no key in a cache is withdrawn', async () => {
    await addUsers(1)
    const before = await store.get('keys', 'user-0')
    kms.rotate()
    await rewrapped()
    const after = await store.get('keys', 'user-0')
    const { kekId, wrapped, ...rest } = after?.fields ?? {}
    expect(before?.fields).toMatchObject(rest)
    expect(after?.body).toEqual(before?.body)
    expect([kekId, wrapped]).not.toContain(before?.fields['wrapped'])
  })

  it('stops when it is told to, with what it has done', async () => {
    await addUsers(30)
    kms.rotate()
    const stop = new AbortController()
    const stopping = watched(store, async (name) => {
      if (name === 'after transact') stop.abort()
    })
    const counts = await rewrapKeys({ store: stopping, wrapper, env }, stop.signal)
    expect(counts.rewrapped).toBeGreaterThan(0)
    expect(counts.left).toBe(30 - counts.rewrapped)
    expect(counts.left).toBeGreaterThan(0)
    expect(await rewrapped()).toEqual({ rewrapped: counts.left, left: 0, refused: 0 })
  })

  it('leaves a record that is damaged as it is, and goes on', async () => {
    await addUsers(5)
    await change('user-1', (found) => ({ ...found, fields: { ...found.fields, wrapped: 'AQAA' } }))
    await change('user-2', (found) => ({ ...found, fields: { ...found.fields, dekId: 'other' } }))
    await change('user-3', (found) => ({ ...found, body: null }))
    const kept = await store.get('keys', 'user-1')
    kms.rotate()
    expect(await rewrapped()).toEqual({ rewrapped: 2, left: 3, refused: 3 })
    expect(await store.get('keys', 'user-1')).toEqual(kept)
  })

  it('overwrites no wrapped DEK with one that does not unwrap', async () => {
    await addUsers(3)
    kms.rotate()
    kms.lie('ciphertext and its checksum exchanged')
    expect(await rewrapped()).toEqual({ rewrapped: 0, left: 3, refused: 0 })
    kms.lie(null)
    await readAll()
    expect(await rewrapped()).toEqual({ rewrapped: 3, left: 0, refused: 0 })
    await readAll()
  })

  it('leaves the DEKs of a KEK that cannot be had for a later pass, and brings the others', async () => {
    await addUsers(2)
    kms.rotate()
    const owner = await freshOwners().of('late')
    sealed.set('late', owner.seal('jobs', 'one', { secret: 'late' }))
    kms.keys.setState(kms.version(1), 'DISABLED')
    const newest = kms.rotate()
    expect(await rewrapped()).toEqual({ rewrapped: 1, left: 2, refused: 0 })
    expect(await kekOf('late')).toBe(newest)
    kms.keys.setState(kms.version(1), 'ENABLED')
    kms.pass(60_000)
    expect(await rewrapped()).toEqual({ rewrapped: 2, left: 0, refused: 0 })
    await readAll()
  })

  it('waits with few calls for a newest KEK that does not wrap yet', async () => {
    await addUsers(40)
    kms.encryptUnder(kms.version(1))
    kms.rotate()
    const calls = kms.calls('encrypt')
    expect(await rewrapped()).toEqual({ rewrapped: 0, left: 40, refused: 0 })
    expect(kms.calls('encrypt') - calls).toBe(1)
    kms.encryptUnder(null)
    expect(await rewrapped()).toEqual({ rewrapped: 40, left: 0, refused: 0 })
  })

  it('says that the KEKs cannot be had when it cannot even ask which there are', async () => {
    await addUsers(1)
    await kms.close()
    await expect(rewrapped()).rejects.toMatchObject({ code: 'key_unavailable' })
  })
})

describe('while keys are rewrapped', () => {
  it('a user who is deleted does not come back', async () => {
    await addUsers(1)
    kms.rotate()
    const deleting = watched(wrapper, async (name) => {
      if (name === 'after wrap')
        await store.transact(async (transaction) => transaction.remove('keys', 'user-0'))
    })
    expect(await rewrapped({ wrapper: deleting })).toEqual({ rewrapped: 0, left: 0, refused: 0 })
    expect(await store.get('keys', 'user-0')).toBeNull()
  })

  it('a raised epoch and a new DEK stay', async () => {
    await addUsers(2)
    await freshOwners().of('other')
    const theirs = await store.get('keys', 'other')
    kms.rotate()
    let changed = false
    const changing = watched(wrapper, async (name) => {
      if (name !== 'after wrap' || changed) return
      changed = true
      await change('user-0', ({ fields, ...rest }) => ({
        ...rest,
        fields: { ...fields, keyEpoch: 7 },
      }))
      await change('user-1', (found) => ({ ...(theirs ?? found), key: 'user-1' }))
    })
    await rewrapped({ wrapper: changing })
    expect((await store.get('keys', 'user-0'))?.fields['keyEpoch']).toBe(7)
    expect((await store.get('keys', 'user-1'))?.fields['dekId']).toBe(theirs?.fields['dekId'])
    await read('user-0')
  })

  it('another pass at the same time does no harm', async () => {
    await addUsers(20)
    const newest = kms.rotate()
    const passes = await Promise.all([rewrapped(), rewrapped(), rewrapped()])
    expect(passes.reduce((sum, each) => sum + each.rewrapped, 0)).toBe(20)
    expect(await rewrapped()).toEqual({ rewrapped: 0, left: 0, refused: 0 })
    expect(await keksUsed()).toEqual([newest])
    await readAll()
  })

  it('a pass may be killed before and after any step: no read fails, and the next pass leaves nothing', async () => {
    await addUsers(4)
    const users = [...sealed.keys()]
    let died = true
    let at = 0
    for (; died; at += 1) {
      const newest = kms.rotate()
      let steps = 0
      died = false
      const step = async (): Promise<void> => {
        steps += 1
        died ||= steps > at
        if (died) throw new Error('killed')
        await read(users[steps % users.length] ?? '')
      }
      const dying = { store: watched(store, step), wrapper: watched(wrapper, step) }
      const end = await rewrapped(dying).then(
        () => 'done',
        () => 'killed',
      )
      expect(end).toBe(died ? 'killed' : 'done')
      await readAll()
      const { left, refused } = await rewrapped()
      expect({ left, refused }).toEqual({ left: 0, refused: 0 })
      expect(await keksUsed()).toEqual([newest])
      await readAll()
    }
    // Two lists, and for each user unwrap, wrap, unwrap and a transaction, all before and after.
    expect(at).toBeGreaterThan(4 * 8)
  })
})
