import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createManifestPages } from '../../../backend/records/manifest-pages.ts'
import type { Page } from '../../../backend/records/manifest-pages.ts'
import { newRow } from '../../../backend/records/row.ts'
import { topRow } from '../../../backend/plan/roots.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

let records: KeptRecords
beforeEach(() => {
  records = keepRecords()
})
afterEach(() => records.close())

const { item } = topRow({ kind: 'drive', sharedDrives: false })
const pageOf = (ids: readonly string[]): Page => ({
  number: 1,
  todo: 'copy',
  rows: ids.map((id) => newRow({ ...item, id }, null, 'copy')),
})

it('a page that is written while it is read is remembered as it was written', async () => {
  const { store, owners } = records
  const writer = createManifestPages(store, owners, 'ann', 'job')
  const write = async (page: Page): Promise<void> => {
    const sealed = await writer.sealed(page, () => 2)
    await store.transact(async (transaction) => {
      for (const { document } of sealed) transaction.put('manifest', document)
    })
  }
  await write(pageOf(['a', 'b']))
  let answer = (): void => undefined
  let begin = (): void => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const slow = {
    ...store,
    get: async (...args: Parameters<typeof store.get>) => {
      const found = await store.get(...args)
      begin()
      await new Promise<void>((resolve) => (answer = resolve))
      return found
    },
  }
  const pages = createManifestPages(slow, owners, 'ann', 'job')
  const reading = pages.read(1)
  await begun
  await write(pageOf(['b']))
  pages.learn(pageOf(['b']))
  answer()
  await reading
  expect((await pages.read(1)).map((row) => row.item.id)).toEqual(['b'])
})
