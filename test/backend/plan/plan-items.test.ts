import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

let top: string
beforeEach(() => {
  top = t.drive.folder('Top')
})

describe('names at the destination', () => {
  it('are the same for twins in every run, whatever order they come in', async () => {
    for (const name of ['x.txt', 'X.TXT', 'x.txt'])
      t.drive.file(name, top, `${name} ${Math.random()}`)
    const job = await t.copy({ kind: 'folder', id: top })
    const before = t.dropbox.files()
    expect(Object.keys(before)).toHaveLength(3)
    await t.again(job)
    t.drive.file('x.txt', top, 'one more')
    for (const id of ['file-2', 'file-3', 'file-4'])
      t.drive.change(id, { modifiedAt: new Date(5).toISOString() })
    await t.again(job)
    expect(t.dropbox.files()).toMatchObject(before)
    expect(Object.keys(t.dropbox.files())).toHaveLength(4)
  })

  it('stay as they are when the other of two twins is renamed', async () => {
    const [a = '', b = ''] = ['one', 'two'].map((content) => t.drive.file('x', top, content))
    const job = await t.copy({ kind: 'folder', id: top })
    const plain = (await t.row(job, a))?.twin === false ? a : b
    const twin = plain === a ? b : a
    const suffixed = (await t.row(job, twin))?.placed?.name ?? ''
    t.drive.change(plain, { name: 'y' })
    await t.again(job)
    expect(Object.keys(t.dropbox.files()).toSorted()).toEqual(
      [`/Backup/${suffixed}`, '/Backup/y'].toSorted(),
    )
    // The plain name is free, and goes to whoever comes next.
    t.drive.file('x', top, 'three')
    await t.again(job)
    expect(t.dropbox.files()['/Backup/x']).toBe('three')
  })

  it('lose nothing when two items swap theirs', async () => {
    const a = t.drive.file('a', top, 'content a')
    const b = t.drive.file('b', top, 'content b')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(a, { name: 'b' })
    t.drive.change(b, { name: 'a' })
    await t.again(job)
    expect(Object.values(t.dropbox.files()).toSorted()).toEqual(['content a', 'content b'])
    expect((await t.receipt(job)).summary).toMatchObject({ renamed: 2, failed: 0 })
    await t.again(job)
    expect((await t.receipt(job)).lines).toEqual([])
  })

  it('follow a folder into which others move in the same run', async () => {
    const old = t.drive.folder('Old', top)
    const file = t.drive.file('file', old, '1')
    const job = await t.copy({ kind: 'folder', id: top })
    const fresh = t.drive.folder('Fresh', top)
    t.drive.change(old, { parentId: fresh, name: 'Inside' })
    t.drive.change(file, { parentId: fresh })
    await t.again(job)
    expect(Object.keys(t.dropbox.files())).toEqual(['/Backup/Fresh/file'])
    expect(t.dropbox.folders()).toContain('/Backup/Fresh/Inside')
  })

  it('go to a folder and a file of the same name, and to what somebody else has put there', async () => {
    t.dropbox.put('/Backup/both', 'theirs')
    t.drive.file('in', t.drive.folder('both', top), 'in')
    t.drive.file('both', top, 'file')
    const job = await t.copy({ kind: 'folder', id: top })
    expect(t.dropbox.files()['/Backup/both']).toBe('theirs')
    expect(Object.values(t.dropbox.files()).toSorted()).toEqual(['file', 'in', 'theirs'])
    await t.again(job)
    expect((await t.receipt(job)).lines).toEqual([])
  })

  it('are kept by what left the selection: its copy still lies there', async () => {
    const old = t.drive.file('x', top, 'old')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(old, { trashed: true })
    t.drive.file('x', top, 'new')
    await t.again(job)
    expect(t.dropbox.files()['/Backup/x']).toBe('old')
    expect(Object.values(t.dropbox.files()).toSorted()).toEqual(['new', 'old'])
  })
})

describe('what cannot be carried', () => {
  it('is said once, and once more only when it changes', async () => {
    const locked = t.drive.file('locked', top, 'x', { canDownload: false })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).lines).toMatchObject([{ reason: 'download_forbidden' }])
    expect((await t.again(job)).run.unchanged).toBe(1)
    expect((await t.receipt(job)).lines).toEqual([])
    t.drive.change(locked, { canDownload: true })
    await t.again(job)
    expect((await t.receipt(job)).lines).toMatchObject([{ outcome: 'copied' }])
  })

  it('is named for each: too large, a form, shortcuts to somewhere and to nowhere', async () => {
    t.drive.file('huge', top, 'x', { size: 2 ** 41 })
    t.drive.document('form', top, {})
    const target = t.drive.file('target', top, 'x')
    t.drive.file('link', top, '', { kind: 'shortcut', targetId: target })
    t.drive.file('dead link', top, '', { kind: 'shortcut', targetId: 'nothing' })
    t.drive.file('no link', top, '', { kind: 'shortcut', targetId: null })
    const job = await t.copy({ kind: 'folder', id: top })
    const { lines } = await t.receipt(job)
    expect(Object.fromEntries(lines.map(({ source, reason }) => [source.path[0], reason]))).toEqual(
      {
        huge: 'too_large',
        form: 'not_exportable',
        target: null,
        link: 'shortcut',
        'dead link': 'dangling_shortcut',
        'no link': 'dangling_shortcut',
      },
    )
  })

  it('does not stop the run: an item that was picked and is gone', async () => {
    const file = t.drive.file('file', 'root', 'x')
    const job = await t.copy({ kind: 'items', ids: [file, 'gone-id'] })
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 1, skipped: 1 })
    t.drive.change(file, { name: 'renamed' })
    expect((await t.again(job)).run).toMatchObject({ unchanged: 0, totals: { renamed: 1 } })
    t.drive.change(file, { trashed: true })
    await t.again(job)
    expect((await t.receipt(job)).lines).toMatchObject([{ reason: 'left_selection' }])
    expect(Object.keys(t.dropbox.files())).toEqual(['/Backup/renamed'])
  })
})
