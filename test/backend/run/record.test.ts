import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { WaybillError } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let top: string
beforeEach(async () => {
  t = await startEngine({ drive: { pageSize: 1000, foldersPerListing: 50 } })
  top = t.drive.folder('Top')
})
afterEach(() => t.close())

describe('what is recorded', () => {
  it('is row, line and totals together, or nothing of them', async () => {
    for (let n = 0; n < 5; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
    const job = await t.start({ kind: 'folder', id: top })
    // Dies in the transaction that follows the commit.
    let committed = false
    await t.deliver((_step, when, name) => {
      if (name === 'destination.commit' && when === 'after') committed = true
      return committed && when === 'before' && name === 'store.transact'
    })
    const { run } = await t.jobs.get(t.user, job)
    expect(run.totals).toMatchObject({ copied: 0, bytes: 0 })
    expect((await t.row(job, 'file-2'))?.copy).toBeNull()
    const pages = await t.records.store.list({
      collection: 'receipts',
      where: { run: run.run },
      limit: 10,
    })
    expect(pages).toEqual([])
    expect((await t.finish(job)).run.totals).toMatchObject({ copied: 5, bytes: 45 })
  })

  it('holds many items at once, also where names and paths are as long as one likes', async () => {
    let folder = top
    for (let depth = 0; depth < 30; depth += 1)
      folder = t.drive.folder(`${depth} ${'\u0001'.repeat(20_000)}`, folder)
    for (let n = 0; n < 420; n += 1) t.drive.file(`f${n} ${'x'.repeat(15_000)}`, folder, `${n}`)
    const job = await t.copy({ kind: 'folder', id: top })
    const { lines, summary } = await t.receipt(job)
    expect(summary).toMatchObject({ copied: 450, failed: 0 })
    expect(lines.every(({ source }) => source.path.join('').length < 20_000)).toBe(true)
  })

  it('is never summed up without its lines: a run that waited for too long fails', async () => {
    for (const name of ['one', 'two']) t.drive.file(name, top, name)
    t.drive.document('cannot be exported', top, {})
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall((name) => {
      if (name === 'open') throw new WaybillError('connection_expired', 'For the test.')
    })
    await t.deliver()
    t.drive.onCall(() => undefined)
    expect((await t.jobs.get(t.user, job)).run).toMatchObject({ totals: { skipped: 1 } })
    t.records.pass(91 * 24 * 3_600_000)
    await t.jobs.resume(t.user, job)
    const { run } = await t.finish(job)
    expect(run).toMatchObject({ state: 'failed', reason: 'receipt_invalid', root: null })
    // What was copied is there, and the next run goes on from it.
    expect((await t.again(job)).run).toMatchObject({ state: 'done', totals: { copied: 0 } })
    expect(Object.keys(t.dropbox.files())).toHaveLength(2)
  })

  it('lets go of everything that was only for this run', async () => {
    t.drive.file('f', top, 'x')
    const job = await t.copy({ kind: 'folder', id: top })
    const { run } = (await t.jobs.get(t.user, job)).run
    const left = await t.records.store.list({ collection: 'transfers', where: { run }, limit: 10 })
    expect(left).toEqual([])
  })
})
