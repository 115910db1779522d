import { setImmediate as turn } from 'node:timers/promises'
import { callCosts } from '../../backend/clouds/call-costs.ts'
import type { Source } from '../../backend/clouds/cloud.ts'
import { createSteady } from '../../backend/clouds/steady.ts'
import type { Steady } from '../../backend/clouds/steady.ts'
import type { Random } from '../../backend/clouds/waiting.ts'
import type { Delivery, Task } from '../../backend/dispatch/queue.ts'
import { enqueue } from '../../backend/run/run-task.ts'
import { WaybillError, dispositionOf } from '../../shared/errors.ts'
import type { Quota } from '../backend/clouds/quotas.ts'
import { createVirtualTime } from '../backend/clouds/virtual-time.ts'
import { startCloudQueue } from '../backend/dispatch/start-cloud-queue.ts'
import { seededRandom } from '../clouds/random.ts'
import type { TaskSettings } from '../platform/task-settings.ts'
import type { Timers } from '../platform/timers.ts'
import { createSimulatedDrive, file } from './simulated-drive.ts'
import type { Calls } from './simulated-drive.ts'

const minuteMs = 60_000
/** Noon somewhere: Cloud Tasks wants dates. */
const start = Date.UTC(2027, 0, 15, 12)
/** As in `backend/main.ts` and `backend/run`. */
const sliceMs = 4 * minuteMs
const itemsAtOnce = 16
const firstWaitMs = 2_000
const longestWaitMs = 10 * minuteMs

export const filesOfSmallJob = 100

const cost = callCosts['google-drive']

/** What a small job costs when nothing is refused. */
export const unitsOfSmallJob = cost.get + cost.other + cost.list + filesOfSmallJob * cost.open

export interface Setting {
  readonly seed: string
  /** The quotas of the project and of one user. Their clock is the simulation's. */
  readonly project: (random: Random) => Quota
  readonly ofUser: (random: Random) => Quota
  readonly queue: TaskSettings
  readonly instances: number
  readonly slicesPerInstance: number
  readonly users: number
  readonly endlessJobs: number
  /** How many small jobs are created a minute, on average. */
  readonly smallJobs: number
  /** Small jobs are created for so many minutes, of which `from` are not counted in `calls`. */
  readonly from: number
  readonly to: number
}

/** What became of a job. Times in milliseconds since the start. */
export interface JobRecord {
  readonly id: string
  readonly user: string
  readonly endless: boolean
  readonly createdAt: number
  readonly endedAt: number | null
  /** That the provider let through. */
  readonly units: number
  /** Of these, in the minutes that count. */
  readonly unitsCounted: number
  readonly files: number
  readonly slices: number
  /** Slices that ended because a call was refused for too long. */
  readonly waits: number
}

export interface Outcome {
  readonly jobs: readonly JobRecord[]
  readonly calls: Calls
  /** In the minutes that count. */
  readonly callsCounted: Calls
  readonly mostSlicesAtOnce: number
}

interface Job {
  readonly id: string
  readonly user: string
  readonly endless: boolean
  readonly createdAt: number
  endedAt: number | null
  fence: number
  scanned: boolean
  left: number
  files: number
  units: number
  unitsCounted: number
  slices: number
  waits: number
  /** Slices in a row that ended in a refusal. */
  attempts: number
}

/**
 * Lets many people copy at once, in virtual time. Real: the pace and the patience of every call, a runner's HTTP
 * endpoint, the queue (through Google's client, at the stand-in with the deployed limits), slices and their hand-over.
 * Modelled: what a slice does (lists, then opens files, as many at once as the engine) and the Drive.
 */
export async function runManyJobs(setting: Setting): Promise<Outcome> {
  const { seed, from, to } = setting
  const random = seededRandom(seed)
  const time = createVirtualTime()
  const clock = (): number => start + time.clock()
  // Whole milliseconds, so that time can stand still at each of them while the network of this machine is at work.
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> =>
    time.sleep(Math.ceil(ms), signal)
  const timers: Timers = {
    now: clock,
    after(ms, act) {
      const off = new AbortController()
      sleep(ms, off.signal).then(act, (error: unknown) => {
        if (!off.signal.aborted) throw error
      })
      return () => off.abort()
    },
  }
  const drive = createSimulatedDrive({
    clock: time.clock,
    random,
    sleep,
    project: setting.project(random),
    ofUser: () => setting.ofUser(random),
  })
  const instances = Array.from({ length: setting.instances }, () => ({
    steady: createSteady({ clock, random, sleep }),
    slices: 0,
  }))
  const jobs = new Map<string, Job>()
  const counts = (): boolean => time.clock() >= from * minuteMs && time.clock() < to * minuteMs
  let atWork = 0
  let enqueuing = 0
  let mostSlicesAtOnce = 0

  const cloud = await startCloudQueue({
    timers,
    serve: {
      handle: async (task, stop) => {
        atWork += 1
        mostSlicesAtOnce = Math.max(mostSlicesAtOnce, atWork)
        try {
          return await handle(task, stop)
        } finally {
          atWork -= 1
        }
      },
    },
  })
  cloud.inside.settings = setting.queue

  async function next(job: Job, notBefore?: number): Promise<void> {
    enqueuing += 1
    try {
      await enqueue(cloud.queue, { run: job.id, fence: job.fence }, notBefore)
    } finally {
      enqueuing -= 1
    }
  }

  async function handle(task: Task, stop: AbortSignal): Promise<Delivery> {
    const job = jobs.get(task.run)
    if (job === undefined || task.fence !== job.fence) return 'done'
    const free = instances.filter(({ slices }) => slices < setting.slicesPerInstance)
    const instance = free[Math.floor(random() * free.length)]
    // It would be answered with 429: the deployed numbers do not let it come to that.
    if (instance === undefined) throw new Error('There is no room for this slice.')
    instance.slices += 1
    job.slices += 1
    try {
      const over = await work(job, instance.steady, stop)
      if (over) {
        job.endedAt = time.clock()
        return 'done'
      }
      job.fence += 1
      job.attempts = 0
      await next(job, clock())
    } catch (error) {
      if (stop.aborted) {
        job.fence += 1
        await next(job, clock())
        return 'done'
      }
      if (!(error instanceof WaybillError) || dispositionOf(error.code) !== 'retry') throw error
      const backoff = Math.min(firstWaitMs * 2 ** job.attempts, longestWaitMs)
      job.fence += 1
      job.attempts += 1
      job.waits += 1
      await next(job, clock() + Math.max(backoff, error.retryAfterMs ?? 0))
    } finally {
      instance.slices -= 1
    }
    return 'done'
  }

  /** @returns whether the job is over */
  async function work(job: Job, steady: Steady, stop: AbortSignal): Promise<boolean> {
    const failed = new AbortController()
    const until = clock() + sliceMs
    const onCall = (units: number): void => {
      job.units += units
      if (counts()) job.unitsCounted += units
    }
    const source = steady.source(
      drive.source(job.user, onCall),
      job.user,
      AbortSignal.any([stop, failed.signal]),
    )
    if (!job.scanned) {
      await source.ownDrive()
      await source.changesToken('my-drive')
      await source.list({ kind: 'corpus', corpus: 'my-drive' }, null)
      job.scanned = true
    }
    const lane = async (): Promise<void> => {
      while (job.left > 0 && clock() < until) {
        job.left -= 1
        try {
          await carry(source, failed.signal)
          job.files += 1
        } catch (error) {
          job.left += 1
          failed.abort(error)
          throw error
        }
      }
    }
    const lanes = await Promise.allSettled(Array.from({ length: itemsAtOnce }, lane))
    const broken = lanes.find((each) => each.status === 'rejected')
    if (broken !== undefined) throw failed.signal.reason
    // What was staged is committed.
    await sleep(500 + random() * 1_000)
    return job.left === 0
  }

  async function carry(source: Source, signal: AbortSignal): Promise<void> {
    await source.open(file, { from: 0, signal })
    await sleep(100 + random() * 400)
  }

  function create(endless: boolean, user: string): void {
    const job: Job = {
      id: `${endless ? 'endless' : 'small'}-${jobs.size}`,
      user,
      endless,
      createdAt: time.clock(),
      endedAt: null,
      fence: 0,
      scanned: false,
      left: endless ? Infinity : filesOfSmallJob,
      files: 0,
      units: 0,
      unitsCounted: 0,
      slices: 0,
      waits: 0,
      attempts: 0,
    }
    jobs.set(job.id, job)
    next(job).catch(note)
  }

  const failures: unknown[] = []
  const note = (error: unknown): void => {
    failures.push(error)
  }

  async function createEndless(): Promise<void> {
    for (let at = 0; at < setting.endlessJobs; at += 1) {
      create(true, `user-${at}`)
      await sleep(random() * 10_000)
    }
  }

  // A Poisson process: the times between arrivals are exponential.
  async function createSmall(): Promise<void> {
    for (;;) {
      await sleep((-Math.log(1 - random()) * minuteMs) / setting.smallJobs)
      if (time.clock() >= to * minuteMs) return
      create(false, `user-${Math.floor(random() * setting.users)}`)
    }
  }

  const isOnTheWay = (): boolean => enqueuing > 0 || cloud.inside.underWay() > atWork

  /** Time stands still while tasks and answers are on their way through this machine's network. */
  async function passUntil(end: number): Promise<void> {
    while (time.clock() < end && failures.length === 0) {
      await time.runUntil(time.clock() + 1)
      while (isOnTheWay()) await turn()
    }
  }

  try {
    createEndless().catch(note)
    createSmall().catch(note)
    await passUntil(from * minuteMs)
    const before = drive.calls()
    await passUntil(to * minuteMs)
    const callsCounted = minus(drive.calls(), before)
    const small = [...jobs.values()].filter(({ endless }) => !endless)
    for (let more = 0; more < 15 && small.some(({ endedAt }) => endedAt === null); more += 1)
      await passUntil(time.clock() + minuteMs)
    if (failures.length > 0) throw failures[0]
    return { jobs: [...jobs.values()], calls: drive.calls(), callsCounted, mostSlicesAtOnce }
  } finally {
    await cloud.close()
  }
}

function minus(a: Calls, b: Calls): Calls {
  return {
    units: a.units - b.units,
    granted: a.granted - b.granted,
    refused: a.refused - b.refused,
  }
}
