import { WaybillError } from '../../../shared/errors.ts'
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

/** Three folders deep, with more items than a page holds. */
function plant(): string {
  const top = t.drive.folder('Top')
  for (let f = 0; f < 4; f += 1) {
    const folder = t.drive.folder(`F${f}`, top)
    for (let n = 0; n < 5; n += 1) t.drive.file(`f${f}${n}`, folder, `${f}${n}`)
  }
  return top
}

describe('a first scan', () => {
  it('finds all, page by page and folder by folder', async () => {
    const job = await t.copy({ kind: 'folder', id: plant() })
    expect(names()).toHaveLength(20)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 24, unchanged: 0 })
  })

  it('begins a listing again whose cursor was refused, and takes nothing twice', async () => {
    const top = plant()
    let lists = 0
    t.drive.onCall((name) => {
      if (name === 'list' && (lists += 1) === 3) t.drive.forgetCursors()
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect(names()).toHaveLength(20)
    expect((await t.receipt(job)).lines).toHaveLength(24)
  })

  it('waits, rather than going on for ever, when the cursor is refused each time', async () => {
    const top = plant()
    t.drive.onCall((name) => {
      if (name === 'list') t.drive.forgetCursors()
    })
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end: 'waits', code: 'incomplete_listing' })
    t.drive.onCall(() => undefined)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 24 } })
  })

  it('asks for each folder alone when a query for many is answered with nothing', async () => {
    const top = plant()
    const { list } = t.drive.source
    Object.assign(t.drive.source, {
      list: async (...args: Parameters<typeof list>) => {
        const page = await list(...args)
        const [what] = args
        return what.kind === 'children' && what.of.length > 1
          ? { ...page, items: [], cursor: null }
          : page
      },
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 24 })
  })

  it('does so to the last page, also when a cursor is refused there', async () => {
    const top = plant()
    const { list } = t.drive.source
    let refused = false
    Object.assign(t.drive.source, {
      list: async (...args: Parameters<typeof list>) => {
        const [what, cursor] = args
        if (what.kind === 'children' && what.of.length > 1)
          return { items: [], cursor: null, complete: true }
        if (cursor !== null && !refused) {
          refused = true
          throw new WaybillError('listing_restarted', 'For the test.')
        }
        return list(...args)
      },
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect(refused).toBe(true)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 24 })
  })

  it('goes on when one of the folders that it lists is gone', async () => {
    const top = plant()
    const { list, get } = t.drive.source
    Object.assign(t.drive.source, {
      list: async (...args: Parameters<typeof list>) => {
        const [what] = args
        if (what.kind === 'children' && what.of.includes('folder-8'))
          throw new WaybillError('gone', 'For the test.')
        return list(...args)
      },
      get: async (id: string) => (id === 'folder-8' ? null : get(id)),
    })
    await t.copy({ kind: 'folder', id: top })
    expect(names()).toHaveLength(15)
  })

  it('does not take a folder for empty that cannot be listed although it is there', async () => {
    const top = plant()
    const { list } = t.drive.source
    let refusals = 3
    Object.assign(t.drive.source, {
      list: async (...args: Parameters<typeof list>) => {
        const [what] = args
        if (what.kind === 'children' && what.of.includes('folder-8') && (refusals -= 1) >= 0)
          throw new WaybillError('gone', 'For the test.')
        return list(...args)
      },
    })
    await t.copy({ kind: 'folder', id: top })
    expect(names()).toHaveLength(20)
  })

  it('asks again when the source says that it did not look everywhere, and then waits', async () => {
    const top = plant()
    const { list } = t.drive.source
    let incomplete = 2
    Object.assign(t.drive.source, {
      list: async (...args: Parameters<typeof list>) => ({
        ...(await list(...args)),
        complete: (incomplete -= 1) < 0,
      }),
    })
    await t.copy({ kind: 'folder', id: top })
    expect(names()).toHaveLength(20)
    incomplete = 1000
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end: 'waits', code: 'incomplete_listing' })
    expect((await t.jobs.get(t.user, job)).run.phase).toBe('scan')
  })

  it('says that what was picked is not there', async () => {
    for (const selection of [
      { kind: 'folder', id: 'nowhere' },
      { kind: 'folder', id: t.drive.file('a file', 'root', 'x') },
      { kind: 'items', ids: ['nowhere'] },
      { kind: 'items', ids: [] },
    ] as const) {
      const job = await t.start(selection)
      expect((await t.finish(job)).run).toMatchObject({ state: 'failed', reason: 'source_missing' })
    }
  })

  it('copies an item that was picked, and lies in a folder that was picked too, once', async () => {
    const folder = t.drive.folder('Folder')
    const inner = t.drive.folder('Inner', folder)
    const file = t.drive.file('file', inner, 'x')
    const job = await t.copy({ kind: 'items', ids: [folder, file, inner] })
    expect(names()).toEqual(['file'])
    expect(t.dropbox.folders().toSorted()).toEqual(['/Backup', '/Backup/Folder', '/Backup/Inner'])
    expect((await t.receipt(job)).lines).toHaveLength(3)
  })

  it('is over when nothing lies in the folder', async () => {
    const job = await t.copy({ kind: 'folder', id: t.drive.folder('Empty') })
    expect((await t.receipt(job)).summary).toMatchObject({ lines: 0, unchanged: 0 })
  })

  it('waits when a file has the name of the destination folder', async () => {
    t.dropbox.put('/Backup', 'a file')
    const job = await t.start({ kind: 'folder', id: plant() })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end: 'paused', code: 'folder_taken' })
    expect((await t.jobs.get(t.user, job)).run).toMatchObject({ state: 'paused' })
  })
})

describe('a run after one that was cancelled', () => {
  /** Cancels the first run once `calls` destination commits have landed. */
  async function cancelled(selection: Parameters<Engine['start']>[0], commits = 1) {
    const job = await t.start(selection)
    let landed = 0
    t.dropbox.onAnswer(async (name) => {
      if (name === 'commit' && (landed += 1) === commits) await t.jobs.cancel(t.user, job)
    })
    await t.deliver()
    t.dropbox.onAnswer(() => undefined)
    expect((await t.jobs.get(t.user, job)).run.state).toBe('cancelled')
    return job
  }

  it('finds what changed in folders that were listed before', async () => {
    const top = plant()
    const job = await cancelled({ kind: 'folder', id: top })
    t.drive.file('late', 'folder-2', 'late')
    t.drive.file('later', t.drive.folder('Deep', 'folder-2'), 'later')
    await t.again(job)
    expect(names()).toHaveLength(22)
    await t.again(job)
    expect(names()).toHaveLength(22)
  })

  it('makes no twins of what was carried and has changed since', async () => {
    const ids = ['a', 'b'].map((name) => t.drive.file(name, 'root', `old ${name}`))
    const job = await cancelled({ kind: 'items', ids })
    for (const id of ids) t.drive.change(id, {}, `new ${id}`)
    await t.again(job)
    expect(Object.values(t.dropbox.files())).toEqual(ids.map((id) => `new ${id}`))
  })

  it('makes no twins of picked items that were recorded and have changed since', async () => {
    const ids = ['a', 'b'].map((name) => t.drive.file(name, 'root', `old ${name}`))
    const job = await t.start({ kind: 'items', ids })
    t.dropbox.onCall(async (name) => {
      if (name === 'changesSince') await t.jobs.cancel(t.user, job)
    })
    await t.deliver()
    t.dropbox.onCall(() => undefined)
    t.drive.change(ids[0] ?? '', { name: 'renamed' }, 'new a')
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/b': 'old b', '/Backup/renamed': 'new a' })
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 1, unchanged: 1 })
  })

  it('carries again what somebody deleted in between', async () => {
    const top = plant()
    // The last commit of the run lands, and is recorded; then its root is computed.
    const job = await t.start({ kind: 'folder', id: top })
    t.dropbox.onCall(async (name) => {
      if (name === 'changesSince') await t.jobs.cancel(t.user, job)
    })
    await t.deliver()
    t.dropbox.onCall(() => undefined)
    expect(names()).toHaveLength(20)
    t.dropbox.remove('/Backup/F1')
    t.dropbox.remove('/Backup/F2/f22')
    await t.again(job)
    expect(names()).toHaveLength(20)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 7, unchanged: 17 })
  })

  it('takes up what the first could not carry', async () => {
    const top = plant()
    let refusing = true
    t.drive.onCall((name, about) => {
      if (refusing && name === 'open' && about === 'file-3')
        throw new WaybillError('download_quota', 'For the test.')
    })
    const job = await t.start({ kind: 'folder', id: top })
    t.dropbox.onCall(async (name) => {
      if (name === 'changesSince') await t.jobs.cancel(t.user, job)
    })
    await t.deliver()
    t.dropbox.onCall(() => undefined)
    expect(names()).toHaveLength(19)
    refusing = false
    await t.again(job)
    expect(names()).toHaveLength(20)
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 1, unchanged: 23 })
  })
})
