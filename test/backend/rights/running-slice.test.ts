import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { createDisconnecting } from '../../../backend/connect/disconnect.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { createRevocations } from '../../../backend/records/revocations.ts'
import { createRights } from '../../../backend/rights/rights.ts'
import type { Rights } from '../../../backend/rights/rights.ts'
import { createRunner } from '../../../backend/run/run-task.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'
import { everything } from './erasing.ts'

let t: Engine
let rights: Rights
beforeEach(async () => {
  t = await startEngine()
  // Another process: its caches are not those of the slice.
  const { store, owners } = t.records.another()
  const { now } = t.records
  const connections = createConnections(store, owners)
  const revocations = createRevocations(store, owners, now)
  const endpoints = { 'google-drive': null, dropbox: null, box: null, microsoft: null }
  const acts = createActs({ store, owners, now, random: randomBytes })
  rights = createRights({
    store,
    owners,
    disconnecting: createDisconnecting({ connections, revocations, acts, endpoints, now }),
    revokes: () => true,
    acts,
    certify: async () => false,
    onFault: (error) => {
      throw error
    },
    now,
    random: randomBytes,
  })
})
afterEach(() => t.close())

/** Works on the only job until it is over, and erases its owner at the nth file that is opened. */
async function workAndErase(at: number): Promise<readonly [opened: number, erased: string]> {
  const top = t.drive.folder('Top')
  for (let n = 0; n < 40; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
  t.drive.file('large', top, Buffer.alloc(9 * 1024 * 1024, 'x'))
  await t.start({ kind: 'folder', id: top }, { schedule: { every: 'hour' } })
  const { store, owners, now } = t.records
  const { source } = t.drive
  let opened = 0
  let erased = 'not yet'
  const runner = createRunner({
    store,
    owners,
    queue: { enqueue: async () => undefined },
    open: async () => ({
      source: {
        ...source,
        open: async (...asked: Parameters<typeof source.open>) => {
          opened += 1
          if (opened === at)
            erased = (await rights.erase(t.user, (await rights.eraseAsk(t.user)).code)).state
          return source.open(...asked)
        },
      },
      destination: t.dropbox.destination,
    }),
    now,
    random: randomBytes,
    turn: async () => setImmediate(),
    sliceMs: 60_000,
    onEnd: (end) => t.ends.push(end),
  })
  const [next] = t.tasks
  if (next === undefined) throw new Error('there is no task')
  await runner.handle(next.task, new AbortController().signal)
  return [opened, erased]
}

it.each([1, 5, 20, 41])(
  'a slice at work whose owner is erased at its file number %i stops, and writes nothing more',
  async (at) => {
    const [opened, erased] = await workAndErase(at)
    expect(erased).toBe('erased')
    expect(opened).toBeGreaterThanOrEqual(at)
    expect(t.ends.at(-1)).toMatchObject({ end: 'lost' })
    const kept = await everything(t.records.store)
    const left = Object.entries(kept).flatMap(([collection, documents]) =>
      documents.length === 0 ? [] : [collection],
    )
    expect(left.toSorted()).toEqual(['audit', 'erasures', 'keys', 'revocations'])
    expect(kept.keys.map(({ key }) => key)).not.toContain(t.user)
    // Nothing comes of it later either.
    for (const { task } of t.tasks) expect(await t.records.store.get('runs', task.run)).toBeNull()
    t.records.pass(2 * 3_600_000)
    await t.tick()
    await t.deliver()
    expect((await everything(t.records.store)).runs).toEqual([])
  },
)
