import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { WaybillError } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let top: string
beforeEach(async () => {
  t = await startEngine()
  top = t.drive.folder('Top')
})
afterEach(() => t.close())

/** Dies after the nth commit has landed, before anything of it is recorded. */
function afterCommit(nth = 1) {
  let seen = 0
  return (_step: number, when: 'before' | 'after', name: string): boolean => {
    if (name === 'destination.commit' && when === 'after') seen += 1
    return seen >= nth
  }
}
const contents = (): readonly string[] => Object.values(t.dropbox.files()).toSorted()

describe('a commit that landed and was not recorded', () => {
  it('is found, and nothing of it is sent again', async () => {
    for (const name of ['a', 'b', 'c']) t.drive.file(name, top, `content ${name}`)
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(afterCommit())
    const before = t.dropbox.received['stage']
    expect((await t.finish(job)).run.totals).toMatchObject({ copied: 3 })
    expect(t.dropbox.received['stage']).toBe(before)
    const { lines } = await t.receipt(job)
    expect(lines.map(({ proof }) => proof)).toEqual(Array(3).fill('both-checksums'))
  })

  it('is replaced, not doubled, when the original has changed since', async () => {
    const id = t.drive.file('a', top, 'old')
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(afterCommit())
    t.drive.change(id, {}, 'new')
    await t.finish(job)
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/a': 'new' })
  })

  it('is replaced likewise when it was itself the replacement of an older copy', async () => {
    const id = t.drive.file('a', top, 'first')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(id, {}, 'second')
    await t.jobs.again(t.user, job)
    await t.deliver(afterCommit())
    expect(t.dropbox.files()).toEqual({ '/Backup/a': 'second' })
    t.drive.change(id, {}, 'third')
    await t.finish(job)
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/a': 'third' })
    expect((await t.row(job, id))?.twin).toBe(false)
  })

  it('is known to the next run when its own was cancelled', async () => {
    const id = t.drive.file('a', top, 'old')
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(afterCommit())
    await t.jobs.cancel(t.user, job)
    t.drive.change(id, {}, 'new')
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/a': 'new' })
  })

  it('is not mistaken for what somebody else has written in its place', async () => {
    const id = t.drive.file('a', top, 'old')
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(afterCommit())
    t.dropbox.put('/Backup/a', 'theirs')
    t.drive.change(id, {}, 'new')
    await t.finish(job)
    await t.again(job)
    expect(t.dropbox.files()['/Backup/a']).toBe('theirs')
    expect(contents()).toEqual(['new', 'theirs'])
  })
})

describe('what is in the way', () => {
  it('is left alone if it is not ours, and both are kept in every run', async () => {
    t.dropbox.put('/Backup/a', 'theirs')
    const id = t.drive.file('a', top, 'ours')
    const job = await t.copy({ kind: 'folder', id: top })
    expect(contents()).toEqual(['ours', 'theirs'])
    t.drive.change(id, {}, 'ours too')
    await t.again(job)
    expect(contents()).toEqual(['ours too', 'theirs'])
    expect(t.dropbox.files()['/Backup/a']).toBe('theirs')
  })

  it('is left alone if somebody has written over our copy', async () => {
    const id = t.drive.file('a', top, 'ours')
    const job = await t.copy({ kind: 'folder', id: top })
    t.dropbox.put('/Backup/a', 'theirs')
    t.drive.change(id, {}, 'ours, newer')
    await t.again(job)
    expect(contents()).toEqual(['ours, newer', 'theirs'])
  })

  it('is replaced if only its version has changed, because its folder was moved', async () => {
    const folder = t.drive.folder('Folder', top)
    const id = t.drive.file('a', folder, 'old')
    const job = await t.copy({ kind: 'folder', id: top })
    t.drive.change(folder, { name: 'Renamed' })
    t.drive.change(id, {}, 'new')
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/Renamed/a': 'new' })
  })

  it('is the end of it where all names are taken: the next run tries again', async () => {
    t.drive.file('a', top, 'ours')
    const { commit } = t.dropbox.destination
    Object.assign(t.dropbox.destination, {
      commit: async () => [{ error: new WaybillError('name_taken', 'For the test.') }],
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).lines).toMatchObject([
      { outcome: 'failed', reason: 'name_taken' },
    ])
    Object.assign(t.dropbox.destination, { commit })
    await t.again(job)
    expect(contents()).toEqual(['ours'])
  })
})

describe('a commit of many', () => {
  it('records each by its own result, whatever the order', async () => {
    for (const name of ['ok 1', 'refused', 'ok 2', 'lost', 'taken']) t.drive.file(name, top, name)
    t.dropbox.put('/Backup/taken', 'theirs')
    const { commit } = t.dropbox.destination
    let once = true
    Object.assign(t.dropbox.destination, {
      commit: async (commits: Parameters<typeof commit>[0]) => {
        const results = await commit(commits)
        return results.map((result, index) => {
          const name = commits[index]?.place.name
          if (name === 'refused')
            return { error: new WaybillError('name_refused', 'For the test.') }
          if (name !== 'lost' || !once) return result
          once = false
          t.dropbox.remove('/Backup/lost')
          return { error: new WaybillError('session_lost', 'For the test.') }
        })
      },
    })
    const job = await t.copy({ kind: 'folder', id: top })
    const { lines } = await t.receipt(job)
    expect(
      Object.fromEntries(lines.map((line) => [line.source.path[0], line.reason ?? line.outcome])),
    ).toEqual({
      'ok 1': 'copied',
      'ok 2': 'copied',
      refused: 'name_refused',
      lost: 'copied',
      taken: 'copied',
    })
    expect(contents()).toEqual(['lost', 'ok 1', 'ok 2', 'refused', 'taken', 'theirs'])
  })

  it('keeps what landed when something is wrong with the run, and sends only the rest', async () => {
    for (const name of ['a', 'b', 'c', 'd']) t.drive.file(name, top, name)
    const { commit } = t.dropbox.destination
    Object.assign(t.dropbox.destination, {
      commit: async (commits: Parameters<typeof commit>[0]) => {
        const some = await commit(commits.slice(0, 2))
        const full = { error: new WaybillError('destination_full', 'For the test.') }
        return [...some, ...commits.slice(2).map(() => full)]
      },
    })
    const job = await t.start({ kind: 'folder', id: top })
    expect((await t.finish(job)).run).toMatchObject({
      state: 'paused',
      reason: 'destination_full',
      totals: { copied: 2 },
    })
    Object.assign(t.dropbox.destination, { commit })
    await t.jobs.resume(t.user, job)
    expect((await t.finish(job)).run.totals).toMatchObject({ copied: 4 })
    expect((await t.receipt(job)).lines).toHaveLength(4)
  })

  it('says so when what came out is not what was sent, and carries it again', async () => {
    t.drive.file('a', top, 'sound')
    const { commit } = t.dropbox.destination
    Object.assign(t.dropbox.destination, {
      commit: async (commits: Parameters<typeof commit>[0]) =>
        (await commit(commits)).map((result) =>
          'ok' in result
            ? { ok: { ...result.ok, hashes: { contentHash: '0'.repeat(64) } } }
            : result,
        ),
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).lines).toMatchObject([
      { outcome: 'failed', reason: 'damaged_at_destination' },
    ])
    Object.assign(t.dropbox.destination, { commit })
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/a': 'sound' })
    expect((await t.receipt(job)).lines).toMatchObject([{ outcome: 'copied' }])
  })

  it('gives up on an item whose session is lost each time, and on nothing else', async () => {
    for (const name of ['a', 'lost', 'z']) t.drive.file(name, top, name)
    const { commit } = t.dropbox.destination
    Object.assign(t.dropbox.destination, {
      commit: async (commits: Parameters<typeof commit>[0]) => {
        const results = [...(await commit(commits.filter((each) => each.place.name !== 'lost')))]
        return commits.map(({ place }) =>
          place.name === 'lost'
            ? { error: new WaybillError('session_lost', 'For the test.') }
            : (results.shift() ?? { error: new WaybillError('internal', 'For the test.') }),
        )
      },
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 2, failed: 1 })
  })
})

describe('without staging, and with one commit at a time', () => {
  it('all is carried all the same', async () => {
    t.close()
    t = await startEngine({ dropbox: { staging: false, commitsPerCall: 1 } })
    top = t.drive.folder('Top')
    for (let n = 0; n < 30; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
    const job = await t.copy({ kind: 'folder', id: top })
    expect(Object.keys(t.dropbox.files())).toHaveLength(30)
    expect((await t.receipt(job)).lines).toHaveLength(30)
  })
})
