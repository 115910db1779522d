import { describe, expect, it } from '@jest/globals'
import { WaybillError } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'

/** What a listing finds, too much for one transaction. */
const listings = [
  { what: 'a page of long names', count: 800, length: 245, single: false },
  { what: 'folders listed one by one', count: 1_990, length: 20, single: true },
] as const

describe.each(listings)('a scan of $what, killed between the transactions that keep it', (list) => {
  it.each([1, 2, 3, 4, 5])('loses nothing (after transaction %s)', async (number) => {
    const t = await startEngine({ drive: { pageSize: 1_000, foldersPerListing: 50 } })
    try {
      const top = t.drive.folder('Top')
      for (let n = 0; n < list.count; n += 1)
        t.drive.file(String(n).padEnd(list.length, 'x'), top, `content ${n}`)
      let isTold = !list.single
      t.drive.onCall((name) => {
        if (name !== 'list' || isTold) return
        isTold = true
        throw new WaybillError('gone', 'One of the folders is gone.')
      })
      const job = await t.start({ kind: 'folder', id: top })
      let seen = 0
      await t.deliver((_step, when, name) => {
        if (name === 'store.transact' && when === 'after') seen += 1
        return seen >= number
      })
      expect((await t.finish(job)).run).toMatchObject({ state: 'done' })
      const { summary } = await t.receipt(job)
      expect(summary).toMatchObject({ lines: list.count, copied: list.count })
      expect(Object.keys(t.dropbox.files())).toHaveLength(list.count)
    } finally {
      t.close()
    }
  })
})
