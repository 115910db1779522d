import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

onBothPlatforms('hard cases', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => {
    await t.close()
  })

  it('keeps same-name siblings, case and NFC/NFD twins, and names that Dropbox refuses', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Hard')
    const names = [
      'same.txt',
      'same.txt',
      'Case.txt',
      'case.txt',
      'caf\u00e9.txt',
      'cafe\u0301.txt',
      'a/b.txt',
      'back\\slash',
      'desktop.ini',
      'trailing ',
      'dot.',
      `${'x'.repeat(264)}.txt`,
    ]
    const contents = names.map((_name, index) => `content ${index}`)
    for (const [index, name] of names.entries()) drive.addFile(folder, name, contents[index] ?? '')
    const both = drive.addFolder('both', folder)
    drive.addFile(both, 'inside', 'inside')
    drive.addFile(folder, 'both', 'file')
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(Object.keys(await t.copied())).toHaveLength(names.length + 2)
    const { summary } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: names.length + 3, failed: 0, skipped: 0 })
  })

  it('exports documents, and says of everything else why it was not carried', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Docs')
    drive.addDocument(folder, 'Letter', 20_000)
    drive.addDocument(folder, 'Numbers', 12 * 1024 * 1024, 'spreadsheet')
    drive.addDocument(folder, 'Talk', 9_000, 'presentation')
    drive.addDocument(folder, 'Sketch', 900, 'drawing')
    drive.addDocument(folder, 'Poll', 900, 'form')
    const file = drive.addFile(folder, 'target.txt', 'x')
    drive.addShortcut(folder, 'to target', file)
    drive.addShortcut(folder, 'to nowhere', 'gone-for-ever')
    drive.addShortcut(folder, 'to itself', folder)
    drive.setCanDownload(drive.addFile(folder, 'locked.pdf', 'secret'), false)
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(Object.keys(await t.copied()).toSorted()).toEqual([
      'Backup/Letter.docx',
      'Backup/Numbers.xlsx',
      'Backup/Sketch.svg',
      'Backup/Talk.pptx',
      'Backup/target.txt',
    ])
    const { lines, summary } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 5, skipped: 5, failed: 0 })
    const reasons = Object.fromEntries(
      lines
        .filter((line) => line.reason !== null)
        .map((line) => [line.source.path.at(-1), line.reason]),
    )
    expect(reasons).toEqual({
      Poll: 'not_exportable',
      'to target': 'shortcut',
      'to nowhere': 'dangling_shortcut',
      'to itself': 'shortcut',
      'locked.pdf': 'download_forbidden',
    })
  })

  it('never replaces what is not its own, and keeps both', async () => {
    const { drive, dropbox } = t.clouds
    await dropbox.put('/Backup/mine.txt', 'theirs')
    await dropbox.put('/Backup/Folder', 'a file where a folder is to go')
    const folder = drive.addFolder('Src')
    drive.addFile(folder, 'mine.txt', 'ours')
    drive.addFile(drive.addFolder('Folder', folder), 'in.txt', 'in')
    const job = await t.copy({ kind: 'folder', id: folder })
    const files = await t.copied()
    expect(Object.keys(files)).toHaveLength(4)
    const { summary } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 3, failed: 0 })
  })

  it('reads a file again that changes while it is read', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Src')
    const small = drive.addFile(folder, 'small', 'old content')
    const large = drive.addFile(folder, 'large', Buffer.alloc(20 * 1024 * 1024, 1))
    drive.changeWhileRead(small, 'new content!!')
    drive.changeWhileRead(large, Buffer.alloc(20 * 1024 * 1024, 2))
    const job = await t.copy({ kind: 'folder', id: folder })
    const { summary, lines } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 2, failed: 0 })
    expect(lines.every((line) => line.proof === 'both-checksums')).toBe(true)
    await t.again(job.id)
    const source = Object.values(await drive.dump())
    const hashes = source.flatMap((entry) => (entry.kind === 'file' ? [entry.sha256] : []))
    expect(new Set(Object.values(await t.copied()))).toEqual(new Set(hashes))
  })

  it('copies the whole drive with what is shared and what lies in no folder under roots of their own', async () => {
    const { drive } = t.clouds
    drive.addFile('root', 'top.txt', '1')
    drive.addFile(drive.addFolder('F'), 'f.txt', '2')
    const team = drive.addSharedDrive('Team')
    drive.addFile(team, 'team.txt', '3')
    drive.add({ name: 'shared.txt', parent: null, content: '4', ownedByMe: false })
    drive.add({ name: 'orphan.txt', parent: null, content: '5' })
    await t.copy({ kind: 'drive', sharedDrives: true })
    expect(Object.keys(await t.copied()).toSorted()).toEqual([
      'Backup/My Drive/F/f.txt',
      'Backup/My Drive/top.txt',
      'Backup/Not in a folder/orphan.txt',
      'Backup/Shared drives/Team/team.txt',
      'Backup/Shared with me/shared.txt',
    ])
  })

  it('copies picked items by their names', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Deep', drive.addFolder('A'))
    drive.addFile(folder, 'in.txt', 'in')
    const file = drive.addFile('root', 'single.txt', 's')
    const job = await t.copy({ kind: 'items', ids: [folder, file, 'not-there'] })
    expect(Object.keys(await t.copied()).toSorted()).toEqual([
      'Backup/Deep/in.txt',
      'Backup/single.txt',
    ])
    const { summary, lines } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 3, skipped: 1 })
    expect(lines.find((line) => line.outcome === 'skipped')?.reason).toBe('gone')
  })
})
