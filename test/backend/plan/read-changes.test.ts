import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

const names = (): readonly string[] =>
  Object.keys(t.dropbox.files()).map((path) => path.slice('/Backup/'.length))

async function outcomes(job: string): Promise<Record<string, string>> {
  const { lines } = await t.receipt(job)
  return Object.fromEntries(
    lines.map(({ source, outcome, reason }) => [source.path.at(-1), reason ?? outcome]),
  )
}

let top: string
beforeEach(() => {
  top = t.drive.folder('Top')
})

describe('changes since the last run', () => {
  it('bring a folder that came in, with all below it, whatever order they come in', async () => {
    const outer = t.drive.folder('Outer')
    const inner = t.drive.folder('Inner', outer)
    t.drive.file('deep', inner, 'deep')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.file('deeper', t.drive.folder('Newest', inner), 'deeper')
    t.drive.change(inner, { name: 'Inner too' })
    t.drive.change(outer, { parentId: top })
    await t.again(job)
    expect(names()).toEqual(['Outer/Inner too/Newest/deeper', 'Outer/Inner too/deep'])
  })

  it('do not lose what happened in a folder while it was out, when it comes back', async () => {
    const away = t.drive.folder('Away', top)
    const sub = t.drive.folder('Sub', away)
    const known = t.drive.file('known', sub, 'before')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(away, { parentId: 'root' })
    await t.again(job)
    expect(await outcomes(job)).toEqual({ Away: 'left_selection' })
    t.drive.file('new', sub, 'new')
    t.drive.change(known, {}, 'after')
    await t.again(job)
    t.drive.change(away, { parentId: top })
    await t.again(job)
    expect(t.dropbox.files()).toEqual({
      '/Backup/Away/Sub/known': 'after',
      '/Backup/Away/Sub/new': 'new',
    })
  })

  it('follow an item out and back again within one run', async () => {
    const file = t.drive.file('file', t.drive.folder('In', top), 'x')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(file, { parentId: 'root' })
    t.drive.change(file, { parentId: top })
    await t.again(job)
    expect(names()).toEqual(['file'])
    expect(await outcomes(job)).toEqual({ file: 'moved' })
  })

  it('follow a folder that is trashed and then restored, with what came into it meanwhile', async () => {
    const folder = t.drive.folder('Folder', top)
    t.drive.file('one', folder, '1')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(folder, { trashed: true })
    await t.again(job)
    expect(await outcomes(job)).toEqual({ Folder: 'left_selection' })
    t.drive.file('two', folder, '2')
    await t.again(job)
    t.drive.change(folder, { trashed: false })
    await t.again(job)
    expect(names()).toEqual(['Folder/one', 'Folder/two'])
  })

  it('carry a file that came back, although somebody deleted its copy in between', async () => {
    const file = t.drive.file('file', top, 'x')
    const folder = t.drive.folder('Folder', top)
    t.drive.file('inner', folder, 'y')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(file, { trashed: true })
    t.drive.change(folder, { trashed: true })
    await t.again(job)
    t.dropbox.remove('/Backup/file')
    t.dropbox.remove('/Backup/Folder')
    await t.again(job)
    expect(names()).toEqual([])
    t.drive.change(file, { trashed: false })
    t.drive.change(folder, { trashed: false })
    await t.again(job)
    expect(names()).toEqual(['Folder/inner', 'file'])
  })

  it('turn folders inside out: one that is moved below its own former child', async () => {
    const a = t.drive.folder('A', top)
    const b = t.drive.folder('B', a)
    t.drive.file('in a', a, 'a')
    t.drive.file('in b', b, 'b')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(b, { parentId: top })
    t.drive.change(a, { parentId: b })
    await t.again(job)
    expect(names()).toEqual(['B/A/in a', 'B/in b'])
    expect(await outcomes(job)).toEqual({ A: 'moved', B: 'moved' })
  })

  it('that come from before the source’s memory: all is listed and compared once more', async () => {
    const folder = t.drive.folder('Folder', top)
    const inner = t.drive.folder('Inner', folder)
    t.drive.file('same', inner, 'same')
    const changed = t.drive.file('changed', folder, 'before')
    const picked = t.drive.folder('Picked')
    const jobs = [
      await t.copy({ kind: 'folder', id: top }),
      await t.copy({ kind: 'items', ids: [picked, changed] }),
    ]
    t.drive.change(changed, {}, 'after')
    t.drive.file('new', inner, 'new')
    t.drive.file('in picked', picked, 'p')
    t.drive.forgetCursors()
    for (const job of jobs) {
      await t.again(job)
      expect((await t.receipt(job)).summary).toMatchObject({ copied: 2, failed: 0, skipped: 0 })
    }
    t.drive.file('newer', inner, 'newer')
    for (const job of jobs) await t.again(job)
    expect(names().toSorted()).toEqual(
      ['Folder/changed', 'Folder/Inner/new', 'Folder/Inner/newer', 'Folder/Inner/same']
        .concat(['Picked/in picked', 'changed'])
        .toSorted(),
    )
  })
})

describe('a whole drive', () => {
  it('has folders of our own only where something lies in them', async () => {
    t.drive.file('plain', 'root', '1')
    await t.copy({ kind: 'drive', sharedDrives: true })
    expect(t.dropbox.folders().toSorted()).toEqual([
      '/Backup',
      '/Backup/My Drive',
      '/Backup/My Drive/Top',
    ])
  })

  it('goes on with the other drives when one of them is not there any more', async () => {
    t.drive.addDrive({ id: 'team', name: 'Team', rootId: 'team' })
    t.drive.addDrive({ id: 'club', name: 'Club', rootId: 'club' })
    t.drive.file('of team', 'team', '1', { corpus: 'team' })
    t.drive.file('of club', 'club', '2', { corpus: 'club' })
    const job = await t.copy({ kind: 'drive', sharedDrives: true })
    t.drive.removeDrive('team')
    t.drive.file('more of club', 'club', '3', { corpus: 'club' })
    await t.again(job)
    await t.again(job)
    expect(names()).toEqual([
      'Shared drives/Club/more of club',
      'Shared drives/Club/of club',
      'Shared drives/Team/of team',
    ])
  })

  it('follows an item from one drive into another', async () => {
    t.drive.addDrive({ id: 'team', name: 'Team', rootId: 'team' })
    const file = t.drive.file('file', 'root', '1')
    t.drive.file('other', 'root', '2')
    const job = await t.copy({ kind: 'drive', sharedDrives: true })
    t.drive.change(file, { parentId: 'team', corpus: 'team' })
    await t.again(job)
    expect(names()).toEqual(['My Drive/other', 'Shared drives/Team/file'])
    expect(await outcomes(job)).toEqual({ file: 'moved' })
  })

  it('moves what lay in no visible folder once its folder is there', async () => {
    const hidden = t.drive.file('file', 'elsewhere', '1', { ownedByMe: false, corpus: 'my-drive' })
    const job = await t.copy({ kind: 'drive', sharedDrives: false })
    expect(names()).toEqual(['Shared with me/file'])
    const folder = t.drive.folder('Shared', null, { ownedByMe: false })
    t.drive.change(hidden, { parentId: folder })
    await t.again(job)
    expect(names()).toEqual(['Shared with me/Shared/file'])
  })
})

describe('how many are unchanged', () => {
  it('is right over many runs in which items come, change, leave and come back', async () => {
    const ids = ['a', 'b', 'c', 'd'].map((name) => t.drive.file(name, top, name))
    const [a = '', b = '', c = ''] = ids
    const job = await t.copy({ kind: 'folder', id: top })
    const unchanged = async (): Promise<number> => (await t.again(job)).run.unchanged
    expect(await unchanged()).toBe(4)
    t.drive.change(a, { trashed: true })
    t.drive.change(b, {}, 'b2')
    t.drive.file('e', top, 'e')
    expect(await unchanged()).toBe(2)
    expect(await unchanged()).toBe(4)
    // What left may change outside: that is of no interest, and counts nowhere.
    t.drive.change(a, { name: 'a2' })
    t.drive.change(c, { parentId: 'root' })
    expect(await unchanged()).toBe(3)
    t.drive.change(c, { name: 'c2' })
    expect(await unchanged()).toBe(3)
    expect((await t.receipt(job)).lines).toEqual([])
    // Back in its place, as it was.
    t.drive.change(c, { name: 'c', parentId: top })
    expect(await unchanged()).toBe(4)
    expect((await t.receipt(job)).lines).toEqual([])
    // Back with other content.
    t.drive.change(a, { name: 'a', trashed: false }, 'a3')
    expect(await unchanged()).toBe(4)
    expect(await outcomes(job)).toEqual({ a: 'copied' })
    expect(await unchanged()).toBe(5)
    expect((await t.job(job)).memory.known).toBe(5)
  })
})
