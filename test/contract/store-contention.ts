import { describe, expect, it } from '@jest/globals'
import { setTimeout as wait } from 'node:timers/promises'
import type { Document, Store } from '../../backend/store/store.ts'
import type { StoreBench } from './store-bench.ts'

const counter = (count: number): Document => ({
  key: 'counter',
  fields: { count },
  body: null,
  expiresAt: null,
})

async function countIn(store: Store): Promise<number> {
  return Number((await store.get('runs', 'counter'))?.fields['count'] ?? 0)
}

// Gives others the time to come between a read and the write that depends on it.
async function increment(store: Store, by = 1): Promise<void> {
  await store.transact(async (transaction) => {
    const count = Number((await transaction.get('runs', 'counter'))?.fields['count'] ?? 0)
    await wait(1)
    transaction.put('runs', counter(count + by))
  })
}

// One change that begins while another has read and not yet written. It is not awaited there: a store that locks what
// was read lets it wait, one that does not runs the first again; the contract is the same.
async function meanwhile<T>(
  first: (begin: () => void) => Promise<T>,
  second: () => Promise<unknown>,
): Promise<T> {
  let begun: Promise<unknown> | undefined
  const result = await first(() => {
    begun ??= second()
  })
  await begun
  return result
}

/** Declares the tests of what happens when several change the same documents at once. */
export function describeContention(benchOf: () => StoreBench): void {
  describe('contention', () => {
    it('loses none of 10 increments at once, the first of which creates the document', async () => {
      const { store } = benchOf()
      await Promise.all(Array.from({ length: 10 }, async () => increment(store)))
      expect(await countIn(store)).toBe(10)
    })

    it('loses none of 10 increments at once by two stores', async () => {
      const stores = [benchOf().store, await benchOf().another()]
      await Promise.all(
        stores.flatMap((one) => Array.from({ length: 5 }, async () => increment(one))),
      )
      expect(await countIn(benchOf().store)).toBe(10)
    })

    it('loses no change made between a read and the write', async () => {
      const { store } = benchOf()
      await increment(store)
      await meanwhile(
        async (begin) =>
          store.transact(async (transaction) => {
            const count = Number((await transaction.get('runs', 'counter'))?.fields['count'])
            begin()
            await wait(20)
            transaction.put('runs', counter(count * 10))
          }),
        async () => increment(store, 5),
      )
      expect([15, 60]).toContain(await countIn(store))
    })

    it('lets only one of two create what neither has found', async () => {
      const stores = [benchOf().store, await benchOf().another()]
      const created = await Promise.all(
        stores.map(async (store, mine) =>
          store.transact(async (transaction) => {
            if ((await transaction.get('runs', 'counter')) !== null) return false
            await wait(5)
            transaction.put('runs', counter(mine))
            return true
          }),
        ),
      )
      expect(created.filter(Boolean)).toHaveLength(1)
      expect(await countIn(benchOf().store)).toBe(created.indexOf(true))
    })

    it('keeps a rule over two documents of which each transaction writes only one', async () => {
      const { store } = benchOf()
      const leave = async (mine: string): Promise<void> =>
        store.transact(async (transaction) => {
          const [one, two] = [
            await transaction.get('jobs', 'a'),
            await transaction.get('jobs', 'b'),
          ]
          await wait(5)
          if (one !== null && two !== null) transaction.remove('jobs', mine)
        })
      await store.transact(async (transaction) => {
        for (const key of ['a', 'b'])
          transaction.put('jobs', { key, fields: {}, body: null, expiresAt: null })
      })
      await Promise.all([leave('a'), leave('b')])
      const left = await store.getMany('jobs', ['a', 'b'])
      expect(left.filter((one) => one !== null)).toHaveLength(1)
    })

    it('notices a document that was removed and put again as it was', async () => {
      const { store } = benchOf()
      await increment(store)
      const order: string[] = []
      await meanwhile(
        async (begin) =>
          store.transact(async (transaction) => {
            const found = await transaction.get('runs', 'counter')
            begin()
            await wait(20)
            order.push('read')
            if (found !== null) transaction.put('runs', { ...found, fields: { count: 2 } })
          }),
        async () => {
          await store.transact(async (transaction) => transaction.remove('runs', 'counter'))
          await store.transact(async (transaction) => transaction.put('runs', counter(1)))
          order.push('put again')
        },
      )
      // Whoever came first, nothing is written on the strength of a read from before the removal.
      expect(await countIn(store)).toBe(order.at(-1) === 'put again' ? 1 : 2)
      expect(order.slice(-2)).toContain('read')
    })

    it('does not throw on a complaint about what was never true all at once', async () => {
      const { store } = benchOf()
      const write = async (count: number): Promise<void> =>
        store.transact(async (transaction) => {
          transaction.put('runs', counter(count))
          transaction.put('jobs', counter(count))
        })
      await write(1)
      const seen = meanwhile(
        async (begin) =>
          store.transact(async (transaction) => {
            const one = await transaction.get('runs', 'counter')
            begin()
            await wait(20)
            const two = await transaction.get('jobs', 'counter')
            if (one?.fields['count'] !== two?.fields['count']) throw new Error('half a change')
            return one?.fields['count']
          }),
        async () => write(2),
      )
      expect([1, 2]).toContain(await seen)
    })
  })
}
