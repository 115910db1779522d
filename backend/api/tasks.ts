import type { RequestHandler, Response } from 'express'
import { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'
import type { Handler, Task } from '../dispatch/queue.ts'
import { Stop } from '../run/run-task.ts'
import type { AuthenticateAccount } from './authenticate-account.ts'
import { statusOf } from './errors.ts'
import { readJson } from './request-body.ts'
import { id } from './schemas.ts'
import { observe, type Observing } from './serve-route.ts'

/** Where the queue delivers tasks, and where the scheduler calls. */
export const runPath = '/v1/tasks/run'
export const tickPath = '/v1/tick'

export interface TaskServing extends Observing {
  readonly authenticate: AuthenticateAccount
  /** Works on a task; `stop` asks it to hand over. */
  readonly handle: (task: Task, stop: AbortSignal) => ReturnType<Handler>
  /** Wakes what stopped. */
  readonly tick: () => Promise<unknown>
  /** Aborted, with a `Stop`, when the process is to end. */
  readonly stop: AbortSignal
}

const task = z.strictObject({
  run: id,
  fence: z.int().min(0),
}) satisfies z.ZodType<Task>

interface Endpoint {
  readonly path: string
  readonly handle: RequestHandler
}

/**
 * What Cloud Tasks and Cloud Scheduler call by POST. An answer is a status and nothing else:
 *
 * | status | means | the queue then |
 * | --- | --- | --- |
 * | 204 | done | forgets the task |
 * | 409 | another worker has the run's lease | delivers this task again later |
 * | 400, 401, 403, 413 | not a task of ours, or not from our queue | the same |
 * | 500 | it went wrong | the same |
 *
 * Never 429 or 503, nor Retry-After: these slow the whole queue, not this task. Never 3xx: the queue may follow it with
 * the token. Who calls is known by the token alone; `X-CloudTasks-*` headers can be sent by anybody.
 * https://docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#httprequest
 */
export function taskEndpoints(serving: TaskServing): readonly Endpoint[] {
  const endpoint = (path: string, act: RequestHandler): Endpoint => ({
    path,
    handle: async (request, response, next) => {
      const answer = async (): Promise<void> => {
        await serving.authenticate(request.headersDistinct['authorization'])
        await act(request, response, next)
      }
      await observe(request, response, path, serving, answer, refuse)
    },
  })

  return [
    endpoint(runPath, async (request, response) => {
      const gone = new AbortController()
      // The queue has given this delivery up, by its deadline or because it was cut off, and will send another.
      response.once('close', () => gone.abort(new Stop()))
      const read = task.safeParse(await readJson(request, response))
      if (!read.success) throw new WaybillError('invalid_request', 'This is not a task.')
      const outcome = serving.stop.aborted
        ? 'again'
        : await serving.handle(read.data, AbortSignal.any([serving.stop, gone.signal]))
      response.status(outcome === 'done' ? 204 : 409).end()
    }),
    // Whatever the scheduler sends is not read.
    endpoint(tickPath, async (_request, response) => {
      await serving.tick()
      response.status(204).end()
    }),
  ]
}

function refuse(response: Response, error: WaybillError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const status = statusOf(error.code)
  response.status(status === 429 || status > 500 ? 500 : status).end()
}
