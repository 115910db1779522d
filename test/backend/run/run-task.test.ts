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

function plant(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => t.drive.file(`f${n}`, top, `content ${n}`))
}
const failing = (code: ConstructorParameters<typeof WaybillError>[0], retryAfterMs?: number) =>
  new WaybillError(code, 'For the test.', retryAfterMs === undefined ? {} : { retryAfterMs })

describe('what an error makes of a run', () => {
  it.each([
    ['rate_limited', 'waits', 'running'],
    ['busy', 'waits', 'running'],
    ['token_expired', 'waits', 'running'],
    ['connection_expired', 'paused', 'paused'],
    ['destination_full', 'paused', 'paused'],
    ['provider_limit', 'paused', 'paused'],
    ['forbidden', 'failed', 'failed'],
    ['settings_invalid', 'paused', 'paused'],
  ] as const)('%s: it %s', async (code, end, state) => {
    plant(3)
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall((name) => {
      if (name === 'open') throw failing(code)
    })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end, code })
    const { run } = await t.jobs.get(t.user, job)
    expect(run).toMatchObject({ state, reason: code })
    expect(run.endedAt === null).toBe(state !== 'failed')
    t.drive.onCall(() => undefined)
    if (state === 'paused') await t.jobs.resume(t.user, job)
    if (state === 'failed') await t.jobs.again(t.user, job)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', reason: null })
    expect(Object.keys(t.dropbox.files())).toHaveLength(3)
  })

  it.each(['settings_invalid', 'key_unavailable'] as const)(
    'goes on by itself once operators have mended what they were told of (%s)',
    async (code) => {
      plant(2)
      const job = await t.start({ kind: 'folder', id: top })
      t.drive.onCall((name) => {
        if (name === 'open') throw failing(code)
      })
      await t.deliver()
      expect((await t.jobs.get(t.user, job)).run).toMatchObject({ state: 'paused', reason: code })
      t.drive.onCall(() => undefined)
      expect(await t.tick()).toBe(0)
      t.records.pass(5 * 60_000)
      expect(await t.tick()).toBe(1)
      expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 2 } })
    },
  )

  it('waits for as long as it was asked to, and says until when', async () => {
    plant(1)
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall((name) => {
      if (name === 'open') throw failing('rate_limited', 300_000)
    })
    const now = t.records.now()
    await t.deliver()
    expect(t.tasks.map((task) => task.notBefore)).toEqual([now + 300_000])
    expect((await t.jobs.get(t.user, job)).run.resumesAt).toBe(
      new Date(now + 300_000).toISOString(),
    )
  })

  it('goes on by itself after a pause that has an end, although the task is lost', async () => {
    plant(1)
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall((name) => {
      if (name === 'open') throw failing('provider_limit', 3_600_000)
    })
    await t.deliver()
    t.drive.onCall(() => undefined)
    expect(await t.tick()).toBe(0)
    t.records.pass(3_600_000)
    expect(await t.tick()).toBe(1)
    expect((await t.finish(job)).run.state).toBe('done')
  })

  it('waits longer each time, asks somebody in the end, and begins to count anew with each success', async () => {
    plant(1)
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall((name) => {
      if (name === 'list') throw failing('unavailable')
    })
    const waits: number[] = []
    for (;;) {
      await t.deliver()
      const [task] = t.tasks
      if (task === undefined) break
      waits.push(task.notBefore - t.records.now())
      t.records.pass(task.notBefore - t.records.now())
    }
    expect(waits).toEqual(
      [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600].map((seconds) => seconds * 1000),
    )
    expect((await t.jobs.get(t.user, job)).run).toMatchObject({
      state: 'paused',
      reason: 'unavailable',
    })
    await t.jobs.resume(t.user, job)
    await t.deliver()
    expect((t.tasks[0]?.notBefore ?? 0) - t.records.now()).toBe(2000)
  })

  it('a mistake of our own makes it fail, with what is recorded kept', async () => {
    plant(20)
    const job = await t.start({ kind: 'folder', id: top })
    let commits = 0
    t.dropbox.onCall((name) => {
      if (name === 'commit' && (commits += 1) > 0) throw new TypeError('a mistake')
    })
    expect((await t.finish(job)).run).toMatchObject({ state: 'failed', reason: 'internal' })
    t.dropbox.onCall(() => undefined)
    await t.again(job)
    expect(Object.keys(t.dropbox.files())).toHaveLength(20)
  })
})

describe('items that cannot be had at the moment', () => {
  it('do not keep a run from ending, however many they are', async () => {
    const ids = plant(12)
    const bad = new Set(ids.slice(0, 6))
    t.drive.onCall((name, about) => {
      if (name === 'open' && bad.has(about)) throw failing('unavailable')
    })
    const job = await t.start({ kind: 'folder', id: top })
    const end = await t.finish(job)
    expect(end.run).toMatchObject({ state: 'done', totals: { copied: 6, failed: 6 } })
    t.drive.onCall(() => undefined)
    await t.again(job)
    expect(Object.keys(t.dropbox.files())).toHaveLength(12)
  })

  it('are all carried in the end when it is the provider that is down for a while', async () => {
    plant(12)
    let down = true
    t.drive.onCall(() => {
      if (down) throw failing('unavailable')
    })
    t.dropbox.onCall(() => undefined)
    down = false
    const job = await t.start({ kind: 'folder', id: top })
    t.dropbox.onCall((name) => {
      if (name === 'stage') down = true
    })
    for (let n = 0; n < 8; n += 1) {
      await t.deliver()
      for (const task of t.tasks) t.records.pass(Math.max(0, task.notBefore - t.records.now()))
    }
    t.dropbox.onCall(() => undefined)
    down = false
    expect((await t.finish(job)).run).toMatchObject({
      state: 'done',
      totals: { copied: 12, failed: 0 },
    })
  })
})

describe('two workers', () => {
  it('with the same task: the second has to come again', async () => {
    plant(3)
    const job = await t.start({ kind: 'folder', id: top })
    const [task] = t.tasks
    if (task === undefined) throw new Error('no task')
    t.tasks.push(task)
    t.drive.onCall(async (name) => {
      t.drive.onCall(() => undefined)
      if (name !== 'never') await t.deliver()
      expect(t.tasks).toHaveLength(1)
    })
    await t.deliver()
    expect((await t.finish(job)).run.totals.copied).toBe(3)
    expect((await t.receipt(job)).lines).toHaveLength(3)
  })

  it('the first of which lost its lease in the middle of copying: it ends, and all is there once', async () => {
    plant(40)
    const job = await t.start({ kind: 'folder', id: top })
    let opens = 0
    t.drive.onCall(async (name) => {
      if (name !== 'open' || (opens += 1) !== 20) return
      t.records.pass(61_000)
      await t.tick()
      await t.deliver()
    })
    await t.deliver()
    expect(t.ends.map((end) => end.end)).toContain('lost')
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 40 } })
    const { lines } = await t.receipt(job)
    expect(new Set(lines.map((line) => line.source.id)).size).toBe(40)
    expect(Object.keys(t.dropbox.files())).toHaveLength(40)
  })
})

describe('a run in slices without any time', () => {
  it('comes to its end', async () => {
    const folder = t.drive.folder('Folder', top)
    for (let n = 0; n < 5; n += 1) t.drive.file(`g${n}`, folder, `g${n}`)
    plant(5)
    const job = await t.start({ kind: 'folder', id: top })
    for (let n = 0; n < 60 && t.tasks.length > 0; n += 1) {
      // Each slice has a moment, and no more.
      let asked = 0
      t.drive.onCall(() => {
        if ((asked += 1) > 2) t.records.pass(100)
      })
      await t.deliver(undefined, 100)
    }
    expect((await t.jobs.get(t.user, job)).run).toMatchObject({
      state: 'done',
      totals: { copied: 11 },
    })
  })
})

describe('folders that cannot be made', () => {
  it('fail with what lies in them, one line each, and nothing of it is sent', async () => {
    const folder = t.drive.folder('Refused', top)
    t.drive.folder('Inner', folder)
    t.drive.file('in it', folder, 'x')
    const { ensureFolders } = t.dropbox.destination
    Object.assign(t.dropbox.destination, {
      ensureFolders: async (places: Parameters<typeof ensureFolders>[0]) =>
        places.map(() => ({ error: failing('name_taken') })),
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect((await t.receipt(job)).summary).toMatchObject({ failed: 3, lines: 3 })
    expect(t.dropbox.received['stage']).toBeUndefined()
    Object.assign(t.dropbox.destination, { ensureFolders })
    await t.again(job)
    // Under the name that was tried last: whoever had the plain one may still have it.
    expect(Object.values(t.dropbox.files())).toEqual(['x'])
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 3, unchanged: 0 })
  })
})

describe('what people do with jobs', () => {
  it('cancelling while it runs ends it there, with nothing begun anew', async () => {
    plant(40)
    const job = await t.start({ kind: 'folder', id: top })
    let staged = 0
    t.dropbox.onCall(async (name) => {
      if (name === 'stage' && (staged += 1) === 2) await t.jobs.cancel(t.user, job)
    })
    await t.deliver()
    expect((await t.jobs.get(t.user, job)).run).toMatchObject({ state: 'cancelled', root: null })
    expect(t.dropbox.calls['commit'] ?? 0).toBe(0)
    expect(await t.tick()).toBe(0)
    await expect(t.jobs.receipt(t.user, job)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'wrong_state',
    })
  })

  it('pausing and resuming loses nothing and doubles nothing', async () => {
    plant(40)
    const job = await t.start({ kind: 'folder', id: top })
    let commits = 0
    t.dropbox.onAnswer(async (name) => {
      if (name === 'commit' && (commits += 1) === 1) await t.jobs.pause(t.user, job)
    })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end: 'lost' })
    expect(await t.tick()).toBe(0)
    await t.jobs.resume(t.user, job)
    expect((await t.finish(job)).run.totals).toMatchObject({ copied: 40 })
    expect((await t.receipt(job)).lines).toHaveLength(40)
  })

  it('pausing in the moment in which a slice fails is no failure', async () => {
    plant(1)
    const job = await t.start({ kind: 'folder', id: top })
    t.drive.onCall(async (name) => {
      if (name !== 'open') return
      await t.jobs.pause(t.user, job)
      throw failing('rate_limited')
    })
    await t.deliver()
    expect(t.ends.at(-1)).toMatchObject({ end: 'lost' })
    expect((await t.jobs.get(t.user, job)).run.state).toBe('paused')
  })

  it('is possible only with jobs of their own', async () => {
    const job = await t.start({ kind: 'folder', id: top })
    const refused = { code: 'not_found' }
    for (const act of ['get', 'again', 'pause', 'resume', 'cancel'] as const)
      await expect(t.jobs[act]('bob', job)).rejects.toMatchObject(refused)
    await expect(t.jobs.wait('bob', job, 0)).rejects.toMatchObject(refused)
    await expect(t.jobs.receipt('bob', job)[Symbol.asyncIterator]().next()).rejects.toMatchObject(
      refused,
    )
    expect((await t.jobs.list('bob', { limit: 10 })).jobs).toEqual([])
    expect((await t.jobs.get(t.user, job)).run.state).toBe('queued')
  })

  it('waiting ends when the run has changed, or the time is over', async () => {
    const job = await t.start({ kind: 'folder', id: top })
    const before = t.records.now()
    expect((await t.jobs.wait(t.user, job, 5000)).run.state).toBe('queued')
    expect(t.records.now() - before).toBeGreaterThanOrEqual(5000)
    const asleep = t.jobs.wait(t.user, job, 1e9)
    await t.jobs.pause(t.user, job)
    expect((await asleep).run.state).toBe('paused')
    await t.jobs.cancel(t.user, job)
    expect((await t.jobs.wait(t.user, job, 1e9)).run.state).toBe('cancelled')
  })

  it('running it again has to wait until it is over', async () => {
    const job = await t.start({ kind: 'folder', id: top })
    await expect(t.jobs.again(t.user, job)).rejects.toMatchObject({ code: 'wrong_state' })
    await t.finish(job)
    expect((await t.jobs.again(t.user, job)).run.number).toBe(2)
  })
})

describe('the end of a run', () => {
  it('advances what the next one begins from in the transaction that ends it, and not before', async () => {
    plant(2)
    const job = await t.copy({ kind: 'folder', id: top })
    const { memory } = await t.job(job)
    t.drive.file('new', top, 'new')
    await t.jobs.again(t.user, job)
    let closing = false
    await t.deliver((_step, when, name) => {
      if (name === 'destination.changesSince' && t.dropbox.files()['/Backup/new'] !== undefined)
        closing = true
      return closing && when === 'before' && name === 'store.transact'
    })
    expect((await t.job(job)).memory).toEqual(memory)
    await t.finish(job)
    const after = (await t.job(job)).memory
    expect(after.tokens).not.toEqual(memory.tokens)
    expect(after).toMatchObject({ known: 3, since: { run: 2 }, before: memory.since })
  })
})
