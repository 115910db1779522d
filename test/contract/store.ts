import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { dispositionOf } from '../../shared/errors.ts'
import { indexes } from '../../backend/store/store.ts'
import type { Collection, Document, Field, Store } from '../../backend/store/store.ts'
import type { StoreBench } from './store-bench.ts'
import { describeContention } from './store-contention.ts'
import { describeLimits } from './store-limits.ts'

/** @returns a document that is kept for ever */
export function document(
  key: string,
  fields: Record<string, Field> = {},
  body: Uint8Array | null = null,
): Document {
  return { key, fields, body, expiresAt: null }
}

/** Lands all `documents` in transactions of at most 450. */
export async function putAll(
  store: Store,
  collection: Collection,
  documents: readonly Document[],
): Promise<void> {
  for (let from = 0; from < documents.length; from += 450)
    await store.transact(async (transaction) => {
      for (const one of documents.slice(from, from + 450)) transaction.put(collection, one)
    })
}

const keysOf = (documents: readonly Document[]): readonly string[] =>
  documents.map((one) => one.key)

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

    describe('a list', () => {
      it.each(
        Object.entries(indexes).flatMap(([collection, all]) =>
          all.map((fields) => ({ collection, fields })),
        ),
      )('of $collection by $fields has exactly those equal in all fields', async (index) => {
        const collection = Object.keys(indexes).find(
          (one): one is Collection => one === index.collection,
        )
        if (collection === undefined) throw new Error('no such collection')
        const where = Object.fromEntries(index.fields.map((field) => [field, 'same']))
        const others = index.fields.map((field) =>
          document(`not-${field}`, { ...where, [field]: 'x' }),
        )
        await putAll(store, collection, [document('one', { ...where, more: 1 }), ...others])
        expect(keysOf(await store.list({ collection, where, limit: 9 }))).toEqual(['one'])
      })

      it('goes by the bytes of the keys', async () => {
        const keys = ['-', '.a', '0', '10', '2', 'A', 'B', '_', 'a', 'a.b', 'aa', 'b']
        await putAll(
          store,
          'jobs',
          keys.toReversed().map((key) => document(key, { user: 'u' })),
        )
        const found = await store.list({ collection: 'jobs', where: { user: 'u' }, limit: 99 })
        expect(keysOf(found)).toEqual(keys)
      })

      it('read page by page after the last key has every document once', async () => {
        const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, '0')}`)
        const wanted = keys.map((key, at) => document(key, { job: 'j', todo: at % 2 ? 'x' : 'y' }))
        await putAll(store, 'ledger', [...wanted, document('k05x', { job: 'j', todo: 'z' })])
        const pages: string[][] = []
        let after: string | undefined
        do {
          const page = await store.list({
            collection: 'ledger',
            where: { job: 'j', todo: ['y', 'x'] },
            limit: 10,
            ...(after === undefined ? {} : { after }),
          })
          pages.push([...keysOf(page)])
          after = page.at(-1)?.key
        } while (after !== undefined)
        expect(pages).toEqual([keys.slice(0, 10), keys.slice(10, 20), keys.slice(20), []])
      })

      it('ends before a key, with and without fields', async () => {
        const keys = ['a', 'job-1', 'job.1', 'job.2', 'job0', 'z']
        await putAll(
          store,
          'runs',
          keys.map((key, at) => document(key, { job: at % 2 ? 'x' : 'y' })),
        )
        const between = { after: 'job', before: 'job0', limit: 9 }
        const list = async (where: Record<string, Field>) =>
          keysOf(await store.list({ collection: 'runs', where, ...between }))
        expect(await list({})).toEqual(['job-1', 'job.1', 'job.2'])
        expect(await list({ job: 'x' })).toEqual(['job-1', 'job.2'])
        const rest = { collection: 'runs', where: {}, after: 'job-1', before: 'job0' } as const
        expect(keysOf(await store.list({ ...rest, limit: 1 }))).toEqual(['job.1'])
        expect(keysOf(await store.list({ ...rest, limit: 9 }))).toEqual(['job.1', 'job.2'])
      })

      it('takes any of up to 30 values, each document once', async () => {
        const slots = Array.from({ length: 40 }, (_, at) => `s${String(at).padStart(2, '0')}`)
        await putAll(
          store,
          'ledger',
          slots.map((slot) => document(slot, { job: 'j', slot })),
        )
        const asked = [...slots.slice(10, 38), 's11', 'nowhere']
        const found = await store.list({
          collection: 'ledger',
          where: { job: 'j', slot: asked },
          limit: 99,
        })
        expect(keysOf(found)).toEqual(slots.slice(10, 38))
      })

      it('takes null among several values', async () => {
        const users: readonly Field[] = ['u', null, 'v']
        await putAll(
          store,
          'jobs',
          users.map((user, at) => document(`k${at}`, { user })),
        )
        const where = async (user: readonly Field[]) =>
          keysOf(await store.list({ collection: 'jobs', where: { user }, limit: 9 }))
        expect(await where(['u', null])).toEqual(['k0', 'k1'])
        expect(await where([null])).toEqual(['k1'])
        expect(await where(['v'])).toEqual(['k2'])
      })

      it('takes none of no values', async () => {
        await putAll(store, 'jobs', [document('a', { user: 'u' })])
        expect(await store.list({ collection: 'jobs', where: { user: [] }, limit: 9 })).toEqual([])
      })

      it('tells true from 1 and "true", and null from what is not there', async () => {
        const values: readonly Field[] = [true, 1, '1', 'true', false, 0, '', null, 'null']
        await putAll(store, 'jobs', [
          ...values.map((user, at) => document(`k${at}`, { user })),
          document('without'),
        ])
        for (const [at, user] of values.entries())
          expect(
            keysOf(await store.list({ collection: 'jobs', where: { user }, limit: 9 })),
          ).toEqual([`k${at}`])
      })
    })

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
