import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createJob, emptyMemory } from '../../../backend/records/jobs.ts'
import { keepRun, readRun, runId } from '../../../backend/records/runs.ts'
import type { Run } from '../../../backend/records/runs.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import type { Store } from '../../../backend/store/store.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { Schedule } from '../../../shared/schedule.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

const HOUR_MS = 3_600_000
const daily: Schedule = { every: 'day', at: '02:30', zone: 'Europe/Berlin' }

let t: Engine
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

/** A job with a schedule whose first run is done. */
async function scheduled(engine = t, schedule: Schedule = daily): Promise<string> {
  const top = engine.drive.folder('Top')
  engine.drive.file('f', top, 'content')
  return engine.copy({ kind: 'folder', id: top }, { schedule })
}
const view = async (job: string, engine = t) => engine.jobs.get(engine.user, job)
async function untilDue(job: string, engine = t): Promise<number> {
  const { nextRunAt } = await view(job, engine)
  const due = Date.parse(nextRunAt ?? '')
  engine.records.pass(due - engine.records.now())
  return due
}
const waiting = async (store = t.records.store) =>
  store.list({ collection: 'due', where: { waits: true }, limit: 1_000 })

describe('a job with a schedule', () => {
  it('runs when it is due and not before, and is due again later', async () => {
    const job = await scheduled()
    const due = await untilDue(job)
    t.records.pass(-1)
    expect(await t.tickNow()).toMatchObject({ count: 0 })
    expect((await view(job)).run.number).toBe(1)
    t.records.pass(1)
    expect(await t.tickNow()).toMatchObject({ count: 1 })
    expect(await t.finish(job)).toMatchObject({ run: { number: 2, state: 'done' } })
    expect(Date.parse((await view(job)).nextRunAt ?? '')).toBe(due + 24 * HOUR_MS)
    expect(await waiting()).toHaveLength(1)
  })

  it('catches up once, however many times were missed', async () => {
    const job = await scheduled(t, { every: 'hour' })
    await untilDue(job)
    t.records.pass(40 * 24 * HOUR_MS)
    expect(await t.tickNow()).toMatchObject({ count: 1 })
    await t.finish(job)
    expect(await t.tickNow()).toMatchObject({ count: 0 })
    const { run, nextRunAt } = await view(job)
    expect(run.number).toBe(2)
    expect(Date.parse(nextRunAt ?? '') - t.records.now()).toBeLessThanOrEqual(HOUR_MS)
  })

  it.each(['queued', 'running', 'paused'] as const)(
    'gets no second run beside one that is %s, and waits for its next time',
    async (state) => {
      const job = await scheduled()
      await t.jobs.again(t.user, job)
      if (state === 'running') await t.deliver((step) => step > 3)
      if (state === 'paused') await t.jobs.pause(t.user, job)
      const due = await untilDue(job)
      await t.tickNow()
      expect(await view(job)).toMatchObject({ run: { number: 2, state } })
      expect(Date.parse((await view(job)).nextRunAt ?? '')).toBe(due + 24 * HOUR_MS)
      if (state === 'paused') await t.jobs.resume(t.user, job)
      await t.finish(job)
      await untilDue(job)
      await t.tickNow()
      expect(await t.finish(job)).toMatchObject({ run: { number: 3, state: 'done' } })
    },
  )

  it('runs as it is told anew, and no longer by itself without a schedule', async () => {
    const job = await scheduled()
    const before = await untilDue(job)
    const hourly = await t.jobs.schedule(t.user, job, { every: 'hour' })
    expect(hourly.request.schedule).toEqual({ every: 'hour' })
    expect(Date.parse(hourly.nextRunAt ?? '')).not.toBe(before)
    expect(await t.tickNow()).toMatchObject({ count: 0 })
    const none = await t.jobs.schedule(t.user, job, null)
    expect(none).toMatchObject({ nextRunAt: null })
    expect(none.request).not.toHaveProperty('schedule')
    expect(await waiting()).toEqual([])
    t.records.pass(30 * 24 * HOUR_MS)
    expect(await t.tickNow()).toMatchObject({ count: 0 })
    await expect(t.jobs.schedule('bob', job, daily)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('that is gone leaves nothing that is due', async () => {
    const job = await scheduled()
    await untilDue(job)
    await t.records.store.transact(async (transaction) => transaction.remove('jobs', job))
    expect(await t.tickNow()).toMatchObject({ count: 0 })
    expect(await waiting()).toEqual([])
  })

  it('keeps the receipt’s sums when a run was cancelled before', async () => {
    const job = await scheduled()
    await t.jobs.again(t.user, job)
    await t.jobs.cancel(t.user, job)
    await untilDue(job)
    await t.tickNow()
    await t.finish(job)
    expect((await t.receipt(job)).summary).toMatchObject({ run: 3, unchanged: 1, lines: 0 })
  })
})

describe('many ticks at once', () => {
  it('start one run of a job that is due', async () => {
    const job = await scheduled()
    await untilDue(job)
    const ticks = Array.from({ length: 8 }, async () => t.tickNow())
    const counts = (await Promise.all(ticks)).map(({ count }) => count)
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(1)
    expect(t.tasks).toHaveLength(1)
    expect(await t.finish(job)).toMatchObject({ run: { number: 2, state: 'done' } })
  })

  it('from two processes, too', async () => {
    const job = await scheduled()
    await untilDue(job)
    const tasks: string[] = []
    const queue = {
      enqueue: async (_: unknown, { name }: { readonly name: string }) => void tasks.push(name),
    }
    const processes = [t.records, t.records.another(), t.records.another()]
    await Promise.all(
      processes.map(async ({ store, owners }) =>
        tick({ store, owners, queue }, t.records.now(), false),
      ),
    )
    expect(tasks).toEqual([`${runId(job, 2)}-0`])
  })
})

describe('a tick that is killed between any two steps', () => {
  for (const when of ['before', 'after'] as const)
    it(`(${when} a step) loses no run and makes no second one`, async () => {
      let steps = 0
      for (let at = 1, dead = true; dead; at += 1) {
        const engine = await startEngine()
        try {
          const job = await scheduled(engine)
          await untilDue(job, engine)
          const life = await engine.tickNow((step, now) => step >= at && now === when)
          dead = life.dead
          steps = at
          // Whoever ticks next, now or after every lease.
          await engine.tickNow()
          await engine.tick()
          expect(await engine.finish(job)).toMatchObject({ run: { number: 2, state: 'done' } })
          await engine.tick()
          expect((await view(job, engine)).run.number).toBe(2)
          expect(await waiting(engine.records.store)).toHaveLength(1)
        } finally {
          engine.close()
        }
      }
      expect(steps).toBeGreaterThan(5)
    })
})

describe('with many jobs', () => {
  const queue = { enqueue: async () => undefined }

  async function become(id: string, change: Pick<Run, 'state'>): Promise<void> {
    await t.records.store.transact(async (transaction) => {
      keepRun(transaction, { ...(await readRun(transaction, id)), ...change })
    })
  }

  /** Jobs whose runs are over, due at these times. */
  async function plant(dues: readonly number[], user = 'ann'): Promise<readonly string[]> {
    const ids: string[] = []
    for (const [n, dueAt] of dues.entries()) {
      const id = `${user}-${String(n).padStart(4, '0')}`
      const run = await createJob(t.records.store, t.records.owners, {
        id,
        user,
        createdAt: 0,
        latest: 1,
        request: {
          kind: 'backup',
          source: { connection: 'from', selection: { kind: 'folder', id: 'x' } },
          destination: { connection: 'to', folder: '/Backup' },
          schedule: daily,
        },
        dueAt,
        memory: emptyMemory,
      })
      await become(run.id, { state: 'done' })
      ids.push(id)
    }
    return ids
  }

  /** The store, and what was read of jobs, and of times in lists. */
  function counting(): { readonly store: Store; readonly reads: () => number } {
    const { store } = t.records
    let reads = 0
    return {
      reads: () => reads,
      store: {
        ...store,
        list: async (query) => {
          const found = await store.list(query)
          if (query.collection === 'due' || query.collection === 'jobs') reads += found.length
          return found
        },
      },
    }
  }

  it('reads one document when no job is due, and that no run is', async () => {
    const now = t.records.now()
    await plant(Array.from({ length: 300 }, (_, n) => now + 1 + n))
    const { store, reads } = counting()
    expect(await tick({ ...t.records, store, queue }, now, false)).toBe(0)
    expect(reads()).toBe(1)
  })

  it('starts those that are due, and reads hardly any other', async () => {
    const now = t.records.now()
    const late = await plant(Array.from({ length: 60 }, (_, n) => now - 60 + n))
    await plant(
      Array.from({ length: 200 }, (_, n) => now + 1 + n),
      'bob',
    )
    const { store, reads } = counting()
    expect(await tick({ ...t.records, store, queue }, now, false)).toBe(60)
    expect(reads()).toBeLessThanOrEqual(80)
    for (const id of late)
      expect(await readRun(t.records.store, runId(id, 2))).toMatchObject({ state: 'queued' })
  })

  it('starts at most 500 in one go, the longest due first', async () => {
    const now = t.records.now()
    await plant(Array.from({ length: 520 }, (_, n) => now - n))
    const started = await tick({ ...t.records, queue }, now, false)
    expect(started).toBeGreaterThanOrEqual(500)
    expect(started).toBeLessThan(520)
    const left = (await waiting()).filter(({ fields }) => Number(fields['at']) <= now)
    expect(left.map(({ fields }) => Number(fields['at']))).toEqual(
      Array.from({ length: 520 - started }, (_, n) => now - (520 - started - 1) + n),
    )
    expect(await tick({ ...t.records, queue }, now, false)).toBe(520 - started)
  })

  it('lets nobody wait for one whose keys are away, who is started when they are back', async () => {
    const now = t.records.now()
    await plant([now - 3, now - 1], 'ann')
    const [lost = ''] = await plant([now - 2], 'bob')
    const owners = {
      ...t.records.owners,
      of: async (user: string) => {
        if (user === 'bob') throw new WaybillError('key_unavailable', 'For the test.')
        return t.records.owners.of(user)
      },
    }
    const deps = { store: t.records.store, queue }
    await expect(tick({ ...deps, owners }, now, false)).rejects.toMatchObject({
      code: 'key_unavailable',
    })
    for (const id of ['ann-0000', 'ann-0001'])
      expect(await readRun(deps.store, runId(id, 2))).toMatchObject({ state: 'queued' })
    expect(await tick({ ...deps, owners: t.records.owners }, now, false)).toBe(1)
    expect(await readRun(deps.store, runId(lost, 2))).toMatchObject({ state: 'queued' })
  })

  it('drops what was sealed with lost keys, which keeps nobody else from starting', async () => {
    const now = t.records.now()
    await plant(
      Array.from({ length: 600 }, (_, n) => now - 1_000 + n),
      'bob',
    )
    const [healthy = ''] = await plant([now - 1], 'ann')
    await t.records.store.transact(async (transaction) => transaction.remove('keys', 'bob'))
    t.records.pass(60_000)
    const { store, owners } = t.records.another()
    expect(await tick({ store, owners, queue }, now, false)).toBe(1)
    expect(await readRun(store, runId(healthy, 2))).toMatchObject({ state: 'queued' })
    expect((await waiting()).map(({ fields }) => fields['user'])).toEqual(['ann'])
  })

  it.each(['key_unavailable', 'envelope_refused'] as const)(
    'starts one that stands behind 600 whose keys answer %s, and keeps those due',
    async (code) => {
      const now = t.records.now()
      await plant(
        Array.from({ length: 600 }, (_, n) => now - 1_000 + n),
        'bob',
      )
      const [healthy = ''] = await plant([now - 1], 'ann')
      const owners = {
        ...t.records.owners,
        of: async (user: string) => {
          if (user === 'bob') throw new WaybillError(code, 'For the test.')
          return t.records.owners.of(user)
        },
      }
      const { store } = t.records
      await expect(tick({ store, owners, queue }, now, false)).rejects.toMatchObject({ code })
      expect(await readRun(store, runId(healthy, 2))).toMatchObject({ state: 'queued' })
      const due = (await waiting()).filter(({ fields }) => Number(fields['at']) <= now)
      expect(due).toHaveLength(600)
    },
  )

  it('goes on to what is due and what has had its time when a run it woke cannot be enqueued', async () => {
    const [stopped = ''] = await plant([t.records.now() + HOUR_MS], 'bob')
    await become(runId(stopped, 1), { state: 'queued' })
    const now = t.records.now()
    const [due = ''] = await plant([now - 1], 'ann')
    const tasks: string[] = []
    let swept = 0
    const store: Store = {
      ...t.records.store,
      sweep: async (limit) => {
        swept += 1
        return (await t.records.store.sweep?.(limit)) ?? NaN
      },
    }
    const picky = {
      enqueue: async ({ run }: { readonly run: string }) => {
        if (run === runId(stopped, 1)) throw new WaybillError('unavailable', 'For the test.')
        tasks.push(run)
      },
    }
    const ticked = tick({ ...t.records, store, queue: picky }, now, false)
    await expect(ticked).rejects.toMatchObject({ code: 'unavailable' })
    expect(tasks).toEqual([runId(due, 2)])
    expect(swept).toBe(1)
  })
})
