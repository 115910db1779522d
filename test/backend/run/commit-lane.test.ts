import { describe, expect, it } from '@jest/globals'
import { WaybillError } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'

describe('the lane of commits', () => {
  it('stops all workers with the first failure, and leaves nothing on its way behind', async () => {
    const t = await startEngine({ drive: { pageSize: 1000 } })
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    try {
      const top = t.drive.folder('Top')
      for (let n = 0; n < 400; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
      const job = await t.start({ kind: 'folder', id: top })
      let opens = 0
      t.drive.onCall((name) => {
        if (name === 'open' && (opens += 1) === 30)
          throw new WaybillError('rate_limited', 'For the test.', { retryAfterMs: 60_000 })
      })
      await t.deliver()
      expect(t.ends.at(-1)).toMatchObject({ end: 'waits', code: 'rate_limited' })
      // The others have found out, rather than going through all that is left.
      expect(opens).toBeLessThan(70)
      const calls = { ...t.dropbox.calls }
      await new Promise((resolve) => setImmediate(resolve))
      expect(t.dropbox.calls).toEqual(calls)
      t.drive.onCall(() => undefined)
      expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 400 } })
      expect((await t.receipt(job)).lines).toHaveLength(400)
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', note)
      t.close()
    }
  })

  it('sends and commits many small items together', async () => {
    const t = await startEngine({ drive: { pageSize: 1000 } })
    try {
      const top = t.drive.folder('Top')
      for (let n = 0; n < 450; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
      await t.copy({ kind: 'folder', id: top })
      expect(t.dropbox.calls['commit']).toBe(2)
      // Four bodies in each call is all that this destination takes.
      expect(t.dropbox.calls['stage']).toBe(113)
      expect(t.dropbox.received['stage']).toBe(
        t.drive.below(top).reduce((sum, id) => sum + t.drive.bytes(id).length, 0),
      )
    } finally {
      t.close()
    }
  })
})
