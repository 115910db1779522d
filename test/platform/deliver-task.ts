import { request as httpRequest } from 'node:http'
import type { Issuer } from '../clouds/issuer.ts'
import { opaqueId } from '../clouds/random.ts'
import type { Timers } from './timers.ts'

/** What a task asks to be sent. */
export interface TaskRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Whom the delivery speaks for, and to whom. */
  readonly oidc: { readonly account: string; readonly audience: string } | null
}

/** One delivery: what was said about the task, in the words of the `X-CloudTasks-*` headers. */
export interface Attempt {
  readonly queue: string
  readonly task: string
  readonly retries: number
  readonly executions: number
  /** When it was due, in milliseconds since 1970. */
  readonly due: number
  /** The status of the attempt before, if there was one. */
  readonly previous: number | null
}

/** What came of it; `status` is null when there was no answer in time. */
export interface Answered {
  readonly status: number | null
  /** In milliseconds, if the answer said so. */
  readonly retryAfter: number | null
}

const ours = /^(?:host|content-length|user-agent|authorization|x-google-.*|x-appengine-.*)$/i

/**
 * Sends a task as Cloud Tasks does, with a token of its own. The connection is cut at the deadline, and a redirect is an
 * answer like any other.
 * https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks#handler
 *
 * @param cut aborted to cut the connection at once
 */
export async function deliverTask(
  given: TaskRequest,
  attempt: Attempt,
  deadlineMs: number,
  { issuer, timers, cut }: { issuer: Issuer; timers: Timers; cut: AbortSignal },
): Promise<Answered> {
  const kept = Object.entries(given.headers).filter(([name]) => !ours.test(name))
  const headers: Record<string, string> = {
    ...Object.fromEntries(kept),
    'User-Agent': 'Google-Cloud-Tasks',
    'Content-Length': `${given.body.length}`,
    'X-CloudTasks-QueueName': attempt.queue,
    'X-CloudTasks-TaskName': attempt.task,
    'X-CloudTasks-TaskRetryCount': `${attempt.retries}`,
    'X-CloudTasks-TaskExecutionCount': `${attempt.executions}`,
    'X-CloudTasks-TaskETA': (attempt.due / 1_000).toFixed(6),
    ...(attempt.previous !== null && {
      'X-CloudTasks-TaskPreviousResponse': `${attempt.previous}`,
    }),
    ...(given.oidc !== null && { Authorization: `Bearer ${await mint(issuer, given.oidc)}` }),
  }
  return new Promise((resolve) => {
    const sent = httpRequest(given.url, { method: given.method, headers, agent: false })
    const end = (answered: Answered): void => {
      forget()
      cut.removeEventListener('abort', hangUp)
      resolve(answered)
    }
    const hangUp = (): void => {
      end({ status: null, retryAfter: null })
      sent.destroy()
    }
    const forget = timers.after(deadlineMs, hangUp)
    cut.addEventListener('abort', hangUp)
    sent.once('response', (response) => {
      const after = Number(response.headers['retry-after'] ?? Number.NaN)
      response.resume()
      response.once('close', () =>
        end({
          status: response.statusCode ?? null,
          retryAfter: Number.isFinite(after) ? after * 1_000 : null,
        }),
      )
    })
    // A connection that breaks or is refused is no answer.
    sent.on('error', () => end({ status: null, retryAfter: null }))
    sent.end(given.body)
  })
}

/** A service account's token: its `azp` and `sub` are the account's number. */
async function mint(
  issuer: Issuer,
  { account, audience }: NonNullable<TaskRequest['oidc']>,
): Promise<string> {
  const number = BigInt(`0x${Buffer.from(opaqueId(account, 11)).toString('hex')}`)
  const sub = `${number % 10n ** 21n}`
  return issuer.mintIdToken({ sub, aud: audience, email: account, more: { azp: sub } })
}
