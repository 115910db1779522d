import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'
import { isOver } from '../../../shared/job.ts'
import { collections } from '../../../backend/store/limits.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

/** The ids of DEKs that anything is sealed under, as the envelopes say: five bytes, then 22 characters. */
async function deksInUse(): Promise<ReadonlySet<string>> {
  const used = new Set<string>()
  // What an audit log seals lasts as long as the user.
  for (const collection of collections.filter((name) => name !== 'audit'))
    for (const { body } of await t.records.store.list({
      collection,
      where: {},
      before: 'zzzz',
      limit: 1_000,
    }))
      if (body !== null) used.add(Buffer.from(body.subarray(5, 27)).toString('latin1'))
  return used
}

describe('a job whose owner’s keys are replaced', () => {
  it('runs again and again meanwhile, in short slices, and misses nothing', async () => {
    const top = t.drive.folder('Top')
    const below = t.drive.folder('Below', top)
    const files = Array.from({ length: 40 }, (_, n) =>
      t.drive.file(`f${n}`, n % 2 ? top : below, `content ${n}`),
    )
    const job = await t.copy({ kind: 'folder', id: top })
    const before = await deksInUse()
    expect(before.size).toBe(1)
    const end: { counts?: unknown } = {}
    const { now } = t.records
    const rotating = t.records
      .rotateKeys(async (ms) => {
        for (const until = now() + ms; now() < until;) await setImmediate()
      })
      .then((counts) => (end.counts = counts))
    let [runs, slices] = [0, 0]
    for (; end.counts === undefined; runs += 1) {
      for (const [n, file] of files.entries())
        if (n % 3 === runs % 3) t.drive.change(file, {}, `content ${n} of run ${runs}`)
      await t.jobs.again(t.user, job)
      for (let isDone = false; !isDone; slices += 1) {
        t.records.pass(1_000)
        await setImmediate()
        // Each call to the store or a cloud takes a while.
        const passing = (): boolean => {
          t.records.pass(150)
          return false
        }
        await t.deliver(passing, 10_000)
        const { run } = await t.jobs.get(t.user, job)
        isDone = isOver(run.state)
        if (!isDone && t.tasks.length === 0) await t.tick()
      }
      expect((await t.jobs.get(t.user, job)).run).toMatchObject({ state: 'done' })
      expect((await t.receipt(job)).lines.length).toBeGreaterThan(10)
    }
    await rotating
    expect(end.counts).toMatchObject({ rotated: 1, damaged: 0, left: 0, refused: 0 })
    expect(runs).toBeGreaterThan(5)
    expect(slices).toBeGreaterThan(1.5 * runs)
    const contents = files.map((id) => Buffer.from(t.drive.bytes(id)).toString())
    expect(Object.values(t.dropbox.files()).toSorted()).toEqual(contents.toSorted())
    expect(t.ends.filter((each) => each.end === 'failed' || each.end === 'paused')).toEqual([])
    const after = await deksInUse()
    expect(after.size).toBe(1)
    expect(after).not.toEqual(before)
    // What it did is still known: nothing is carried again.
    expect((await t.again(job)).run.totals).toMatchObject({ copied: 0 })
  })
})
