import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { freeze as freezeRecord } from '../../../backend/records/freezes.ts'
import { createFreezing } from '../../../backend/run/freezing.ts'
import type { Freezing } from '../../../backend/run/freezing.ts'
import { createRunner } from '../../../backend/run/run-task.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let top: string
let freezing: Freezing
beforeEach(async () => {
  t = await startEngine()
  top = t.drive.folder('Top')
  const { store, owners, now } = t.records
  const queue = {
    enqueue: async (task: Engine['tasks'][number]['task']) =>
      void t.tasks.push({ task, notBefore: now() }),
  }
  freezing = createFreezing({
    store,
    owners,
    queue,
    acts: createActs({ store, owners, now, random: randomBytes }),
    now,
  })
})
afterEach(() => t.close())

const stopped = { state: 'paused', reason: 'frozen', resumesAt: null }
const runOf = async (job: string) => (await t.jobs.get(t.user, job)).run

describe('what is frozen', () => {
  it('begins no slice, also not one that was enqueued, due or resumed', async () => {
    t.drive.file('a', top, 'a')
    const job = await t.start({ kind: 'folder', id: top })
    expect(await freezing.freeze(t.user)).toMatchObject({ frozen: true })
    await t.deliver()
    expect(await runOf(job)).toMatchObject(stopped)
    await t.jobs.resume(t.user, job)
    await t.deliver()
    await t.tick()
    await t.deliver()
    expect(await runOf(job)).toMatchObject(stopped)
    expect(t.dropbox.files()).toEqual({})
  })

  it('goes on where it was once that is over', async () => {
    t.drive.file('a', top, 'a')
    const job = await t.start({ kind: 'folder', id: top })
    await freezing.freeze(t.user)
    await t.deliver()
    expect(await freezing.unfreeze(t.user)).toEqual({ frozen: false, since: null })
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', reason: null })
    expect(Object.keys(t.dropbox.files())).toHaveLength(1)
  })

  it('leaves alone what waits for something else, and everything of others', async () => {
    t.drive.file('a', top, 'a')
    const job = await t.start({ kind: 'folder', id: top })
    await t.jobs.pause(t.user, job)
    await freezing.freeze('bob')
    await freezing.freeze(t.user)
    await freezing.unfreeze(t.user)
    expect(await runOf(job)).toMatchObject({ state: 'paused', reason: null })
    await t.jobs.resume(t.user, job)
    expect((await t.finish(job)).run.state).toBe('done')
  })

  it('says since when, the first time', async () => {
    expect(await freezing.look(t.user)).toEqual({ frozen: false, since: null })
    const first = await freezing.freeze(t.user)
    t.records.pass(60_000)
    expect(await freezing.freeze(t.user)).toEqual(first)
    expect(await freezing.look(t.user)).toEqual(first)
  })
})

it('an alarm that is raised in the very moment in which somebody ends a freeze counts', async () => {
  const { store, owners, now } = t.records
  await freezing.freeze(t.user)
  const acts = createActs({ store, owners, now, random: randomBytes })
  const racing = createFreezing({
    store,
    owners,
    queue: { enqueue: async () => undefined },
    acts: {
      leaf: async (user, act) => {
        // The last thing before the transaction.
        await freezeRecord(store, user, now(), 'alarm')
        return acts.leaf(user, act)
      },
    },
    now,
  })
  const asked = racing.unfreezeSignedIn(t.user, null)
  await expect(asked).rejects.toMatchObject({ code: 'forbidden' })
  expect(await freezing.look(t.user)).toMatchObject({ frozen: true })
})

it('a slice at work ends with the next renewal of its lease', async () => {
  for (let n = 0; n < 300; n += 1) t.drive.file(`f${n}`, top, `content ${n}`)
  const job = await t.start({ kind: 'folder', id: top })
  const { store, owners, now } = t.records
  let opened = 0
  const { source } = t.drive
  const runner = createRunner({
    store,
    owners,
    queue: { enqueue: async () => undefined },
    open: async () => ({
      source: {
        ...source,
        open: async (...asked: Parameters<typeof source.open>) => {
          opened += 1
          if (opened === 1) await freezing.freeze(t.user)
          // Slower than the lease is renewed: most of the files are still to come when it is noticed.
          await sleep(100)
          return source.open(...asked)
        },
      },
      destination: t.dropbox.destination,
    }),
    now,
    random: randomBytes,
    turn: async () => sleep(0),
    sliceMs: 60_000,
    leaseMs: 60,
    onEnd: (end) => t.ends.push(end),
  })
  const [next] = t.tasks
  if (next === undefined) throw new Error('there is no task')
  await runner.handle(next.task, new AbortController().signal)
  expect(await runOf(job)).toMatchObject(stopped)
  expect(t.ends.at(-1)).toMatchObject({ end: 'paused', code: 'frozen' })
  expect(Object.keys(t.dropbox.files()).length).toBeLessThan(300)
})

it('a slice that was stopped goes on if that is over before it has ended', async () => {
  t.drive.file('a', top, 'a')
  const job = await t.start({ kind: 'folder', id: top })
  const { store, owners, now } = t.records
  const runner = createRunner({
    store,
    owners,
    queue: { enqueue: async (task) => void t.tasks.push({ task, notBefore: now() }) },
    open: async () => {
      await freezing.freeze(t.user)
      // The slice has heard of it, and the run is not paused yet when its owner looks through those that are.
      await freezing.unfreeze(t.user)
      throw new WaybillError('frozen', 'For the test.')
    },
    now,
    random: randomBytes,
    turn: async () => sleep(0),
    sliceMs: 60_000,
    onEnd: (end) => t.ends.push(end),
  })
  const next = t.tasks.shift()
  if (next === undefined) throw new Error('there is no task')
  await runner.handle(next.task, new AbortController().signal)
  expect(await runOf(job)).toMatchObject({ state: 'running', reason: null })
  expect((await t.finish(job)).run.state).toBe('done')
})

describe('keys in memory', () => {
  const seal = { a: 1 }

  it('are gone from the process that froze', async () => {
    const owner = await t.records.owners.of(t.user)
    owner.seal('jobs', 'x', seal)
    await freezing.freeze(t.user)
    expect(() => owner.seal('jobs', 'x', seal)).toThrow(
      expect.objectContaining({ code: 'key_unavailable' }),
    )
  })

  it('are gone from every other process the next time that it looks, half a minute later at most', async () => {
    const { owners } = t.records.another()
    const owner = await owners.of(t.user)
    await freezing.freeze(t.user)
    owner.seal('jobs', 'x', seal)
    t.records.pass(20_000)
    await owners.of(t.user)
    expect(() => owner.seal('jobs', 'x', seal)).toThrow(
      expect.objectContaining({ code: 'key_unavailable' }),
    )
  })

  it('come back when they are asked for: what was sealed still opens', async () => {
    const sealed = (await t.records.owners.of(t.user)).seal('jobs', 'x', seal)
    await freezing.freeze(t.user)
    expect((await t.records.owners.of(t.user)).open('jobs', 'x', sealed)).toEqual(seal)
  })
})
