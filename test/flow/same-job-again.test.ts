import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

onBothPlatforms('the same job again', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => {
    await t.close()
  })

  it('finds nothing to do with two calls', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 20; n += 1) drive.addFile(folder, `f${n}`, `content ${n}`)
    const job = await t.copy({ kind: 'folder', id: folder })
    const before = [drive.calls.snapshot().calls, dropbox.calls.snapshot().calls]
    const again = await t.again(job.id)
    expect([
      drive.calls.snapshot().calls - (before[0] ?? 0),
      dropbox.calls.snapshot().calls - (before[1] ?? 0),
    ]).toEqual([1, 1])
    expect(again.run).toMatchObject({ unchanged: 20, totals: { copied: 0 } })
    const { summary } = await t.receipt(job.id)
    expect(summary.since?.run).toBe(1)
  })

  it('follows renames, moves, new content, new and trashed items, and folders that come in and leave', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Src')
    const a = drive.addFolder('A', folder)
    const b = drive.addFolder('B', folder)
    for (let n = 0; n < 5; n += 1) drive.addFile(a, `a${n}`, `a ${n}`)
    const moved = drive.addFile(a, 'moved', 'moved')
    const changed = drive.addFile(b, 'changed', 'before')
    const trashed = drive.addFile(b, 'trashed', 'stays at the destination')
    const outside = drive.addFolder('Outside')
    drive.addFile(outside, 'came-in', 'came in')
    const leaving = drive.addFolder('Leaving', folder)
    drive.addFile(leaving, 'left', 'left')
    const job = await t.copy({ kind: 'folder', id: folder })
    drive.update(a, { name: 'A renamed' })
    drive.update(moved, { parent: b })
    drive.update(changed, { content: 'after' })
    drive.update(trashed, { trashed: true })
    drive.update(outside, { parent: folder })
    drive.update(leaving, { parent: drive.root() })
    drive.addFile(b, 'new', 'new')
    const before = drive.calls.snapshot()
    const again = await t.again(job.id)
    expect(drive.calls.since(before).byRoute['drive.files.download']?.calls ?? 0).toBe(3)
    const files = Object.keys(await t.copied()).toSorted()
    expect(files).toEqual(
      [
        'A renamed/a0',
        'A renamed/a1',
        'A renamed/a2',
        'A renamed/a3',
        'A renamed/a4',
        'B/changed',
        'B/moved',
        'B/new',
        'B/trashed',
        'Leaving/left',
        'Outside/came-in',
      ].map((path) => `Backup/${path}`),
    )
    const { lines } = await t.receipt(job.id)
    expect(
      Object.fromEntries(
        lines.map((line) => [line.source.path.at(-1), line.reason ?? line.outcome]),
      ),
    ).toEqual({
      'A renamed': 'renamed',
      moved: 'moved',
      changed: 'copied',
      trashed: 'left_selection',
      Outside: 'copied',
      'came-in': 'copied',
      Leaving: 'left_selection',
      new: 'copied',
    })
    expect(again.run.unchanged).toBe(5 + 1 + 1)
  })

  it('carries again what somebody deleted at the destination', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    const inner = drive.addFolder('Inner', folder)
    drive.addFile(inner, 'one', '1')
    drive.addFile(folder, 'Two', '2')
    const job = await t.copy({ kind: 'folder', id: folder })
    dropbox.remove('/Backup/Inner')
    dropbox.remove('/Backup/Two')
    await t.again(job.id)
    expect(Object.keys(await t.copied()).toSorted()).toEqual(['Backup/Inner/one', 'Backup/Two'])
    dropbox.remove('/Backup')
    await t.again(job.id)
    expect(Object.keys(await t.copied()).toSorted()).toEqual(['Backup/Inner/one', 'Backup/Two'])
  })

  it('gives a name that has become free to the next who is called so', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Src')
    const files = Array.from({ length: 6 }, (_, n) =>
      drive.addFile(folder, `report ${n}`, `old ${n}`),
    )
    const job = await t.copy({ kind: 'folder', id: folder })
    for (const [n, file] of files.entries()) {
      drive.update(file, { name: `report ${n}, last year` })
      drive.addFile(folder, `report ${n}`, `new ${n}`)
    }
    await t.again(job.id)
    const names = files.flatMap((_, n) => [`Backup/report ${n}`, `Backup/report ${n}, last year`])
    expect(Object.keys(await t.copied()).toSorted()).toEqual(names.toSorted())
  })
})
