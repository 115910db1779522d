import { z } from 'zod'
import type { JobView, Jobs } from '../run/jobs.ts'
import { nothing, route, type Answer, type Route } from './route.ts'
import { id, jobRequest, scheduleChange, wholeNumber } from './schemas.ts'

const params = z.strictObject({ id })

const usualPage = 20

/** @returns the routes by which a person creates, watches and steers their jobs. */
export function jobRoutes(jobs: Jobs): readonly Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/jobs',
      name: 'createJob',
      scope: 'jobs:run',
      summary: 'Creates a job and starts its first run.',
      params: nothing,
      query: nothing,
      body: jobRequest,
      success: { status: 201, shape: 'Job' },
      errors: [
        'not_found',
        'body_too_large',
        'connection_expired',
        'connection_unconfirmed',
        'account_changed',
        'frozen',
        'policy_refused',
      ],
      handle: async ({ user, body }) => created(await jobs.create(user, body)),
    }),
    route({
      method: 'get',
      path: '/v1/jobs',
      name: 'listJobs',
      scope: 'jobs:read',
      summary: 'Lists jobs, newest last. `after` is the `next` of the page before.',
      params: nothing,
      body: nothing,
      query: z.strictObject({
        after: id.exactOptional(),
        limit: wholeNumber(1, 100).exactOptional(),
      }),
      success: { status: 200, shape: 'JobList' },
      errors: [],
      handle: async ({ user, query }) => {
        const page = { ...query, limit: query.limit ?? usualPage }
        return { json: await jobs.list(user, page) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/jobs/:id',
      name: 'getJob',
      scope: 'jobs:read',
      summary:
        'Shows a job. With `wait`, answers when its run has changed or so many seconds are over.',
      params,
      body: nothing,
      query: z.strictObject({ wait: wholeNumber(0, 60).exactOptional() }),
      success: { status: 200, shape: 'Job' },
      errors: ['not_found'],
      handle: async ({ user, params: { id: job }, query: { wait = 0 }, signal }) => ({
        json: await (wait === 0 ? jobs.get(user, job) : jobs.wait(user, job, wait * 1_000, signal)),
      }),
    }),
    route({
      method: 'post',
      path: '/v1/jobs/:id/runs',
      name: 'runJobAgain',
      scope: 'jobs:run',
      summary: 'Starts the next run: it carries what has changed since the last one.',
      params,
      query: nothing,
      body: nothing,
      success: { status: 201, shape: 'Job' },
      errors: [
        'not_found',
        'wrong_state',
        'connection_expired',
        'frozen',
        'policy_refused',
        'body_too_large',
      ],
      handle: async (call) => created(await jobs.again(call.user, call.params.id)),
    }),
    route({
      method: 'post',
      path: '/v1/jobs/:id/schedule',
      name: 'scheduleJob',
      scope: 'jobs:run',
      summary: 'Gives a job another schedule, or with null none. A run under way goes on.',
      params,
      query: nothing,
      body: scheduleChange,
      success: { status: 200, shape: 'Job' },
      errors: ['not_found', 'body_too_large'],
      handle: async ({ user, params: { id: job }, body }) => ({
        json: await jobs.schedule(user, job, body.schedule),
      }),
    }),
    act('pause', 'Pauses the run until it is resumed.', (user, job) => jobs.pause(user, job)),
    act('resume', 'Lets a paused run go on.', (user, job) => jobs.resume(user, job)),
    act('cancel', 'Ends the run. What it copied stays.', (user, job) => jobs.cancel(user, job)),
  ]
}

function act(
  verb: 'pause' | 'resume' | 'cancel',
  summary: string,
  perform: (user: string, job: string) => Promise<JobView>,
): Route {
  return route({
    method: 'post',
    path: `/v1/jobs/:id/${verb}`,
    name: `${verb}Job`,
    scope: 'jobs:run',
    summary,
    params,
    query: nothing,
    body: nothing,
    success: { status: 200, shape: 'Job' },
    errors: ['not_found', 'wrong_state', 'frozen', 'policy_refused', 'body_too_large'],
    handle: async (call) => ({ json: await perform(call.user, call.params.id) }),
  })
}

function created(job: JobView): Answer {
  return { json: job, location: `/v1/jobs/${job.id}` }
}
