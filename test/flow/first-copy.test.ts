import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

onBothPlatforms('a first copy', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => {
    await t.close()
  })

  it('carries a folder with everything in it, and its receipt proves each file', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Work')
    drive.addFile(folder, 'a.txt', 'hello')
    const inner = drive.addFolder('Inner', folder)
    drive.addFile(inner, 'b.bin', Buffer.alloc(3 * 1024 * 1024, 7))
    drive.addFile(inner, 'empty', '')
    drive.addFolder('Nothing in it', folder)
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(Object.keys(await t.copied()).toSorted()).toEqual([
      'Backup/Inner/b.bin',
      'Backup/Inner/empty',
      'Backup/a.txt',
    ])
    const { lines, summary } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 5, failed: 0, skipped: 0, unchanged: 0 })
    expect(
      lines
        .filter((line) => line.source.kind === 'file')
        .every((line) => line.proof === 'both-checksums'),
    ).toBe(true)
  })
})
