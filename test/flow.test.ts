import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startUnderTest } from './waybill-under-test.ts'
import type { UnderTest } from './waybill-under-test.ts'

let t: UnderTest
beforeEach(async () => {
  t = await startUnderTest()
})
afterEach(async () => {
  await t.close()
})

/** Path → checksum of what lies in the Dropbox. */
async function copied(): Promise<Record<string, string | null>> {
  const dump = await t.clouds.dropbox.dump()
  const files = Object.entries(dump).filter(([, entry]) => entry.kind === 'file')
  return Object.fromEntries(files.map(([path, entry]) => [path, entry.sha256]))
}

describe('a first copy', () => {
  it('carries a folder with everything in it, and its receipt proves each file', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Work')
    drive.addFile(folder, 'a.txt', 'hello')
    const inner = drive.addFolder('Inner', folder)
    drive.addFile(inner, 'b.bin', Buffer.alloc(3 * 1024 * 1024, 7))
    drive.addFile(inner, 'empty', '')
    drive.addFolder('Nothing in it', folder)
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(Object.keys(await copied()).toSorted()).toEqual([
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

describe('hard cases', () => {
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
    expect(Object.keys(await copied())).toHaveLength(names.length + 2)
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
    expect(Object.keys(await copied()).toSorted()).toEqual([
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
    const files = await copied()
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
    expect(Object.values(await copied()).toSorted()).toEqual(
      source.flatMap((entry) => (entry.kind === 'file' ? [entry.sha256] : [])).toSorted(),
    )
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
    expect(Object.keys(await copied()).toSorted()).toEqual([
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
    expect(Object.keys(await copied()).toSorted()).toEqual([
      'Backup/Deep/in.txt',
      'Backup/single.txt',
    ])
    const { summary, lines } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 3, skipped: 1 })
    expect(lines.find((line) => line.outcome === 'skipped')?.reason).toBe('gone')
  })
})

describe('the same job again', () => {
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
    const files = Object.keys(await copied()).toSorted()
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
    await dropbox.remove('/Backup/Inner')
    await dropbox.remove('/Backup/Two')
    await t.again(job.id)
    expect(Object.keys(await copied()).toSorted()).toEqual(['Backup/Inner/one', 'Backup/Two'])
    await dropbox.remove('/Backup')
    await t.again(job.id)
    expect(Object.keys(await copied()).toSorted()).toEqual(['Backup/Inner/one', 'Backup/Two'])
  })
})

describe('what a person has to mend', () => {
  it('waits when the destination is full, and goes on when there is room', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 10; n += 1) drive.addFile(folder, `f${n}`, Buffer.alloc(1000, n))
    dropbox.setSpace(4500)
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const waiting = await t.settled(id)
    expect(waiting.run).toMatchObject({
      state: 'paused',
      reason: 'destination_full',
      resumesAt: null,
    })
    dropbox.setSpace(1e9)
    await t.waybill.jobs.resume(t.user, id)
    const end = await t.settled(id)
    expect(end.run).toMatchObject({ state: 'done', totals: { copied: 10, failed: 0 } })
    expect(Object.keys(await copied())).toHaveLength(10)
  })

  it('says that a folder is not there', async () => {
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: 'nowhere' }))
    const end = await t.settled(id)
    expect(end.run).toMatchObject({ state: 'failed', reason: 'source_missing' })
  })

  it('waits when an account has to be connected again, and goes on once it is', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    drive.addFile(folder, 'f', 'x')
    dropbox.tokens.revoke(dropbox.account.refreshToken)
    dropbox.tokens.expireAccessTokens()
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const waiting = await t.settled(id)
    expect(waiting.run).toMatchObject({ state: 'paused', reason: 'connection_expired' })
    const [, connection] = await t.waybill.connections.list(t.user)
    expect(connection?.state).toBe('expired')
  })

  it('gets a new access token when one expires in the middle of a run', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 50; n += 1) drive.addFile(folder, `f${n}`, `${n}`)
    drive.faults.plan({ route: 'drive.files.download', nth: 20, fault: 'goauth.expired' })
    dropbox.tokens.expireAccessTokens()
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(job.run.totals).toMatchObject({ copied: 50, failed: 0 })
  })
})

describe('a run in many slices', () => {
  it('hands over again and again, and carries everything once', async () => {
    await t.close()
    t = await startUnderTest({ sliceMs: 40 })
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let d = 0; d < 4; d += 1) {
      const inner = drive.addFolder(`d${d}`, folder)
      for (let n = 0; n < 50; n += 1) drive.addFile(inner, `f${n}`, `content ${d} ${n}`)
    }
    drive.addFile(folder, 'large', Buffer.alloc(50 * 1024 * 1024, 5))
    const before = dropbox.calls.snapshot()
    const job = await t.copy({ kind: 'folder', id: folder })
    expect(t.logged.filter((line) => line.includes('slice_more')).length).toBeGreaterThan(3)
    const { summary, lines } = await t.receipt(job.id)
    expect(summary).toMatchObject({ copied: 205, failed: 0, skipped: 0 })
    expect(new Set(lines.map((line) => line.source.id)).size).toBe(205)
    expect(Object.keys(await copied())).toHaveLength(201)
    const sent = dropbox.calls.since(before).byRoute
    const large =
      (sent['dropbox.files/upload_session/start']?.bytesIn ?? 0) +
      (sent['dropbox.files/upload_session/append_v2']?.bytesIn ?? 0)
    expect(large).toBe(50 * 1024 * 1024)
  })

  it('pauses when asked, goes on when asked, and ends when cancelled', async () => {
    const { drive } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 300; n += 1) drive.addFile(folder, `f${n}`, `content ${n}`)
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    await t.waybill.jobs.pause(t.user, id)
    expect((await t.waybill.jobs.get(t.user, id)).run.state).toBe('paused')
    await t.waybill.jobs.resume(t.user, id)
    expect((await t.settled(id)).run).toMatchObject({ state: 'done', totals: { copied: 300 } })
    await t.waybill.jobs.again(t.user, id)
    await t.waybill.jobs.cancel(t.user, id)
    expect((await t.waybill.jobs.get(t.user, id)).run.state).toBe('cancelled')
    await expect(t.waybill.jobs.resume(t.user, id)).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(t.waybill.jobs.get('somebody-else', id)).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})

describe('what is kept', () => {
  it('holds no name, address, token or source id in the clear', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Secret plans')
    const file = drive.addFile(folder, 'canary-name.txt', 'canary-content')
    await t.copy({ kind: 'folder', id: folder }, '/Canary folder')
    const { readFileSync, readdirSync } = await import('node:fs')
    const { dirname, join } = await import('node:path')
    const at = dirname(t.settings.store)
    const kept = Buffer.concat(readdirSync(at).map((name) => readFileSync(join(at, name))))
    const secrets = [
      'canary-name',
      'Secret plans',
      'Canary folder',
      'canary-content',
      file,
      folder,
      drive.account.email,
      drive.account.refreshToken,
      drive.account.accessToken,
      dropbox.account.refreshToken,
      dropbox.account.accessToken,
    ]
    for (const secret of secrets) {
      expect(kept.includes(secret)).toBe(false)
      expect(t.logged.some((line) => line.includes(secret))).toBe(false)
    }
  })
})
