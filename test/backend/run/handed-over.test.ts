import { expect, it } from '@jest/globals'
import { startEngine } from '../engine/engine.ts'

it('a slice whose successor could not be enqueued is delivered again, and enqueues it then', async () => {
  const t = await startEngine()
  try {
    const top = t.drive.folder('Top')
    for (let n = 0; n < 3; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
    const job = await t.start({ kind: 'folder', id: top })
    t.refuseTasks(1)
    await expect(t.deliver(undefined, 0)).rejects.toMatchObject({ code: 'unavailable' })
    expect(t.ends).toEqual([])
    await t.deliver()
    expect(t.tasks).toHaveLength(1)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 3 } })
  } finally {
    t.close()
  }
})
