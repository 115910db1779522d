import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { collections } from '../../../backend/store/limits.ts'
import { indexes } from '../../../backend/store/store.ts'
import type { Collection } from '../../../backend/store/store.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { startFirestoreProxy } from '../../platform/firestore-proxy.ts'

/*
 * The emulator answers every query and forgets nothing by itself. Firestore answers only what has an index and forgets
 * only by a policy, so what deploys is compared with what the store asks.
 * The format: https://firebase.google.com/docs/reference/firestore/indexes. Each index ends with `__name__`, ascending
 * like the field before it, without saying so: https://firebase.google.com/docs/firestore/query-data/index-overview
 */

const indexFile = z.strictObject({
  indexes: z.array(
    z.strictObject({
      collectionGroup: z.string(),
      queryScope: z.literal('COLLECTION'),
      fields: z.array(z.strictObject({ fieldPath: z.string(), order: z.literal('ASCENDING') })),
    }),
  ),
  fieldOverrides: z.array(
    z.strictObject({
      collectionGroup: z.string(),
      fieldPath: z.string(),
      ttl: z.literal(true).optional(),
      indexes: z.array(z.strictObject({ queryScope: z.string(), order: z.string() })),
    }),
  ),
})

const deployFile = z.strictObject({
  firestore: z.array(z.strictObject({ database: z.string(), indexes: z.string() })),
})

function read(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../../../backend/store/${name}`, import.meta.url), 'utf8'),
  )
}

const main = indexFile.parse(read('firestore.indexes.json'))
const keys = indexFile.parse(read('firestore-keys.indexes.json'))
const fileOf = (collection: Collection) => (collection === 'keys' ? keys : main)

function overridesOf(collection: Collection) {
  return fileOf(collection).fieldOverrides.filter((one) => one.collectionGroup === collection)
}

function compositesOf(collection: Collection): readonly (readonly string[])[] {
  return fileOf(collection)
    .indexes.filter((one) => one.collectionGroup === collection)
    .map((one) => one.fields.map((field) => field.fieldPath))
}

/** Whether an index that deploys has exactly these paths, in this order. */
function isIndexed(collection: Collection, paths: readonly string[]): boolean {
  const [only, ...others] = paths
  if (others.length > 0) return compositesOf(collection).some((one) => one.join() === paths.join())
  return overridesOf(collection).some(
    (one) => one.fieldPath === only && one.indexes.some((index) => index.order === 'ASCENDING'),
  )
}

describe.each(collections)('the collection %s in the files that deploy', (collection) => {
  it('has an index for each way in which the store lists it, and no other', () => {
    const paths = indexes[collection].map((one) => one.map((field) => `fields.${field}`))
    const overridden = overridesOf(collection).filter((one) => one.fieldPath.includes('.'))
    expect(compositesOf(collection)).toEqual(paths.filter((one) => one.length > 1))
    expect(overridden.map((one) => [one.fieldPath])).toEqual(
      paths.filter((one) => one.length === 1),
    )
    expect(paths.filter((one) => !isIndexed(collection, one))).toEqual([])
  })

  it.each(['body', 'fields', 'written'])('indexes nothing else of %s', (fieldPath) => {
    const override = { collectionGroup: collection, fieldPath, indexes: [] }
    expect(overridesOf(collection)).toContainEqual(override)
  })

  it('forgets what is over by a policy, which needs no index', () => {
    const override = { fieldPath: 'expiresAt', ttl: true, indexes: [] }
    expect(overridesOf(collection)).toContainEqual({ collectionGroup: collection, ...override })
  })
})

describe('the files that deploy', () => {
  it('say nothing twice, and nothing of a collection that is not there', () => {
    const all = [...main.fieldOverrides, ...keys.fieldOverrides]
    const names = all.map((one) => `${one.collectionGroup}/${one.fieldPath}`)
    expect(names).toEqual([...new Set(names)])
    const groups = [...all, ...main.indexes, ...keys.indexes].map((one) => one.collectionGroup)
    expect(groups.filter((one) => !collections.some((known) => known === one))).toEqual([])
  })

  it('keep keys apart', () => {
    expect(main.fieldOverrides.filter((one) => one.collectionGroup === 'keys')).toEqual([])
    expect([...new Set(keys.fieldOverrides.map((one) => one.collectionGroup))]).toEqual(['keys'])
    expect(deployFile.parse(read('firebase.json')).firestore).toEqual([
      { database: 'waybill', indexes: 'firestore.indexes.json' },
      { database: 'waybill-keys', indexes: 'firestore-keys.indexes.json' },
    ])
  })
})

const path = z.object({ field: z.object({ fieldPath: z.string() }) })
const structuredQuery = z.object({
  structuredQuery: z.object({
    from: z.array(z.object({ collectionId: z.string() })).length(1),
    where: z.union([
      z.object({ fieldFilter: path }),
      z.object({
        compositeFilter: z.object({ filters: z.array(z.object({ fieldFilter: path })) }),
      }),
    ]),
    orderBy: z.array(path.extend({ direction: z.literal('ASCENDING') })),
  }),
})

describeWithFirestore('what the store asks of Firestore', (emulator) => {
  it('is answered by an index that deploys', async () => {
    const proxy = await startFirestoreProxy(emulator.host())
    const store = createFirestoreStore({
      firestore: emulator.open('asked', proxy.host),
      keysFirestore: emulator.open('asked-keys', proxy.host),
      clock: () => 0,
    })
    for (const collection of collections)
      for (const fields of indexes[collection])
        await store.list({
          collection,
          where: Object.fromEntries(fields.map((field) => [field, 'x'])),
          after: 'a',
          limit: 9,
        })
    store.close()
    await proxy.close()
    const asked = proxy.calls().flatMap(({ method, request }) => {
      if (method !== 'RunQuery') return []
      const { from, where, orderBy } = structuredQuery.parse(request).structuredQuery
      const filters = 'fieldFilter' in where ? [where] : where.compositeFilter.filters
      const filtered = filters.map((one) => one.fieldFilter.field.fieldPath)
      const sorted = orderBy.map((one) => one.field.fieldPath).filter((one) => one !== '__name__')
      const paths = [...new Set([...filtered, ...sorted])]
      return collections
        .filter((one) => one === from[0]?.collectionId)
        .map((collection) => ({ collection, paths, indexed: isIndexed(collection, paths) }))
    })
    expect(asked.filter((one) => !one.indexed)).toEqual([])
    expect(asked).toHaveLength(Object.values(indexes).flat().length)
  })
})
