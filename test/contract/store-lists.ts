import { describe, expect, it } from '@jest/globals'
import { indexes } from '../../backend/store/store.ts'
import type { Collection, Field, Store } from '../../backend/store/store.ts'
import { document, keysOf, putAll } from './store-documents.ts'

/** Declares the tests of lists. */
export function describeLists(storeOf: () => Store): void {
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
      await putAll(storeOf(), collection, [document('one', { ...where, more: 1 }), ...others])
      expect(keysOf(await storeOf().list({ collection, where, limit: 9 }))).toEqual(['one'])
    })

    it('goes by the bytes of the keys', async () => {
      const keys = ['-', '.a', '0', '10', '2', 'A', 'B', '_', 'a', 'a.b', 'aa', 'b']
      await putAll(
        storeOf(),
        'jobs',
        keys.toReversed().map((key) => document(key, { user: 'u' })),
      )
      const found = await storeOf().list({ collection: 'jobs', where: { user: 'u' }, limit: 99 })
      expect(keysOf(found)).toEqual(keys)
    })

    it('read page by page after the last key has every document once', async () => {
      const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, '0')}`)
      const wanted = keys.map((key, at) => document(key, { job: 'j', todo: at % 2 ? 'x' : 'y' }))
      await putAll(storeOf(), 'ledger', [...wanted, document('k05x', { job: 'j', todo: 'z' })])
      const pages: string[][] = []
      let after: string | undefined
      do {
        const page = await storeOf().list({
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
        storeOf(),
        'runs',
        keys.map((key, at) => document(key, { job: at % 2 ? 'x' : 'y' })),
      )
      const between = { after: 'job', before: 'job0', limit: 9 }
      const list = async (where: Record<string, Field>) =>
        keysOf(await storeOf().list({ collection: 'runs', where, ...between }))
      expect(await list({})).toEqual(['job-1', 'job.1', 'job.2'])
      expect(await list({ job: 'x' })).toEqual(['job-1', 'job.2'])
      const rest = { collection: 'runs', where: {}, after: 'job-1', before: 'job0' } as const
      expect(keysOf(await storeOf().list({ ...rest, limit: 1 }))).toEqual(['job.1'])
      expect(keysOf(await storeOf().list({ ...rest, limit: 9 }))).toEqual(['job.1', 'job.2'])
    })

    it('takes any of up to 30 values, each document once', async () => {
      const slots = Array.from({ length: 40 }, (_, at) => `s${String(at).padStart(2, '0')}`)
      await putAll(
        storeOf(),
        'ledger',
        slots.map((slot) => document(slot, { job: 'j', slot })),
      )
      const asked = [...slots.slice(10, 38), 's11', 'nowhere']
      const found = await storeOf().list({
        collection: 'ledger',
        where: { job: 'j', slot: asked },
        limit: 99,
      })
      expect(keysOf(found)).toEqual(slots.slice(10, 38))
    })

    it('takes null among several values', async () => {
      const users: readonly Field[] = ['u', null, 'v']
      await putAll(
        storeOf(),
        'jobs',
        users.map((user, at) => document(`k${at}`, { user })),
      )
      const where = async (user: readonly Field[]) =>
        keysOf(await storeOf().list({ collection: 'jobs', where: { user }, limit: 9 }))
      expect(await where(['u', null])).toEqual(['k0', 'k1'])
      expect(await where([null])).toEqual(['k1'])
      expect(await where(['v'])).toEqual(['k2'])
    })

    it('takes none of no values', async () => {
      await putAll(storeOf(), 'jobs', [document('a', { user: 'u' })])
      expect(await storeOf().list({ collection: 'jobs', where: { user: [] }, limit: 9 })).toEqual(
        [],
      )
    })

    it('tells true from 1 and "true", and null from what is not there', async () => {
      const values: readonly Field[] = [true, 1, '1', 'true', false, 0, '', null, 'null']
      await putAll(storeOf(), 'jobs', [
        ...values.map((user, at) => document(`k${at}`, { user })),
        document('without'),
      ])
      for (const [at, user] of values.entries())
        expect(
          keysOf(await storeOf().list({ collection: 'jobs', where: { user }, limit: 9 })),
        ).toEqual([`k${at}`])
    })
  })
}
