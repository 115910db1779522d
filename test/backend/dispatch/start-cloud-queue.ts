import type { CloudTasksClient } from '@google-cloud/tasks'
import { createAuthenticateAccount } from '../../../backend/api/authenticate-account.ts'
import { createGoogleKeys } from '../../../backend/api/google-keys.ts'
import { runPath } from '../../../backend/api/tasks.ts'
import type { TaskServing } from '../../../backend/api/tasks.ts'
import { createHttpServer, createRunnerApp } from '../../../backend/app.ts'
import { createCloudTasksQueue } from '../../../backend/dispatch/cloud-tasks.ts'
import type { Queue } from '../../../backend/dispatch/queue.ts'
import { createLog } from '../../../backend/log.ts'
import { startIssuer } from '../../clouds/issuer.ts'
import type { Issuer } from '../../clouds/issuer.ts'
import type { TaskQueue } from '../../platform/task-queue.ts'
import { tasksClient } from '../../platform/tasks-client.ts'
import { startTasks } from '../../platform/tasks.ts'
import type { SimulatedTasks } from '../../platform/tasks.ts'
import type { Timers } from '../../platform/timers.ts'
import { listen } from '../api/listen.ts'

export const queueName = 'projects/test/locations/europe-west3/queues/runs'
export const account = 'tasks@test.iam.gserviceaccount.com'
export const audience = 'waybill-runner-test'

/** Everything between a queue that takes tasks and a handler that is given them, in Google Cloud's way. */
export interface CloudQueue {
  readonly queue: Queue
  readonly tasks: SimulatedTasks
  /** The queue within the stand-in. */
  readonly inside: TaskQueue
  readonly client: CloudTasksClient
  readonly issuer: Issuer
  /** Of the runner. */
  readonly url: string
  readonly log: string[]
  close(): Promise<void>
}

/**
 * @param options.serve what the runner does; nothing is stopped, and a tick does nothing, unless given
 * @param options.more replaces settings of the queue's side
 */
export async function startCloudQueue(options: {
  readonly timers: Timers
  readonly serve: Pick<TaskServing, 'handle'> & Partial<TaskServing>
  readonly more?: Partial<Parameters<typeof createCloudTasksQueue>[0]>
}): Promise<CloudQueue> {
  const { timers, serve } = options
  const clock = timers.now
  const issuer = await startIssuer({ now: clock })
  const tasks = await startTasks({ issuer, timers, queues: [queueName] })
  const client = tasksClient(tasks.port)
  const log: string[] = []
  const rules = { issuers: ['https://accounts.google.com'], audience, accounts: [account] }
  const keys = createGoogleKeys({ url: issuer.jwksUrl, fetch, clock })
  const app = createRunnerApp({
    authenticate: createAuthenticateAccount({ rules, keys, clock }),
    log: createLog({ write: (line) => log.push(line), clock }),
    clock,
    ready: async () => undefined,
    tick: async () => undefined,
    stop: new AbortController().signal,
    ...serve,
  })
  const { url, close } = await listen(createHttpServer(app))
  return {
    queue: createCloudTasksQueue({
      client: async () => client,
      queue: queueName,
      url: `${url}${runPath}`,
      serviceAccount: account,
      audience,
      clock,
      ...options.more,
    }),
    tasks,
    inside: tasks.queue(queueName),
    client,
    issuer,
    url,
    log,
    async close() {
      await client.close()
      await tasks.close()
      await close()
      await issuer.close()
    },
  }
}
