import { describe, expect, it } from '@jest/globals'
import { runId } from '../../../backend/records/runs.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

const HOUR_MS = 3_600_000

describe('a run that nobody works on any more', () => {
  /** Its worker died, or its task was lost so long ago that the queue is not asked about it any more. */
  async function neglected(engine: Engine, how: string): Promise<string> {
    const top = engine.drive.folder('Top')
    engine.drive.file('f', top, 'content')
    const job = await engine.start({ kind: 'folder', id: top })
    if (how === 'its worker died') await engine.deliver((step) => step > 3)
    engine.tasks.splice(0)
    engine.records.pass(2 * HOUR_MS)
    return job
  }

  it.each(['its worker died', 'its task was lost'])(
    '(%s) goes on, wherever the tick is killed that looks after it',
    async (how) => {
      let steps = 0
      for (let at = 1, dead = true; dead; at += 1)
        for (const when of ['before', 'after'] as const) {
          const engine = await startEngine()
          try {
            const job = await neglected(engine, how)
            const life = await engine.tickNow((step, now) => step >= at && now === when)
            dead = life.dead
            steps = at
            engine.tasks.splice(0)
            // What the dead tick has enqueued is lost, too.
            engine.records.pass(2 * HOUR_MS)
            expect((await engine.tickNow()).count).toBe(1)
            expect((await engine.finish(job)).run.state).toBe('done')
            engine.records.pass(2 * HOUR_MS)
            expect((await engine.tickNow()).count).toBe(0)
          } finally {
            engine.close()
          }
        }
      expect(steps).toBeGreaterThan(3)
    },
  )

  it('gets one new number from many ticks at once, also from several processes', async () => {
    const t = await startEngine()
    const job = await neglected(t, 'its worker died')
    const tasks: string[] = []
    const queue = {
      enqueue: async (_: unknown, { name }: { readonly name: string }) => void tasks.push(name),
    }
    const processes = [t.records, t.records.another(), t.records.another(), t.records]
    await Promise.all(
      processes.map(async ({ store, owners }) =>
        tick({ store, owners, queue }, t.records.now(), false),
      ),
    )
    t.close()
    expect(tasks).toEqual([`${runId(job, 1)}-1`])
  })
})
