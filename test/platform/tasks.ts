import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { status } from '@grpc/grpc-js'
import type { handleUnaryCall } from '@grpc/grpc-js'
import type { protos } from '@google-cloud/tasks'
import { createCallLog } from '../clouds/call-log.ts'
import type { CallLog } from '../clouds/call-log.ts'
import type { Issuer } from '../clouds/issuer.ts'
import { seededRandom } from '../clouds/random.ts'
import type { Random } from '../clouds/random.ts'
import { startGrpc } from './grpc-server.ts'
import { newTask, shownTask } from './new-task.ts'
import { refusal } from './refusal.ts'
import { createTaskQueue } from './task-queue.ts'
import type { TaskQueue } from './task-queue.ts'
import { settingsOf, shownSettings } from './task-settings.ts'
import type { Queue } from './task-settings.ts'
import { realTimers } from './timers.ts'
import type { Timers } from './timers.ts'

type V2 = typeof protos.google.cloud.tasks.v2
type Sent<K extends keyof V2> = V2[K] extends { create(properties?: infer P): unknown }
  ? NonNullable<P>
  : never

// The package exports the folder's code and not its JSON.
const { resolve: locate } = createRequire(import.meta.url)
const protosJson = join(dirname(locate('@google-cloud/tasks/build/protos')), 'protos.json')

/** A failure to be answered instead of what was asked. */
interface Told {
  readonly code: status
  times: number
  /** Whether it is done all the same, and only the answer is lost. */
  readonly done: boolean
}

/** A stand-in for Cloud Tasks. */
export interface SimulatedTasks {
  /** Where it speaks gRPC, without TLS, on 127.0.0.1. */
  readonly port: number
  /** Calls by method, such as `createTask`. */
  readonly calls: CallLog
  /** A queue that was created, by its full name, to look at and to spoil. */
  queue(name: string): TaskQueue
  /** The next calls of a method fail; `done` if what they ask for is done before. */
  fail(method: string, code: status, times?: number, done?: boolean): void
  /** Resolves when no delivery is under way. */
  quiet(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts Cloud Tasks as its official client knows it: queues with their limits, named tasks and their tombstones, and
 * deliveries over real HTTP.
 *
 * @param options.issuer signs the tokens of deliveries
 * @param options.queues full names of queues that are there from the start
 */
export async function startTasks(options: {
  readonly issuer: Issuer
  readonly timers?: Timers
  readonly random?: Random
  readonly queues?: readonly string[]
}): Promise<SimulatedTasks> {
  const {
    issuer,
    timers = realTimers,
    random = seededRandom('tasks'),
    queues: first = [],
  } = options
  const calls = createCallLog()
  const queues = new Map<string, TaskQueue>()
  const told = new Map<string, Told>()
  const watchers = new Set<() => void>()

  const underWay = (): number => [...queues.values()].reduce((sum, one) => sum + one.underWay(), 0)
  const onDelivered = (): void => {
    if (underWay() === 0) for (const watcher of watchers) watcher()
  }

  function create(name: string, queue: Queue): TaskQueue {
    const own = /^projects\/[^/]+\/locations\/[^/]+\/queues\/([A-Za-z0-9-]{1,100})$/.exec(name)?.[1]
    if (own === undefined) throw refusal(status.INVALID_ARGUMENT, 'Queue.name')
    if (queues.has(name)) throw refusal(status.ALREADY_EXISTS, 'Queue already exists')
    const settings = settingsOf(queue)
    const created = createTaskQueue(own, { settings, issuer, timers, random, onDelivered })
    queues.set(name, created)
    return created
  }

  function queueOf(name: string | null | undefined): TaskQueue {
    const found = queues.get(name ?? '')
    if (found === undefined) throw refusal(status.NOT_FOUND, 'Queue does not exist.')
    return found
  }

  /** The queue and the last part of a task's full name. */
  function taskOf(name: string | null | undefined) {
    const [, parent = '', own = ''] = /^(.+)\/tasks\/([^/]+)$/.exec(name ?? '') ?? []
    return { parent, queue: queueOf(parent), own }
  }

  const shownQueue = (name: string): Queue => {
    const queue = queueOf(name)
    return { name, state: queue.paused ? 'PAUSED' : 'RUNNING', ...shownSettings(queue.settings) }
  }

  function setPaused(name: string, paused: boolean): Queue {
    const queue = queueOf(name)
    queue.paused = paused
    queue.look()
    return shownQueue(name)
  }

  function answering<Q, A>(method: string, answer: (sent: Q) => A): handleUnaryCall<Q, A> {
    return (call, callback) => {
      calls.add(method, { calls: 1 })
      const failure = told.get(method)
      try {
        if (failure !== undefined) {
          failure.times -= 1
          if (failure.times <= 0) told.delete(method)
          if (failure.done) answer(call.request)
          throw refusal(failure.code, 'as told')
        }
        callback(null, answer(call.request))
      } catch (error) {
        calls.add(method, { refused: 1 })
        if (error instanceof Error) callback(error)
        else throw error
      }
    }
  }

  const implementation = {
    createQueue: answering('createQueue', ({ queue }: Sent<'CreateQueueRequest'>) => {
      create(queue?.name ?? '', queue ?? {})
      return shownQueue(queue?.name ?? '')
    }),
    getQueue: answering('getQueue', ({ name }: Sent<'GetQueueRequest'>) => shownQueue(name ?? '')),
    // The service creates a queue that is not there. What the mask does not name stays.
    updateQueue: answering('updateQueue', ({ queue, updateMask }: Sent<'UpdateQueueRequest'>) => {
      const name = queue?.name ?? ''
      const named = (field: string): boolean =>
        !updateMask?.paths?.length || updateMask.paths.some((path) => path.startsWith(field))
      const kept = queues.get(name) ?? create(name, {})
      const before = shownSettings(kept.settings)
      kept.settings = settingsOf({
        rateLimits: (named('rate_limits') ? queue : before)?.rateLimits ?? null,
        retryConfig: (named('retry_config') ? queue : before)?.retryConfig ?? null,
      })
      kept.look()
      return shownQueue(name)
    }),
    pauseQueue: answering('pauseQueue', ({ name }: Sent<'PauseQueueRequest'>) =>
      setPaused(name ?? '', true),
    ),
    resumeQueue: answering('resumeQueue', ({ name }: Sent<'ResumeQueueRequest'>) =>
      setPaused(name ?? '', false),
    ),
    createTask: answering(
      'createTask',
      ({ parent, task, responseView }: Sent<'CreateTaskRequest'>) => {
        const queue = queueOf(parent)
        const fresh = newTask(task, parent ?? '', timers.now())
        if (!queue.add(fresh)) {
          const why = queue.tasks.has(fresh.name) ? 'exists' : 'existed too recently'
          throw refusal(status.ALREADY_EXISTS, `The task cannot be created: its name ${why}.`)
        }
        const kept = queue.tasks.get(fresh.name)
        if (kept === undefined) throw refusal(status.INTERNAL, 'The task is gone.')
        return shownTask(kept, parent ?? '', responseView === 'FULL')
      },
    ),
    getTask: answering('getTask', ({ name, responseView }: Sent<'GetTaskRequest'>) => {
      const { queue, own, parent } = taskOf(name)
      const kept = queue.tasks.get(own)
      if (kept === undefined) throw refusal(status.NOT_FOUND, 'The task does not exist.')
      return shownTask(kept, parent, responseView === 'FULL')
    }),
    listTasks: answering('listTasks', (sent: Sent<'ListTasksRequest'>) => {
      const all = [...queueOf(sent.parent).tasks.values()].toSorted((a, b) =>
        a.name < b.name ? -1 : 1,
      )
      const rest = all.filter((task) => task.name > (sent.pageToken ?? ''))
      const page = rest.slice(0, Math.min(sent.pageSize || 1_000, 1_000))
      return {
        tasks: page.map((task) => shownTask(task, sent.parent ?? '', sent.responseView === 'FULL')),
        nextPageToken: page.length < rest.length ? (page.at(-1)?.name ?? '') : '',
      }
    }),
    deleteTask: answering('deleteTask', ({ name }: Sent<'DeleteTaskRequest'>) => {
      const { queue, own } = taskOf(name)
      if (!queue.remove(own)) throw refusal(status.NOT_FOUND, 'The task does not exist.')
      return {}
    }),
  }

  for (const name of first) create(name, {})
  const served = await startGrpc(protosJson, {
    'google.cloud.tasks.v2.CloudTasks': implementation,
  })

  return {
    port: served.port,
    calls,
    queue: queueOf,
    fail(method, code, times = 1, done = false) {
      told.set(method, { code, times, done })
    },
    quiet: async () =>
      new Promise((resolve) => {
        const look = (): void => {
          if (underWay() > 0) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      }),
    async close() {
      for (const queue of queues.values()) queue.close()
      await served.close()
    },
  }
}
