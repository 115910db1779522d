import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createFirestoreStore } from '../../backend/store/firestore.ts'
import type { Store } from '../../backend/store/store.ts'
import { document, putAll } from '../contract/store-documents.ts'
import { describeWithFirestore } from './firestore.ts'
import type { Operations } from './firestore-operations.ts'
import { startFirestoreProxy } from './firestore-proxy.ts'
import type { FirestoreProxy } from './firestore-proxy.ts'

describeWithFirestore('the Firestore proxy bills', (emulator) => {
  let proxy: FirestoreProxy
  let store: Store

  beforeAll(async () => {
    proxy = await startFirestoreProxy(emulator.host())
    store = createFirestoreStore({
      firestore: emulator.open('billed', proxy.host),
      keysFirestore: emulator.open('billed-keys', proxy.host),
      clock: () => 0,
    })
    await putAll(
      store,
      'jobs',
      ['a', 'b', 'c'].map((key) => document(key, { user: 'u' })),
    )
  })
  afterAll(async () => {
    store.close()
    await proxy.close()
  })

  const listOf = async (user: string) =>
    store.list({ collection: 'jobs', where: { user }, limit: 9 })
  it.each<readonly [string, () => Promise<unknown>, Operations]>([
    ['a document', async () => store.get('jobs', 'a'), { reads: 1, writes: 0, deletes: 0 }],
    ['one not there', async () => store.get('jobs', 'x'), { reads: 1, writes: 0, deletes: 0 }],
    [
      'many',
      async () => store.getMany('jobs', ['a', 'x', 'b', 'a']),
      { reads: 3, writes: 0, deletes: 0 },
    ],
    ['a list', async () => listOf('u'), { reads: 3, writes: 0, deletes: 0 }],
    ['an empty list', async () => listOf('x'), { reads: 1, writes: 0, deletes: 0 }],
    [
      'a transaction',
      async () =>
        store.transact(async (transaction) => {
          await transaction.get('jobs', 'a')
          await transaction.get('jobs', 'a')
          await transaction.get('runs', 'x')
          transaction.put('runs', document('x'))
          transaction.put('runs', document('y'))
          transaction.put('runs', document('y', { state: 's' }))
          transaction.remove('runs', 'never')
        }),
      { reads: 2, writes: 2, deletes: 1 },
    ],
    [
      'a transaction that only reads',
      async () => store.transact(async (transaction) => transaction.get('jobs', 'a')),
      { reads: 1, writes: 0, deletes: 0 },
    ],
  ])('%s', async (_, act, expected) => {
    const before = proxy.billed()
    await act()
    const after = proxy.billed()
    expect({
      reads: after.reads - before.reads,
      writes: after.writes - before.writes,
      deletes: after.deletes - before.deletes,
    }).toEqual(expected)
  })
})

describeWithFirestore('the Firestore proxy, closed,', (emulator) => {
  it('leaves nothing locked by the transactions that were under way', async () => {
    const proxy = await startFirestoreProxy(emulator.host())
    const dead = emulator.open('closed', proxy.host)
    const begun = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<never>()
    const killed = dead.runTransaction(
      async (transaction) => {
        await transaction.get(dead.doc('runs/a'))
        begun.resolve()
        return ended.promise
      },
      { maxAttempts: 1 },
    )
    await begun.promise
    await proxy.close()
    const other = createFirestoreStore({
      firestore: emulator.open('closed'),
      keysFirestore: emulator.open('closed-keys'),
      clock: () => 0,
    })
    // Whoever writes what is still locked is `busy`.
    let attempts = 0
    await other.transact(async (transaction) => {
      attempts += 1
      await transaction.get('runs', 'a')
      transaction.put('runs', document('a'))
    })
    expect(attempts).toBe(1)
    other.close()
    ended.reject(new Error('it was killed'))
    await expect(killed).rejects.toThrow('it was killed')
    await dead.terminate()
  })
})
