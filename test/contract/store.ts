import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { dispositionOf } from '../../shared/errors.ts'
import type { Store } from '../../backend/store/store.ts'
import type { StoreBench } from './store-bench.ts'
import { describeContention } from './store-contention.ts'
import { document, keysOf, putAll } from './store-documents.ts'
import { describeLimits } from './store-limits.ts'
import { describeLists } from './store-lists.ts'

/** Declares the tests that every store has to pass, one for each sentence of its contract. */
export function describeStore(name: string, open: () => Promise<StoreBench>): void {
  describe(`${name} keeps the store's contract`, () => {
    let bench: StoreBench
    let store: Store

    beforeEach(async () => {
      bench = await open()
      store = bench.store
    })
    afterEach(async () => bench.close())

    describe('documents', () => {
      it('come back as they were put: fields of every kind, body and time', async () => {
        const fields = { text: 'ä', number: 1.5, large: 2 ** 52, yes: true, no: false, none: null }
        const body = Uint8Array.of(0, 255, 7)
        const put = { key: 'a.B_1-', fields, body, expiresAt: bench.now() + 5 }
        await putAll(store, 'keys', [put])
        expect(await store.get('keys', 'a.B_1-')).toEqual(put)
      })

      it('may have no body, or an empty one', async () => {
        await putAll(store, 'keys', [document('none'), document('empty', {}, new Uint8Array())])
        expect((await store.get('keys', 'none'))?.body).toBeNull()
        expect((await store.get('keys', 'empty'))?.body).toEqual(new Uint8Array())
      })

      it('are null when they are not there', async () => {
        await putAll(store, 'jobs', [document('here')])
        expect(await store.get('keys', 'here')).toBeNull()
      })

      it('are replaced as a whole', async () => {
        await putAll(store, 'jobs', [document('a', { user: 'u', old: 1 }, Uint8Array.of(1))])
        await putAll(store, 'jobs', [document('a', { user: 'v' })])
        expect(await store.get('jobs', 'a')).toEqual(document('a', { user: 'v' }))
        expect(await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 9 })).toEqual([])
      })

      it('are gone when they are removed, and removing what is not there is fine', async () => {
        await putAll(store, 'jobs', [document('a', { user: 'u' })])
        await store.transact(async (transaction) => {
          transaction.remove('jobs', 'a')
          transaction.remove('jobs', 'never')
        })
        expect(await store.get('jobs', 'a')).toBeNull()
        expect(await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 9 })).toEqual([])
      })

      it('are seen by another store at once', async () => {
        const other = await bench.another()
        await putAll(store, 'jobs', [document('a')])
        expect(await other.get('jobs', 'a')).toEqual(document('a'))
      })
    })

    describe('many at once', () => {
      it('come in the order asked, null for those that are not there, twice if asked twice', async () => {
        await putAll(
          store,
          'jobs',
          ['a', 'b', 'c'].map((key) => document(key)),
        )
        const found = await store.getMany('jobs', ['c', 'x', 'a', 'c'])
        expect(found.map((one) => one?.key ?? null)).toEqual(['c', null, 'a', 'c'])
      })

      it('may be none, and may be 1,000', async () => {
        const keys = Array.from({ length: 1_000 }, (_, at) => `k${at}`)
        await putAll(
          store,
          'jobs',
          keys.map((key) => document(key)),
        )
        expect(await store.getMany('jobs', [])).toEqual([])
        expect((await store.getMany('jobs', keys)).map((one) => one?.key)).toEqual(keys)
      })
    })

    describeLists(() => store)

    describe('a document whose time is over', () => {
      beforeEach(async () => {
        const user = { user: 'u' }
        await putAll(store, 'jobs', [
          { key: 'a', fields: user, body: null, expiresAt: bench.now() + 1_000 },
          { key: 'b', fields: user, body: null, expiresAt: bench.now() + 2_000 },
          document('c', user),
        ])
      })

      it('is there before', async () => {
        bench.pass(999)
        expect(await store.get('jobs', 'a')).not.toBeNull()
      })

      it('is nowhere to be seen from that moment on', async () => {
        bench.pass(1_000)
        expect(await store.get('jobs', 'a')).toBeNull()
        expect(await store.getMany('jobs', ['a', 'b'])).toEqual([null, expect.anything()])
        const found = await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 9 })
        expect(keysOf(found)).toEqual(['b', 'c'])
        await store.transact(async (transaction) => {
          expect(await transaction.get('jobs', 'a')).toBeNull()
          transaction.put('jobs', document('a', { user: 'u' }))
        })
        expect(await store.get('jobs', 'a')).toEqual(document('a', { user: 'u' }))
      })

      it('does not shorten a page', async () => {
        bench.pass(1_000)
        const found = await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 2 })
        expect(keysOf(found)).toEqual(['b', 'c'])
        const first = await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 1 })
        expect(keysOf(first)).toEqual(['b'])
      })
    })

    describe('a transaction', () => {
      it('returns what its function returns', async () => {
        expect(await store.transact(async () => 7)).toBe(7)
      })

      it('lands the last of several writes to one document', async () => {
        await store.transact(async (transaction) => {
          transaction.put('jobs', document('a', { user: 'first' }))
          transaction.remove('jobs', 'a')
          transaction.put('jobs', document('a', { user: 'last' }))
          transaction.put('runs', document('a'))
          transaction.remove('runs', 'a')
        })
        expect(await store.get('jobs', 'a')).toEqual(document('a', { user: 'last' }))
        expect(await store.get('runs', 'a')).toBeNull()
      })

      it('lands nothing before its end', async () => {
        await store.transact(async (transaction) => {
          transaction.put('jobs', document('a'))
          expect(await store.get('jobs', 'a')).toBeNull()
        })
        expect(await store.get('jobs', 'a')).not.toBeNull()
      })

      it('that throws lands nothing, and what it threw is thrown on', async () => {
        const thrown = new Error('no')
        await putAll(store, 'jobs', [document('a')])
        const failing = store.transact(async (transaction) => {
          transaction.remove('jobs', 'a')
          transaction.put('jobs', document('b'))
          throw thrown
        })
        await expect(failing).rejects.toBe(thrown)
        expect(await store.getMany('jobs', ['a', 'b'])).toEqual([document('a'), null])
      })

      it('changes many documents of several collections, or none', async () => {
        const body = new Uint8Array(15_000).fill(1)
        const write = async (count: number, prefix: string): Promise<void> =>
          store.transact(async (transaction) => {
            await transaction.get('runs', 'a')
            for (let at = 0; at < count; at++) {
              transaction.put('ledger', document(`${prefix}${at}`, { job: 'j' }, body))
              transaction.put('manifest', document(`${prefix}${at}`, { job: prefix }, body))
            }
            if (prefix === 'b') throw new Error('no')
          })
        await write(100, 'a')
        await expect(write(100, 'b')).rejects.toThrow('no')
        const listed = async (job: string) =>
          (await store.list({ collection: 'manifest', where: { job }, limit: 999 })).length
        expect([await listed('a'), await listed('b')]).toEqual([100, 0])
        expect((await store.get('ledger', 'a99'))?.body).toEqual(body)
      })

      it('reads a document twice and finds it the same', async () => {
        await putAll(store, 'jobs', [document('a', { user: 'u' })])
        await store.transact(async (transaction) => {
          const once = await transaction.get('jobs', 'a')
          expect(await transaction.get('jobs', 'a')).toEqual(once)
        })
      })
    })

    describe('when nothing keeps its documents', () => {
      it('everything says store_unavailable, which no item of a cloud is charged for', async () => {
        await putAll(store, 'jobs', [document('a', { user: 'u' })])
        const away = await bench.cutOff()
        const asked = await Promise.allSettled([
          away.get('jobs', 'a'),
          away.getMany('jobs', ['a']),
          away.list({ collection: 'jobs', where: { user: 'u' }, limit: 9 }),
          away.transact(async (transaction) => transaction.get('jobs', 'a')),
          away.transact(async (transaction) => transaction.put('jobs', document('b'))),
          away.transact(async (transaction) => transaction.remove('jobs', 'a')),
        ])
        away.close()
        const reason = expect.objectContaining({ name: 'WaybillError', code: 'store_unavailable' })
        expect(asked).toEqual(asked.map(() => ({ status: 'rejected', reason })))
        expect(dispositionOf('store_unavailable')).toBe('retry')
        expect(await store.getMany('jobs', ['a', 'b'])).toEqual([
          document('a', { user: 'u' }),
          null,
        ])
      })
    })

    describeLimits(() => store)
    describeContention(() => bench)
  })
}
