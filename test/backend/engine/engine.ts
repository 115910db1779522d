import { randomBytes } from 'node:crypto'
import type { Task } from '../../../backend/dispatch/queue.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { readJob } from '../../../backend/records/jobs.ts'
import type { Job } from '../../../backend/records/jobs.ts'
import { openJobRows } from '../../../backend/records/job-rows.ts'
import type { Row } from '../../../backend/records/row.ts'
import { createJobs } from '../../../backend/run/act-on-jobs.ts'
import type { JobView, Jobs } from '../../../backend/run/jobs.ts'
import { createRunner } from '../../../backend/run/run-task.ts'
import type { SliceEnd } from '../../../backend/run/run-task.ts'
import { verifyReceipt } from '../../../backend/run/verify-receipt.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import type { Store } from '../../../backend/store/store.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { JobRequest, Selection } from '../../../shared/job.ts'
import { isOver } from '../../../shared/job.ts'
import type { ReceiptLine, ReceiptSummary } from '../../../shared/receipt.ts'
import { keepRecords } from './kept-records.ts'
import type { KeptRecords } from './kept-records.ts'
import { createTinyDrive } from './tiny-drive.ts'
import type { TinyDrive } from './tiny-drive.ts'
import { createTinyDropbox } from './tiny-dropbox.ts'
import type { TinyDropbox } from './tiny-dropbox.ts'

const turn = async (): Promise<void> => undefined

/** Thrown out of every call of a worker from the moment at which it is killed. */
class Killed extends Error {}

/** A worker's life: each call to the store or a cloud is a step, and it may be killed before or after any of them. */
export interface Life {
  steps: number
  dead: boolean
  /** Dies when this says so. */
  readonly diesAt: (step: number, when: 'before' | 'after', name: string) => boolean
}

export interface Engine {
  readonly records: KeptRecords
  readonly drive: TinyDrive
  readonly dropbox: TinyDropbox
  readonly jobs: Jobs
  readonly user: string
  readonly ends: SliceEnd[]
  /** Tasks that wait, in order. */
  readonly tasks: { readonly task: Task; readonly notBefore: number }[]
  /** So many times the queue takes no task. */
  refuseTasks(count: number): void
  start(selection: Selection, also?: Partial<JobRequest>): Promise<string>
  /** Delivers the next task to a worker; returns what it lived. */
  deliver(diesAt?: Life['diesAt'], sliceMs?: number): Promise<Life>
  /** What a process does now and then; the clock moves past every lease first. */
  tick(): Promise<number>
  /** As `tick`, at this very moment, in a process that may be killed. */
  tickNow(diesAt?: Life['diesAt']): Promise<Life & { readonly count: number }>
  /** Works, waits and ticks until the newest run is over or paused. */
  finish(job: string): Promise<JobView>
  copy(selection: Selection, also?: Partial<JobRequest>): Promise<string>
  again(job: string): Promise<JobView>
  /** The receipt, verified. */
  receipt(job: string): Promise<{
    readonly lines: readonly ReceiptLine[]
    readonly summary: ReceiptSummary['summary']
  }>
  job(id: string): Promise<Job>
  row(job: string, sourceId: string): Promise<Row | null>
  close(): void
}

export interface EngineOptions {
  readonly drive?: Parameters<typeof createTinyDrive>[0]
  readonly dropbox?: Parameters<typeof createTinyDropbox>[0]
}

/** The whole engine between a tiny source and a tiny destination, worked by hand: nothing happens by itself. */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const records = keepRecords()
  const { store, owners, now } = records
  const drive = createTinyDrive(options.drive)
  const dropbox = createTinyDropbox(options.dropbox)
  const user = 'ann'
  const tasks: Engine['tasks'] = []
  const names = new Set<string>()
  const ends: SliceEnd[] = []
  let refused = 0
  const connections = createConnections(store, owners)
  const credentials = {
    accountId: 'x',
    label: 'x',
    refreshToken: 'x',
    accessToken: null,
    accessExpiresAt: 0,
  }
  for (const [id, provider] of [
    ['from', 'google-drive'],
    ['to', 'dropbox'],
  ] as const)
    await connections.create({ id, user, provider, state: 'active', createdAt: 0, credentials })
  const queueFor = (life: Life | null) => ({
    enqueue: async (task: Task, { name, notBefore }: { name: string; notBefore?: number }) => {
      if (life?.dead === true) throw new Killed()
      if (refused > 0) {
        refused -= 1
        throw new WaybillError('unavailable', 'The queue cannot be reached.')
      }
      if (names.has(name)) return
      names.add(name)
      tasks.push({ task, notBefore: notBefore ?? now() })
    },
  })
  const jobs = createJobs({
    store,
    owners,
    connections,
    queue: queueFor(null),
    now,
    random: randomBytes,
    sleep: async (ms) => records.pass(ms),
  })

  const deliver: Engine['deliver'] = async (diesAt = () => false, sliceMs = 60_000) => {
    const life: Life = { steps: 0, dead: false, diesAt }
    const next = tasks.shift()
    if (next === undefined) return life
    const mine: Store = mortal(life, 'store', store)
    const runner = createRunner({
      store: mine,
      owners,
      queue: queueFor(life),
      open: async () => ({
        source: mortal(life, 'source', drive.source),
        destination: mortal(life, 'destination', dropbox.destination),
      }),
      now,
      random: randomBytes,
      turn,
      sliceMs,
      onEnd: (end) => ends.push(end),
    })
    try {
      const delivery = await runner.handle(next.task, new AbortController().signal)
      if (delivery === 'again') tasks.push(next)
    } catch (error) {
      // A dead worker's task is delivered again, as one that failed is.
      tasks.push(next)
      if (!life.dead) throw error
    }
    return life
  }
  const doTick = async (): Promise<number> => {
    records.pass(130_000)
    return tick({ store, owners, queue: queueFor(null) }, now(), false)
  }
  const tickNow: Engine['tickNow'] = async (diesAt = () => false) => {
    const life: Life = { steps: 0, dead: false, diesAt }
    const mine = mortal(life, 'store', store)
    const count = await tick(
      { store: mine, owners, queue: mortal(life, 'queue', queueFor(null)) },
      now(),
      false,
    ).catch((error: unknown) => {
      if (!life.dead) throw error
      return 0
    })
    return { ...life, count }
  }
  const finish = async (job: string): Promise<JobView> => {
    for (let turns = 0; turns < 200; turns += 1) {
      const view = await jobs.get(user, job)
      if (isOver(view.run.state) || view.run.state === 'paused') return view
      if (tasks.length === 0) await doTick()
      const soonest = Math.min(...tasks.map((each) => each.notBefore))
      if (Number.isFinite(soonest) && soonest > now()) records.pass(soonest - now())
      tasks.sort((a, b) => a.notBefore - b.notBefore)
      await deliver()
      // Longer than a lease, so that what a dead worker holds is free.
      records.pass(61_000)
    }
    throw new Error('the run does not end')
  }
  const start: Engine['start'] = async (selection, also) => {
    const request = {
      kind: 'copy' as const,
      source: { connection: 'from', selection },
      destination: { connection: 'to', folder: '/Backup' },
      ...also,
    }
    return (await jobs.create(user, request)).id
  }
  const finished = async (job: string): Promise<JobView> => {
    const view = await finish(job)
    if (view.run.state !== 'done')
      throw new Error(`the run is ${view.run.state}: ${view.run.reason ?? ''}`, {
        cause: ends.at(-1)?.error,
      })
    return view
  }
  return {
    records,
    drive,
    dropbox,
    jobs,
    user,
    ends,
    tasks,
    refuseTasks: (count) => {
      refused = count
    },
    start,
    deliver,
    tick: doTick,
    tickNow,
    finish,
    copy: async (selection, also) => {
      const job = await start(selection, also)
      await finished(job)
      return job
    },
    again: async (job) => {
      await jobs.again(user, job)
      return finished(job)
    },
    receipt: async (job) => {
      const texts: string[] = []
      for await (const text of jobs.receipt(user, job)) texts.push(text)
      const view = await jobs.get(user, job)
      await verifyReceipt(texts, view.run.root ?? '')
      const last: ReceiptSummary = JSON.parse(texts.at(-1) ?? '{}')
      return {
        lines: texts.slice(0, -1).map((text): ReceiptLine => JSON.parse(text)),
        summary: last.summary,
      }
    },
    job: async (id) => readJob(store, owners, user, id),
    row: async (job, sourceId) => {
      const kept = await openJobRows({ store, owners, user, job, isNew: false, turn })
      const [row] = await kept.rows([sourceId])
      return row ?? null
    },
    close: () => records.close(),
  }
}

/** The same object, each of whose calls is a step in a worker's life. */
function mortal<T extends object>(life: Life, room: string, whole: T): T {
  const step = (when: 'before' | 'after', name: string): void => {
    if (when === 'before') life.steps += 1
    life.dead ||= life.diesAt(life.steps, when, `${room}.${name}`)
    if (life.dead) throw new Killed()
  }
  return new Proxy(whole, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        step('before', String(name))
        const answer: unknown = await Reflect.apply(value, target, args)
        step('after', String(name))
        return answer
      }
    },
  })
}
