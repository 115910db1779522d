import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createConnections } from '../../../backend/records/connections.ts'
import { createJobs } from '../../../backend/run/act-on-jobs.ts'
import type { Jobs } from '../../../backend/run/jobs.ts'
import { createRunner } from '../../../backend/run/run-task.ts'
import type { SliceEnd } from '../../../backend/run/run-task.ts'
import { isOver } from '../../../shared/job.ts'
import type { Manners } from '../../platform/task-queue.ts'
import { createManualTimers } from '../../platform/timers.ts'
import { startCloudQueue } from '../dispatch/start-cloud-queue.ts'
import type { CloudQueue } from '../dispatch/start-cloud-queue.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

const sliceMs = 50
const times = 100
const request = {
  kind: 'copy',
  source: { connection: 'from', selection: { kind: 'folder', id: 'folder-1' } },
  destination: { connection: 'to', folder: '/Backup' },
} as const

/** A little of everything; the top is `folder-1`. Returns what comes to change it. */
function plant({ drive, dropbox }: Engine): () => void {
  const top = drive.folder('Top')
  const inner = drive.folder('Inner', drive.folder('Outer', top))
  const files = Array.from({ length: 6 }, (_, n) =>
    drive.file(`f${n}`, n < 3 ? top : inner, `content ${n}`),
  )
  drive.file('twin', inner, 'one')
  drive.file('TWIN', inner, 'two')
  drive.document('doc', top, { docx: null, pdf: 'as pdf' })
  drive.file('locked', top, 'locked', { canDownload: false })
  const [, renamed = '', changed = '', moved = ''] = files
  return () => {
    drive.change(renamed, { name: 'renamed' })
    drive.change(changed, {}, 'other content')
    drive.change(moved, { parentId: top })
    drive.file('new', inner, 'new')
    dropbox.remove('/Backup/f0')
  }
}

/** The engine on Cloud Tasks: nothing happens unless time is let pass. */
interface Deployed {
  readonly engine: Engine
  readonly cloud: CloudQueue
  readonly jobs: Jobs
  /** How slices ended. */
  readonly ends: readonly SliceEnd['end'][]
  /** Lets time pass until the run is over, under a queue with such manners. */
  finish(job: string, manners: Manners): Promise<void>
  close(): Promise<void>
}

async function deploy(sleepy: boolean): Promise<Deployed> {
  const engine = await startEngine()
  const { store, owners, now } = engine.records
  const timers = createManualTimers(now())
  const ends: SliceEnd['end'][] = []
  const pass = (ms: number): void => {
    engine.records.pass(ms)
    timers.pass(ms)
  }
  let calls = 0
  // A slice has time for a call or two. With such workers, the lease runs out under them ten times.
  const call = async (): Promise<void> => {
    calls += 1
    pass(sleepy && calls % 7 === 0 && calls <= 70 ? 61_000 : 30)
    // Long enough for the others to come.
    await wait(20)
  }
  engine.drive.onCall(call)
  engine.dropbox.onCall(call)
  const cloud = await startCloudQueue({
    timers,
    serve: { handle: async (task, stop) => runner.handle(task, stop) },
  })
  const { queue } = cloud
  const runner = createRunner({
    store,
    owners,
    queue,
    open: async () => ({
      source: engine.drive.source,
      destination: engine.dropbox.destination,
    }),
    now,
    random: randomBytes,
    turn: async () => new Promise((resolve) => setImmediate(resolve)),
    sliceMs,
    onEnd: ({ end }) => ends.push(end),
  })
  const jobs = createJobs({
    store,
    owners,
    connections: createConnections(store, owners),
    queue,
    now,
    random: randomBytes,
    sleep: async (ms) => pass(ms),
  })
  return {
    engine,
    cloud,
    jobs,
    ends,
    async finish(job, manners) {
      cloud.inside.behave(manners)
      for (let turns = 0; turns < 1_000; turns += 1) {
        await cloud.tasks.quiet()
        if (isOver((await jobs.get(engine.user, job)).run.state)) return
        pass(1_000)
      }
      throw new Error('the run does not end')
    },
    async close() {
      await cloud.close()
      engine.close()
    },
  }
}

/** What is left of a run, but for the times at which it happened and ids that differ each time. */
async function stateOf({ engine, jobs }: Deployed, job: string) {
  const { lines, summary } = await engine.receipt(job)
  const { phase, state, totals } = (await jobs.get(engine.user, job)).run
  return {
    run: { phase, state, totals },
    files: engine.dropbox.files(),
    folders: engine.dropbox.folders(),
    lines: lines
      .map(({ source, outcome, destination, proof, reason }) => ({
        source,
        outcome,
        path: destination?.path,
        proof,
        reason,
      }))
      .toSorted((a, b) => a.source.id.localeCompare(b.source.id)),
    summary: { ...summary, job: '', root: '', since: null },
  }
}

/** One run under good manners, or such; and what has changed since, under the same. */
async function twoRuns(t: Deployed, manners: Manners) {
  const change = plant(t.engine)
  const { id } = await t.jobs.create(t.engine.user, request)
  await t.finish(id, manners)
  const first = await stateOf(t, id)
  change()
  await t.jobs.again(t.engine.user, id)
  await t.finish(id, manners)
  return { id, first, second: await stateOf(t, id) }
}

let asExpected: ReturnType<typeof twoRuns> | undefined

/** The two runs under a queue that delivers each task once, in order. */
async function asItShouldBe(): ReturnType<typeof twoRuns> {
  asExpected ??= deploy(false).then(async (t) => {
    try {
      return await twoRuns(t, {})
    } finally {
      await t.close()
    }
  })
  return asExpected
}

let deployed: Deployed[]
beforeEach(() => {
  deployed = []
})
afterEach(async () => {
  for (const each of deployed) await each.close()
})

async function deployedNow(sleepy = false): Promise<Deployed> {
  const one = await deploy(sleepy)
  deployed.push(one)
  return one
}

describe('every task of a run', () => {
  const all: Manners = { copies: 10, shuffled: true, replays: 30 }
  it.each<[string, Manners, boolean]>([
    [`${times} times at the same time`, { copies: times }, false],
    ['in any order, with old ones again and again', { shuffled: true, replays: times }, false],
    ['in all of these ways at once', all, false],
    ['in all of these ways, to workers whose lease runs out under them', all, true],
  ])('may be delivered %s: the end is the same', async (_, manners, sleepy) => {
    const plain = await asItShouldBe()
    const t = await deployedNow(sleepy)
    const spoilt = await twoRuns(t, manners)
    expect(plain.first).toMatchObject({ run: { state: 'done' }, summary: { copied: 11 } })
    expect(spoilt.first).toEqual(plain.first)
    expect(spoilt.second).toEqual(plain.second)
    const { delivered } = t.cloud.inside
    // A run of many slices, or it would prove little.
    expect(new Set(delivered.map((each) => each.task)).size).toBeGreaterThan(8)
    // Some came while another worker was at it, and no answer was any other; the sleepiest gave none in time.
    const answers = delivered.flatMap(({ status }) => (status === null ? [] : [status]))
    expect(new Set(answers)).toEqual(new Set([204, 409]))
    expect(t.ends.includes('lost')).toBe(sleepy)
  })

  it(`may be delivered ${times} times more when the run is over: nothing happens`, async () => {
    const t = await deployedNow()
    const { id, second } = await twoRuns(t, {})
    const { engine, cloud } = t
    const view = await t.jobs.get(engine.user, id)
    const calls = JSON.stringify([engine.drive.calls, engine.dropbox.calls])
    const names = [...new Set(cloud.inside.delivered.map((each) => each.task))]
    const before = cloud.tasks.calls.snapshot()
    for (let n = 0; n < times; n += 1) {
      const answers = await Promise.all(names.map(async (name) => cloud.inside.replay(name)))
      expect(answers).toEqual(names.map(() => 204))
    }
    expect(await t.jobs.get(engine.user, id)).toEqual(view)
    expect(await stateOf(t, id)).toEqual(second)
    expect(JSON.stringify([engine.drive.calls, engine.dropbox.calls])).toBe(calls)
    expect(cloud.tasks.calls.since(before).calls).toBe(0)
  })
})
