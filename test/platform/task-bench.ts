import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { CloudTasksClient } from '@google-cloud/tasks'
import type { status } from '@grpc/grpc-js'
import { expect } from '@jest/globals'
import { listen } from '../backend/api/listen.ts'
import { startIssuer } from '../clouds/issuer.ts'
import type { Issuer } from '../clouds/issuer.ts'
import { tasksClient } from './tasks-client.ts'
import { startTasks } from './tasks.ts'
import type { SimulatedTasks } from './tasks.ts'
import { createManualTimers } from './timers.ts'
import type { ManualTimers } from './timers.ts'

export const queue = 'projects/test/locations/europe-west3/queues/runs'
export const start = Date.UTC(2027, 0, 15, 12)

/** What a worker was brought. */
interface Got {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** By the queue's clock, in milliseconds since the start. */
  readonly at: number
}

/** What it answers; `after` is a Retry-After. */
type Said = { readonly status: number; readonly after?: string } | 'nothing'

export type Sent = NonNullable<NonNullable<Parameters<CloudTasksClient['createTask']>[0]>['task']>
type Settings = NonNullable<Parameters<CloudTasksClient['updateQueue']>[0]>

/** The stand-in with one queue, whose first retry is after 10 seconds, and a worker that writes down what it gets. */
export interface TaskBench {
  readonly timers: ManualTimers
  readonly issuer: Issuer
  readonly tasks: SimulatedTasks
  readonly client: CloudTasksClient
  readonly worker: { readonly url: string }
  readonly got: readonly Got[]
  bodies(): readonly string[]
  /** What the worker answers: 200 at first. */
  say: (got: Got) => Said
  /** Makes a task for the worker, whose body is its name. */
  make(name: string, more?: Sent, http?: Sent['httpRequest']): Promise<unknown>
  configure(settings: Settings): Promise<unknown>
  /** Lets seconds pass step by step, each when everything that was due before is over. */
  pass(seconds: number, stepMs?: number): Promise<void>
  /** Resolves when the worker has been brought so many. */
  brought(count: number): Promise<void>
  close(): Promise<void>
}

/** What the client rejects with for an answer of this code. */
export const refusedWith = (code: status) => expect.objectContaining({ code })

export async function startTaskBench(): Promise<TaskBench> {
  const timers = createManualTimers(start)
  const got: Got[] = []
  const issuer = await startIssuer({ now: timers.now })
  const tasks = await startTasks({ issuer, timers })
  const client = tasksClient(tasks.port)
  const retryConfig = { minBackoff: { seconds: 10 } }
  const parent = 'projects/test/locations/europe-west3'
  await client.createQueue({ parent, queue: { name: queue, retryConfig } })
  const worker = await listen(
    createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const one = { headers: request.headers, body, at: timers.now() - start }
        got.push(one)
        const said = bench.say(one)
        if (said === 'nothing') return
        if (said.after !== undefined) response.setHeader('retry-after', said.after)
        response.writeHead(said.status).end()
      })
    }),
  )
  const bench: TaskBench = {
    timers,
    issuer,
    tasks,
    client,
    worker,
    got,
    bodies: () => got.map((each) => each.body),
    say: () => ({ status: 200 }),
    async make(name, more = {}, http = {}) {
      const httpRequest = { url: `${worker.url}/work`, body: Buffer.from(name), ...http }
      const task = { name: `${queue}/tasks/${name}`, httpRequest, ...more }
      await client.createTask({ parent: queue, task })
    },
    configure: async (settings) =>
      client.updateQueue({ ...settings, queue: { name: queue, ...settings.queue } }),
    async pass(seconds, stepMs = 1_000) {
      for (let n = 0; n < (seconds * 1_000) / stepMs; n += 1) {
        await tasks.quiet()
        timers.pass(stepMs)
      }
      await tasks.quiet()
    },
    async brought(count) {
      while (got.length < count) await new Promise((next) => setImmediate(next))
    },
    async close() {
      await client.close()
      await tasks.close()
      await worker.close()
      await issuer.close()
    },
  }
  return bench
}
