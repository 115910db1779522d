import { createHash } from 'node:crypto'
import type { CloudTasksClient } from '@google-cloud/tasks'
import { WaybillError } from '../../shared/errors.ts'
import type { Queue, Task } from './queue.ts'
import { checkTaskName } from './task-name.ts'

/** What is used of the official client. */
export type TasksClient = Pick<CloudTasksClient, 'createTask'>

export interface CloudTasksOptions {
  /** Gives the client, always the same one. Asked for it at the first task, so that a start need not wait for it. */
  readonly client: () => Promise<TasksClient>
  /** `projects/…/locations/…/queues/…` */
  readonly queue: string
  /** The runner's endpoint. */
  readonly url: string
  /** The e-mail address of the account that the queue calls the runner as. */
  readonly serviceAccount: string
  /** What the runner takes tokens for. Always given: left out, it would be the URL and change with it. */
  readonly audience: string
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** How long a delivery may take, in milliseconds, from 15 seconds to 30 minutes; 10 minutes unless given. */
  readonly deadlineMs?: number
  /** How long to try when Cloud Tasks does not answer, in milliseconds; 10 seconds unless given. */
  readonly patienceMs?: number
}

const callMs = 5_000
const tenMinutes = 10 * 60_000
// Cloud Tasks takes what is at most 30 days ahead. The hour is for clocks that differ.
const furthestAhead = 30 * 24 * 60 * 60_000 - 60 * 60_000

/**
 * A queue in Cloud Tasks, which delivers to the runner's endpoint by HTTP. A task holds two ids and nothing else. What is
 * wanted for later than in 30 days is delivered then: a task that comes early does no harm.
 *
 * @returns the queue; `enqueue` throws `internal` for a name that is not fit, `unavailable` or `rate_limited` when Cloud
 * Tasks cannot take it now, and `settings_invalid`, with the name of the setting, when it never will
 */
export function createCloudTasksQueue(options: CloudTasksOptions): Queue {
  const { client, queue, url, serviceAccount, audience, clock } = options
  const retry = retryFor(options.patienceMs ?? 10_000)
  const dispatchDeadline = timeOf(options.deadlineMs ?? tenMinutes)

  return {
    async enqueue(task, { name, notBefore }) {
      checkTaskName(name)
      const now = clock()
      const body: Task = { run: task.run, fence: task.fence }
      const request = {
        parent: queue,
        task: {
          name: `${queue}/tasks/${spread(name)}`,
          dispatchDeadline,
          httpRequest: {
            httpMethod: 'POST' as const,
            url,
            headers: { 'content-type': 'application/json' },
            body: Buffer.from(JSON.stringify(body)),
            oidcToken: { serviceAccountEmail: serviceAccount, audience },
          },
          ...(notBefore !== undefined &&
            notBefore > now && {
              scheduleTime: timeOf(Math.ceil(Math.min(notBefore, now + furthestAhead))),
            }),
        },
      }
      try {
        await (await client()).createTask(request, { timeout: callMs, retry })
      } catch (thrown) {
        // The same task: made before, or by an attempt whose answer was lost.
        if (codeOf(thrown) !== ALREADY_EXISTS) throw translated(thrown)
      }
    },
  }
}

// https://grpc.io/docs/guides/status-codes/
const INVALID_ARGUMENT = 3
const DEADLINE_EXCEEDED = 4
const NOT_FOUND = 5
const ALREADY_EXISTS = 6
const PERMISSION_DENIED = 7
const RESOURCE_EXHAUSTED = 8
const FAILED_PRECONDITION = 9
const ABORTED = 10
const INTERNAL = 13
const UNAVAILABLE = 14
const UNAUTHENTICATED = 16

// The client does not try this call again by itself, because a task without a name would be made twice.
function retryFor(totalTimeoutMillis: number) {
  return {
    retryCodes: [UNAVAILABLE, DEADLINE_EXCEEDED],
    backoffSettings: {
      initialRetryDelayMillis: 100,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 2_000,
      initialRpcTimeoutMillis: callMs,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: callMs,
      totalTimeoutMillis,
    },
  }
}

const check: Readonly<Record<number, string>> = {
  [INVALID_ARGUMENT]:
    'Cloud Tasks refuses the task. Check WAYBILL_RUNNER_URL and WAYBILL_TASKS_ACCOUNT.',
  [NOT_FOUND]: 'There is no such queue in Cloud Tasks. Check WAYBILL_TASKS_QUEUE.',
  [PERMISSION_DENIED]:
    'Cloud Tasks does not let Waybill add a task. It needs roles/cloudtasks.enqueuer on the queue of WAYBILL_TASKS_QUEUE and roles/iam.serviceAccountUser on the account of WAYBILL_TASKS_ACCOUNT.',
  [FAILED_PRECONDITION]: 'The queue of WAYBILL_TASKS_QUEUE takes no tasks. Check its state.',
  [UNAUTHENTICATED]:
    'Cloud Tasks does not know who Waybill is. Check the credentials that it runs with.',
}

const passing: readonly number[] = [DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE]

function translated(cause: unknown): WaybillError {
  const code = codeOf(cause)
  const advice = code === undefined ? undefined : check[code]
  if (advice !== undefined) return new WaybillError('settings_invalid', advice, { cause })
  if (code === RESOURCE_EXHAUSTED)
    return new WaybillError('rate_limited', 'Cloud Tasks asks for patience.', { cause })
  if (code !== undefined && passing.includes(code))
    return new WaybillError('unavailable', 'Cloud Tasks cannot be reached.', { cause })
  return new WaybillError('internal', 'The queue failed.', { cause })
}

function codeOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'number' ? thrown.code : undefined
}

/**
 * Our names begin with the time, and names that lie side by side slow Cloud Tasks down: it asks for a hash in front.
 * https://docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create
 */
function spread(name: string): string {
  return `${createHash('sha256').update(name).digest('hex').slice(0, 8)}-${name}`
}

/** Milliseconds as protobuf writes times and durations. */
function timeOf(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 }
}
