import { status } from '@grpc/grpc-js'
import type { protos } from '@google-cloud/tasks'
import { randomUUID } from 'node:crypto'
import { refusal } from './refusal.ts'
import type { KeptTask, NewTask } from './task-queue.ts'
import { msOf, protoTime } from './task-settings.ts'

type Task = protos.google.cloud.tasks.v2.ITask

const month = 30 * 24 * 60 * 60_000
const largest = 100 * 1024

/**
 * Checks a task as it was sent.
 *
 * @param queue its queue's full name
 * @param now milliseconds since 1970
 * @throws what the service answers when something is wrong with it
 */
export function newTask(sent: Task | null | undefined, queue: string, now: number): NewTask {
  const http = sent?.httpRequest
  if (!sent || !http?.url) throw invalid('Task.http_request.url is required')
  if (!/^https?:\/\//.test(http.url) || http.url.length > 2_083) throw invalid('HttpRequest.url')
  const method = http.httpMethod ?? 'HTTP_METHOD_UNSPECIFIED'
  const verb = method === 'HTTP_METHOD_UNSPECIFIED' ? 'POST' : String(method)
  const body = Buffer.from(http.body ?? '')
  if (body.length > 0 && !['POST', 'PUT', 'PATCH'].includes(verb)) throw invalid('HttpRequest.body')
  const headers = http.headers ?? {}
  if (body.length + JSON.stringify(headers).length > largest) throw invalid('Task size too large')
  const due = Math.max(now, msOf(sent.scheduleTime) ?? now)
  if (due > now + month) throw invalid('Task.schedule_time is more than 30 days ahead')
  const deadlineMs = msOf(sent.dispatchDeadline) ?? 600_000
  if (deadlineMs < 15_000 || deadlineMs > 1_800_000) throw invalid('Task.dispatch_deadline')
  return {
    name: nameOf(sent.name ?? '', queue),
    due,
    deadlineMs,
    request: { method: verb, url: http.url, headers, body, oidc: oidcOf(http.oidcToken, http.url) },
  }
}

function nameOf(name: string, queue: string): string {
  if (name === '') return randomUUID().replaceAll('-', '')
  const start = `${queue}/tasks/`
  const own = name.slice(start.length)
  if (!name.startsWith(start) || !/^[A-Za-z0-9_-]{1,500}$/.test(own)) throw invalid('Task.name')
  return own
}

function oidcOf(
  token: protos.google.cloud.tasks.v2.IOidcToken | null | undefined,
  url: string,
): NewTask['request']['oidc'] {
  if (!token) return null
  const { serviceAccountEmail: account, audience } = token
  if (!account?.includes('@')) throw invalid('OidcToken.service_account_email')
  return { account, audience: audience || url }
}

/** As the service shows it; headers and body only to those who ask for the full view. */
export function shownTask(task: KeptTask, queue: string, full: boolean): Task {
  const { request } = task
  const attempt = { dispatchTime: protoTime(task.firstAt ?? 0) }
  return {
    name: `${queue}/tasks/${task.name}`,
    createTime: protoTime(task.created),
    scheduleTime: protoTime(task.next),
    dispatchDeadline: protoTime(task.deadlineMs),
    dispatchCount: task.dispatched,
    responseCount: task.answered,
    ...(task.firstAt !== null && { firstAttempt: attempt }),
    view: full ? 'FULL' : 'BASIC',
    httpRequest: {
      url: request.url,
      httpMethod: 'POST',
      ...(full && { headers: { ...request.headers }, body: request.body }),
      ...(request.oidc !== null && {
        oidcToken: {
          serviceAccountEmail: request.oidc.account,
          audience: request.oidc.audience,
        },
      }),
    },
  }
}

function invalid(what: string): Error {
  return refusal(status.INVALID_ARGUMENT, what)
}
