import { afterEach, beforeEach, expect, it, jest } from '@jest/globals'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

// The busier the machine, the less is done in a slice, and the more slices there are.
jest.setTimeout(180_000)

onBothPlatforms('a run in many slices', (start) => {
  let t: UnderTest
  beforeEach(async () => {
    t = await start()
  })
  afterEach(async () => {
    await t.close()
  })

  it('hands over again and again, and carries everything once', async () => {
    await t.close()
    t = await start({ sliceMs: 40 })
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
    expect(Object.keys(await t.copied())).toHaveLength(201)
    const sent = dropbox.calls.since(before).byRoute
    const large =
      (sent['dropbox.files/upload_session/start']?.bytesIn ?? 0) +
      (sent['dropbox.files/upload_session/append_v2']?.bytesIn ?? 0)
    expect(large).toBe(50 * 1024 * 1024)
  })

  it('tells how far it is inside a large file', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    drive.addFile(folder, 'large', Buffer.alloc(30 * 1024 * 1024, 5))
    dropbox.faults.plan({
      route: 'dropbox.files/upload_session/append_v2',
      nth: 2,
      fault: 'dropbox.5xx',
    })
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    const seen = new Set<number>()
    for (;;) {
      const { run } = await t.waybill.jobs.wait(t.user, id, 1000)
      seen.add(run.sentBytes)
      if (run.state === 'done') break
    }
    expect([...seen].some((bytes) => bytes > 0 && bytes < 30 * 1024 * 1024)).toBe(true)
    expect([...seen].at(-1)).toBe(30 * 1024 * 1024)
  })

  it('pauses when asked, goes on when asked, and ends when cancelled', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Src')
    for (let n = 0; n < 300; n += 1) drive.addFile(folder, `f${n}`, `content ${n}`)
    // A pause that meets the slice in the store begins again after a while, and until then all 300 could be copied.
    dropbox.setOffline(true)
    const { id } = await t.waybill.jobs.create(t.user, t.request({ kind: 'folder', id: folder }))
    await t.waybill.jobs.pause(t.user, id)
    expect((await t.waybill.jobs.get(t.user, id)).run.state).toBe('paused')
    dropbox.setOffline(false)
    await t.waybill.jobs.resume(t.user, id)
    expect((await t.settled(id)).run).toMatchObject({ state: 'done', totals: { copied: 300 } })
    dropbox.setOffline(true)
    await t.waybill.jobs.again(t.user, id)
    await t.waybill.jobs.cancel(t.user, id)
    dropbox.setOffline(false)
    expect((await t.waybill.jobs.get(t.user, id)).run.state).toBe('cancelled')
    await expect(t.waybill.jobs.resume(t.user, id)).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(t.waybill.jobs.get('somebody-else', id)).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})
