import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import type { Firestore } from '@google-cloud/firestore'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import type { Store } from '../../../backend/store/store.ts'
import { document, putAll } from '../../contract/store-documents.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { startFirestoreProxy } from '../../platform/firestore-proxy.ts'
import type { FirestoreCall, FirestoreProxy } from '../../platform/firestore-proxy.ts'

const withCode = (code: string) => expect.objectContaining({ name: 'WaybillError', code })

describeWithFirestore('the Firestore store between trouble and its callers', (emulator) => {
  let proxy: FirestoreProxy
  let firestore: Firestore
  let store: Store
  let benches = 0
  let now = 0

  beforeAll(async () => {
    proxy = await startFirestoreProxy(emulator.host())
  })
  afterAll(async () => proxy.close())
  beforeEach(() => {
    benches += 1
    firestore = emulator.open(`faults-${benches}`, proxy.host)
    const keysFirestore = emulator.open(`faults-${benches}-keys`, proxy.host)
    store = createFirestoreStore({ firestore, keysFirestore, clock: () => now, random: () => 0 })
  })
  afterEach(() => {
    proxy.decide(null)
    store.close()
  })

  function callsOf(method: string): readonly FirestoreCall[] {
    return proxy.calls().filter((call) => call.method === method)
  }

  async function increment(): Promise<number> {
    return store.transact(async (transaction) => {
      const count = Number((await transaction.get('runs', 'a'))?.fields['count'] ?? 0) + 1
      transaction.put('runs', document('a', { count }))
      return count
    })
  }

  describe('a commit that lands although its answer is lost', () => {
    const loseOne = (): void => {
      let lost = 0
      proxy.decide(({ method }) => (method === 'Commit' && lost++ === 0 ? 'lose-answer' : 'pass'))
    }

    it('is not made again, and returns what it would have returned', async () => {
      await increment()
      loseOne()
      expect(await increment()).toBe(2)
      expect((await store.get('runs', 'a'))?.fields).toEqual({ count: 2 })
    })

    it('is not made again if it read nothing', async () => {
      loseOne()
      let runs = 0
      await store.transact(async (transaction) => {
        runs += 1
        transaction.put('runs', document('a', { runs }))
      })
      expect((await store.get('runs', 'a'))?.fields).toEqual({ runs: 1 })
      expect(runs).toBe(1)
    })

    it('is known by any document that it puts, also beside removals', async () => {
      await putAll(store, 'jobs', [document('gone')])
      loseOne()
      let runs = 0
      await store.transact(async (transaction) => {
        runs += 1
        transaction.remove('jobs', 'gone')
        transaction.put('runs', document('a'))
      })
      expect(runs).toBe(1)
      expect(await store.get('jobs', 'gone')).toBeNull()
    })
  })

  it('makes a commit again that was refused before it landed', async () => {
    let refused = 0
    proxy.decide(({ method }) =>
      method === 'Commit' && refused++ === 0 ? { refuse: status.UNAVAILABLE } : 'pass',
    )
    expect(await increment()).toBe(1)
    expect((await store.get('runs', 'a'))?.fields).toEqual({ count: 1 })
  })

  it('gives up with busy when what it read keeps changing', async () => {
    proxy.decide(({ method }) => (method === 'Commit' ? { refuse: status.ABORTED } : 'pass'))
    let runs = 0
    const changing = store.transact(async (transaction) => {
      runs += 1
      await transaction.get('runs', 'a')
      transaction.put('runs', document('a'))
    })
    await expect(changing).rejects.toThrow(withCode('busy'))
    expect(runs).toBeGreaterThan(5)
  })

  it('begins anew after a transaction that went on for too long', async () => {
    let refused = 0
    const says = 'The referenced transaction has expired or is no longer valid.'
    proxy.decide(({ method }) =>
      method === 'Commit' && refused++ === 0 ? { refuse: status.INVALID_ARGUMENT, says } : 'pass',
    )
    expect(await increment()).toBe(1)
  })

  describe.each([
    ['a missing permission', status.PERMISSION_DENIED, 'settings_invalid', 'roles/datastore.user'],
    ['a missing database', status.NOT_FOUND, 'settings_invalid', 'database'],
    ['a missing index', status.FAILED_PRECONDITION, 'settings_invalid', 'index'],
    ['missing credentials', status.UNAUTHENTICATED, 'settings_invalid', 'credentials'],
    ['a status that nobody expects', status.UNIMPLEMENTED, 'internal', 'refused'],
  ])('%s', (_, refuse, code, word) => {
    it('is said so by everything, never taken for nothing, and asked about once', async () => {
      await putAll(store, 'runs', [document('a', { job: 'j' })])
      const says = 'secret-project: https://console.example'
      proxy.decide(() => ({ refuse, says }))
      const before = proxy.calls().length
      const asked = await Promise.allSettled([
        store.get('runs', 'a'),
        store.getMany('runs', ['a']),
        store.list({ collection: 'runs', where: { job: 'j' }, limit: 9 }),
        increment(),
        putAll(store, 'runs', [document('b')]),
      ])
      for (const one of asked) {
        expect(one).toEqual({ status: 'rejected', reason: withCode(code) })
        if (one.status !== 'rejected') continue
        expect(String(one.reason)).toContain(word)
        expect(String(one.reason)).not.toContain('secret')
      }
      expect(proxy.calls().length - before).toBe(asked.length)
    })
  })

  it.each([
    ['store_unavailable', status.UNAVAILABLE],
    ['store_unavailable', status.DEADLINE_EXCEEDED],
    ['store_unavailable', status.RESOURCE_EXHAUSTED],
  ])('says %s after a few tries when Firestore keeps answering %d', async (code, refuse) => {
    proxy.decide(() => ({ refuse }))
    const before = proxy.calls().length
    const asked = await Promise.allSettled([
      store.get('runs', 'a'),
      store.list({ collection: 'runs', where: { job: 'j' }, limit: 9 }),
      increment(),
      putAll(store, 'runs', [document('b')]),
    ])
    for (const one of asked) expect(one).toEqual({ status: 'rejected', reason: withCode(code) })
    expect(proxy.calls().length - before).toBeLessThanOrEqual(asked.length * 6)
  })

  it('says store_unavailable when nobody is there any more', async () => {
    const away = await startFirestoreProxy(emulator.host())
    const gone = createFirestoreStore({
      firestore: emulator.open('gone', away.host),
      keysFirestore: emulator.open('gone-keys', away.host),
      clock: () => now,
    })
    await away.close()
    await expect(gone.get('runs', 'a')).rejects.toThrow(withCode('store_unavailable'))
    await expect(putAll(gone, 'runs', [document('a')])).rejects.toThrow(
      withCode('store_unavailable'),
    )
    gone.close()
  })

  it('does not land what was changed on the strength of a read that failed', async () => {
    let reads = 0
    proxy.decide(({ method }) =>
      method === 'BatchGetDocuments' && ++reads === 2
        ? { refuse: status.PERMISSION_DENIED }
        : 'pass',
    )
    const careless = store.transact(async (transaction) => {
      await transaction.get('jobs', 'a')
      const found = await transaction.get('runs', 'a').catch(() => null)
      if (found === null) transaction.put('runs', document('a'))
    })
    await expect(careless).rejects.toThrow(withCode('settings_invalid'))
    expect(await store.get('runs', 'a')).toBeNull()
  })

  it('keeps keys in their own database, and nothing else there', async () => {
    const before = proxy.calls().length
    await putAll(store, 'keys', [document('a')])
    await putAll(store, 'jobs', [document('a')])
    const databases = proxy
      .calls()
      .slice(before)
      .map(({ request }) => JSON.stringify(request).match(/faults-\d+(?:-keys)?(?=")/)?.[0])
    expect(databases).toEqual([`faults-${benches}-keys`, `faults-${benches}`])
  })

  it('refuses a document that it has not written', async () => {
    await firestore
      .collection('runs')
      .doc('a')
      .set({ fields: { list: [1] } })
    await expect(store.get('runs', 'a')).rejects.toThrow(withCode('internal'))
  })

  it('fills a page up in which some are over, without asking for each', async () => {
    const over = Array.from({ length: 300 }, (_, at) => ({
      ...document(`a${String(at).padStart(3, '0')}`, { job: 'j' }),
      expiresAt: 5,
    }))
    await putAll(store, 'runs', [...over, document('b', { job: 'j' }), document('c', { job: 'j' })])
    now = 5
    const before = callsOf('RunQuery').length
    const found = await store.list({ collection: 'runs', where: { job: 'j' }, limit: 1 })
    expect(found.map((one) => one.key)).toEqual(['b'])
    expect(callsOf('RunQuery').length - before).toBeLessThan(10)
    now = 0
  })

  it('ends what is under way when it is closed, and gives nothing afterwards', async () => {
    await putAll(store, 'runs', [document('a')])
    const underWay = store.get('runs', 'a')
    store.close()
    store.close()
    expect(await underWay).toEqual(document('a'))
    await expect(store.get('runs', 'a')).rejects.toThrow(withCode('internal'))
    await expect(increment()).rejects.toThrow(withCode('internal'))
  })
})
