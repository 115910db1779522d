import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

let top: string
let folder: string
let job: string
beforeEach(async () => {
  top = t.drive.folder('Top')
  folder = t.drive.folder('Folder', top)
  for (let n = 0; n < 3; n += 1) t.drive.file(`f${n}`, folder, `content ${n}`)
  t.drive.file('in deep', t.drive.folder('Deep', folder), 'deep')
  t.drive.file('g', top, 'g')
  job = await t.copy({ kind: 'folder', id: top })
})
const all = {
  '/Backup/Folder/Deep/in deep': 'deep',
  '/Backup/Folder/f0': 'content 0',
  '/Backup/Folder/f1': 'content 1',
  '/Backup/Folder/f2': 'content 2',
  '/Backup/g': 'g',
}

describe('what somebody does at the destination', () => {
  it('costs one call to know that it is nothing', async () => {
    const before = { ...t.dropbox.calls }
    await t.again(job)
    const made = Object.entries(t.dropbox.calls).flatMap(([name, calls]) =>
      calls === before[name] ? [] : [[name, calls - (before[name] ?? 0)]],
    )
    expect(made).toEqual([['changesSince', 1]])
  })

  it('a file that was deleted is carried again', async () => {
    t.dropbox.remove('/Backup/Folder/f1')
    await t.again(job)
    expect(t.dropbox.files()).toEqual(all)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 1, unchanged: 6 })
  })

  it('a folder that was deleted is made again, with all that was in it', async () => {
    t.dropbox.remove('/Backup/FOLDER')
    await t.again(job)
    expect(t.dropbox.files()).toEqual(all)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 6, unchanged: 1 })
  })

  it('a folder that was deleted and made again by somebody is filled again', async () => {
    t.dropbox.remove('/Backup/Folder')
    t.dropbox.mkdir('/Backup/Folder')
    await t.again(job)
    expect(t.dropbox.files()).toEqual(all)
  })

  it('a file that was deleted and written again by somebody is left to them', async () => {
    t.dropbox.remove('/Backup/g')
    t.dropbox.put('/Backup/g', 'theirs')
    await t.again(job)
    const files = t.dropbox.files()
    expect(files['/Backup/g']).toBe('theirs')
    expect(Object.values(files).filter((content) => content === 'g')).toHaveLength(1)
    expect(Object.keys(files)).toHaveLength(6)
  })

  it('the whole folder that was deleted is made again, with everything', async () => {
    t.dropbox.remove('/Backup')
    await t.again(job)
    expect(t.dropbox.files()).toEqual(all)
    expect((await t.again(job)).run.unchanged).toBe(7)
  })

  it('is found by looking at everything when the destination has lost its place', async () => {
    t.dropbox.remove('/Backup/Folder/Deep')
    t.dropbox.remove('/Backup/g')
    t.dropbox.forgetCursors()
    await t.again(job)
    expect(t.dropbox.files()).toEqual(all)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 3, unchanged: 4 })
    expect((await t.again(job)).run).toMatchObject({ unchanged: 7, totals: { copied: 0 } })
  })

  it('in the middle of a run is taken up by the next one', async () => {
    t.drive.file('new', top, 'new')
    t.dropbox.onAnswer((name) => {
      if (name === 'commit') t.dropbox.remove('/Backup/Folder')
    })
    await t.again(job)
    t.dropbox.onAnswer(() => undefined)
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ ...all, '/Backup/new': 'new' })
  })

  it('to the whole folder at the very end of a run is taken up by the next one', async () => {
    t.drive.file('new', top, 'new')
    let looks = 0
    t.dropbox.onCall((name) => {
      if (name === 'changesSince' && (looks += 1) === 2) t.dropbox.remove('/Backup')
    })
    await t.again(job)
    t.dropbox.onCall(() => undefined)
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ ...all, '/Backup/new': 'new' })
  })

  it('does not hide behind our own moves', async () => {
    t.drive.change(folder, { name: 'Moved' })
    await t.again(job)
    t.dropbox.remove('/Backup/Moved/f2')
    await t.again(job)
    expect(Object.keys(t.dropbox.files())).toContain('/Backup/Moved/f2')
    expect((await t.receipt(job)).lines).toHaveLength(1)
  })

  it('is found although the worker that looked was killed in the middle', async () => {
    for (const at of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
      t.dropbox.remove('/Backup/Folder')
      await t.jobs.again(t.user, job)
      let stores = 0
      await t.deliver((_step, when, name) => {
        if (when === 'after' && name === 'store.transact') stores += 1
        return stores >= at
      })
      expect((await t.finish(job)).run.state).toBe('done')
      expect(t.dropbox.files()).toEqual(all)
    }
  })
})
