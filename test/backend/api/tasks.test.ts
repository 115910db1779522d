import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import supertest from 'supertest'
import { createAuthenticateAccount } from '../../../backend/api/authenticate-account.ts'
import { createAuthenticate } from '../../../backend/api/authenticate.ts'
import { createGoogleKeys } from '../../../backend/api/google-keys.ts'
import { runPath, tickPath } from '../../../backend/api/tasks.ts'
import type { TaskServing } from '../../../backend/api/tasks.ts'
import { createApp, createHttpServer, createRunnerApp } from '../../../backend/app.ts'
import type { Task } from '../../../backend/dispatch/queue.ts'
import { createLog } from '../../../backend/log.ts'
import { Stop } from '../../../backend/run/run-task.ts'
import { errorCodes, WaybillError } from '../../../shared/errors.ts'
import { startIssuer } from '../../clouds/issuer.ts'
import type { Issuer } from '../../clouds/issuer.ts'
import { listen } from './listen.ts'
import { memoryAccounts } from './start-api.ts'
import { createMemoryAudit } from './memory-audit.ts'
import { createMemoryJobs } from './memory-jobs.ts'

const account = 'tasks@test.iam.gserviceaccount.com'
const scheduler = 'scheduler@test.iam.gserviceaccount.com'
const audience = 'waybill-runner-test'
const good = { sub: '1097', aud: audience, email: account, more: { azp: '1097' } }
const task: Task = { run: 'r1', fence: 3 }

let issuer: Issuer
let handled: { readonly task: Task; readonly stop: AbortSignal }[]
let ticks: number
let handle: TaskServing['handle']
let stop: AbortController
let log: string[]
let url: string
let close: () => Promise<void>
let serving: TaskServing

beforeEach(async () => {
  handled = []
  ticks = 0
  handle = async () => 'done'
  stop = new AbortController()
  log = []
  issuer = await startIssuer()
  const clock = Date.now
  const rules = {
    issuers: ['https://accounts.google.com', 'accounts.google.com'],
    audience,
    accounts: [account, scheduler],
  }
  const keys = createGoogleKeys({ url: issuer.jwksUrl, fetch, clock })
  serving = {
    authenticate: createAuthenticateAccount({ rules, keys, clock }),
    log: createLog({ write: (line) => log.push(line), clock }),
    clock,
    handle: async (given, signal) => {
      handled.push({ task: given, stop: signal })
      return handle(given, signal)
    },
    tick: async () => {
      ticks += 1
    },
    stop: stop.signal,
  }
  const app = createRunnerApp({ ...serving, ready: async () => undefined })
  ;({ url, close } = await listen(createHttpServer(app)))
})
afterEach(async () => {
  await close()
  await issuer.close()
})

type Claims = Parameters<Issuer['mintIdToken']>[0]

async function deliver(body: unknown = task, claims: Claims = good, path = runPath) {
  const token = await issuer.mintIdToken(claims)
  return supertest(url)
    .post(path)
    .set('Authorization', `Bearer ${token}`)
    .set('Content-Type', 'application/json')
    .redirects(0)
    .send(typeof body === 'string' ? body : JSON.stringify(body))
}

/** The answer says nothing but its status. */
function expectBare(answer: supertest.Response, status: number): void {
  expect(answer.status).toBe(status)
  expect(answer.text).toBe('')
  expect(answer.headers).not.toHaveProperty('retry-after')
  expect(answer.headers).not.toHaveProperty('location')
}

describe('a delivery', () => {
  it('is handled and forgotten by the queue', async () => {
    expectBare(await deliver(), 204)
    expect(handled.map((each) => each.task)).toEqual([task])
  })

  it('whose run another worker has comes again, and nothing else waits for it', async () => {
    handle = async () => 'again'
    expectBare(await deliver(), 409)
    expect(handled).toHaveLength(1)
  })

  it('is answered like all others in what protects browsers', async () => {
    const { headers } = await deliver()
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  })

  it.each([...errorCodes])('that ends in %s neither slows the queue nor is lost', async (code) => {
    handle = async () => {
      throw new WaybillError(code, 'Secret.', { retryAfterMs: 60_000 })
    }
    const answer = await deliver()
    expectBare(answer, answer.status)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect([429, 501, 502, 503, 504]).not.toContain(answer.status)
  })

  it('that ends in an unknown error is answered by 500, and the log says nothing of it', async () => {
    handle = async () => {
      throw new Error('secret')
    }
    expectBare(await deliver(), 500)
    while (log.length < 1) await new Promise((next) => setImmediate(next))
    expect(JSON.parse(log[0] ?? '')).toMatchObject({
      severity: 'ERROR',
      route: runPath,
      status: 500,
      code: 'internal',
    })
    expect(log.join('')).not.toContain('secret')
  })

  it.each([
    ['no body', ''],
    ['what is not JSON', '{'],
    ['a list', '[]'],
    ['nothing of a task', '{}'],
    ['a run without a number', '{"run":"r1"}'],
    ['a number that is not whole', '{"run":"r1","fence":0.5}'],
    ['a number below zero', '{"run":"r1","fence":-1}'],
    ['a run that is none of ours', '{"run":"../r1","fence":1}'],
    ['more than ids', '{"run":"r1","fence":1,"user":"ann"}'],
    ['a field twice', '{"run":"r1","run":"r2","fence":1}'],
  ])('of %s is refused', async (_, body) => {
    expectBare(await deliver(body), 400)
    expect(handled).toEqual([])
  })

  it('of more than 64 KiB is refused', async () => {
    expectBare(await deliver({ ...task, more: 'x'.repeat(70_000) }), 413)
    expect(handled).toEqual([])
  })
})

describe('whoever is not the queue', () => {
  it.each<[string, Claims, number]>([
    ['another account of Google’s', { ...good, email: 'tasks@other.iam.gserviceaccount.com' }, 403],
    ['an account that looks alike', { ...good, email: account.toUpperCase() }, 403],
    ['an account without an address', { sub: '1097', aud: audience }, 403],
    ['an account whose address is not verified', { ...good, emailVerified: false }, 401],
    ['a token for the API', { ...good, aud: '1234.apps.googleusercontent.com' }, 401],
    ['a token for this URL', { ...good, aud: 'https://runner.example.com/v1/tasks/run' }, 401],
    ['a token of another issuer', { ...good, iss: 'https://accounts.example.com' }, 401],
    ['a token that has expired', { ...good, expiresIn: -120 }, 401],
    ['a token signed by somebody else', { ...good, foreignKey: true }, 401],
  ])('is refused: %s', async (_, claims, status) => {
    expectBare(await deliver(task, claims), status)
    expectBare(await deliver(task, claims, tickPath), status)
    expect([handled, ticks]).toEqual([[], 0])
  })

  it('is refused without a token, whatever X-CloudTasks headers say', async () => {
    const answer = await supertest(url)
      .post(runPath)
      .set('X-CloudTasks-QueueName', 'runs')
      .set('X-CloudTasks-TaskName', 'a')
      .set('X-CloudTasks-TaskRetryCount', '0')
      .set('X-AppEngine-QueueName', 'runs')
      .set('User-Agent', 'Google-Cloud-Tasks')
      .send(task)
    expectBare(answer, 401)
    expect(handled).toEqual([])
  })

  it('is refused with a token whose signature was taken away on the way', async () => {
    const [head, claims] = (await issuer.mintIdToken(good)).split('.')
    const answer = await supertest(url)
      .post(runPath)
      .set('Authorization', `Bearer ${head}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`)
      .send(task)
    expectBare(answer, 401)
    expect(handled).toEqual([])
  })

  it('is not told so while nobody can tell: the task comes again', async () => {
    await issuer.close()
    expectBare(await deliver(), 500)
    expect(handled).toEqual([])
  })
})

describe('where nothing is', () => {
  it.each([
    ['get', runPath],
    ['post', `${runPath}/`],
    ['post', '/v1/Tasks/run'],
    ['post', '/v1//tasks/run'],
    ['get', '/v1/jobs'],
    ['get', '/'],
  ] as const)('%s %s is not redirected', async (method, path) => {
    const answer = await supertest(url)[method](path).redirects(0)
    expect(answer.status).toBe(404)
  })
})

describe('a slice', () => {
  async function begun(): Promise<AbortSignal> {
    while (handled.length === 0) await new Promise((next) => setImmediate(next))
    return handled[0]?.stop ?? AbortSignal.abort()
  }
  const untilStopped: TaskServing['handle'] = async (_, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve('done'))
    })

  it('is asked to hand over when the queue cuts the connection', async () => {
    handle = untilStopped
    const token = await issuer.mintIdToken(good)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const sent = httpRequest(`${url}${runPath}`, { method: 'POST', headers })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify(task))
    const signal = await begun()
    expect(signal.aborted).toBe(false)
    const aborted = new Promise((resolve) => {
      signal.addEventListener('abort', resolve)
    })
    sent.destroy()
    await aborted
    expect(signal.reason).toBeInstanceOf(Stop)
  })

  it('is asked to hand over when the process is to end, and is then answered', async () => {
    handle = untilStopped
    const answer = deliver()
    const signal = await begun()
    stop.abort(new Stop())
    expectBare(await answer, 204)
    expect(signal.reason).toBeInstanceOf(Stop)
  })

  it('is not begun any more by a process that is to end', async () => {
    stop.abort(new Stop())
    expectBare(await deliver(), 409)
    expect(handled).toEqual([])
  })
})

describe('the scheduler', () => {
  it.each(['', '{}', 'anything'])('wakes what stopped, and %j is not read', async (body) => {
    expectBare(await deliver(body, { ...good, email: scheduler }, tickPath), 204)
    expect(ticks).toBe(1)
  })
})

describe('health', () => {
  it.each(['/health', '/ready'])('is told by %s to whoever asks', async (path) => {
    const answer = await supertest(url).get(path)
    expect([answer.status, answer.body]).toEqual([200, { status: 'ok' }])
  })
})

describe('the API', () => {
  async function served(tasks?: TaskServing) {
    const keys = createGoogleKeys({ url: issuer.jwksUrl, fetch, clock: Date.now })
    const rules = {
      issuers: ['https://accounts.google.com'],
      audiences: [audience],
      hostedDomains: [],
    }
    const app = createApp({
      ...serving,
      authenticate: createAuthenticate({ rules, keys, clock: Date.now }),
      jobs: createMemoryJobs({ clock: Date.now, connections: [] }),
      ...memoryAccounts(),
      audit: createMemoryAudit(),
      ready: async () => undefined,
      ...(tasks === undefined ? {} : { tasks }),
    })
    const api = await listen(createHttpServer(app))
    const authorization = `Bearer ${await issuer.mintIdToken(good)}`
    const answer = await supertest(api.url)
      .post(runPath)
      .set('Authorization', authorization)
      .send(task)
    const jobs = await supertest(api.url).get('/v1/jobs').set('Authorization', authorization)
    await api.close()
    return [answer.status, jobs.status]
  }

  it('has no tasks, and takes no account’s token for a person’s', async () => {
    expect(await served()).toEqual([404, 401])
  })

  it('has them beside it where one process is all', async () => {
    expect(await served(serving)).toEqual([204, 401])
  })
})
