import { afterEach, describe, expect, it } from '@jest/globals'
import { status } from '@grpc/grpc-js'
import type { TaskServing } from '../../../backend/api/tasks.ts'
import type { Handler, Task } from '../../../backend/dispatch/queue.ts'
import { Stop } from '../../../backend/run/run-task.ts'
import { describeQueue } from '../../contract/queue.ts'
import { createManualTimers } from '../../platform/timers.ts'
import { account, audience, queueName, startCloudQueue } from './start-cloud-queue.ts'
import type { CloudQueue } from './start-cloud-queue.ts'

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describeQueue('Cloud Tasks', async () => {
  const timers = createManualTimers(Date.now())
  let handler: Handler = async () => 'again'
  let handling = 0
  const cloud = await startCloudQueue({
    timers,
    serve: {
      async handle(task) {
        handling += 1
        try {
          return await handler(task)
        } finally {
          handling -= 1
        }
      },
    },
  })
  const { inside } = cloud
  inside.paused = true
  inside.settings = { ...inside.settings, minBackoff: 1_000, maxBackoff: 60_000 }
  return {
    queue: cloud.queue,
    start(given, atOnce) {
      handler = given
      inside.settings = { ...inside.settings, atOnce }
      inside.paused = false
      inside.look()
    },
    now: timers.now,
    async pass(ms) {
      while (inside.underWay() !== handling) await turn()
      timers.pass(ms)
    },
    close: cloud.close,
  }
})

describe('the queue in Cloud Tasks', () => {
  const start = Date.UTC(2027, 0, 15, 12)
  const timers = createManualTimers(start)
  const hour = 60 * 60_000
  let cloud: CloudQueue
  let given: Task[]
  let handle: TaskServing['handle']

  async function begin(more: Parameters<typeof startCloudQueue>[0]['more'] = {}): Promise<void> {
    given = []
    handle = async () => 'done'
    cloud = await startCloudQueue({
      timers,
      serve: {
        handle: async (task, stop) => {
          given.push(task)
          return handle(task, stop)
        },
      },
      more: { patienceMs: 300, ...more },
    })
    cloud.inside.paused = true
  }
  afterEach(async () => cloud.close())

  const kept = async () => {
    const [tasks] = await cloud.client.listTasks({ parent: queueName, responseView: 'FULL' })
    return tasks
  }
  const calls = (): number => cloud.tasks.calls.snapshot().byRoute['createTask']?.calls ?? 0

  it('holds ids only, and how to bring them', async () => {
    await begin()
    const more = { user: 'ann', token: 'secret' }
    await cloud.queue.enqueue({ run: 'r1', fence: 2, ...more }, { name: 'r1-2' })
    const [task] = await kept()
    expect(task?.httpRequest).toMatchObject({
      url: `${cloud.url}/v1/tasks/run`,
      httpMethod: 'POST',
      headers: { 'content-type': 'application/json' },
      oidcToken: { serviceAccountEmail: account, audience },
    })
    expect(String(task?.httpRequest?.body)).toBe('{"run":"r1","fence":2}')
    expect(task?.dispatchDeadline).toMatchObject({ seconds: '600' })
  })

  it('spreads names that begin alike', async () => {
    await begin()
    for (const name of ['0mabcdef-1', '0mabcdef-2'])
      await cloud.queue.enqueue({ run: 'r', fence: 1 }, { name })
    const names = (await kept()).map((task) => task.name?.split('/').at(-1) ?? '')
    expect(names.map((name) => name.replace(/^[0-9a-f]{8}-/, '')).toSorted()).toEqual([
      '0mabcdef-1',
      '0mabcdef-2',
    ])
    expect(names[0]?.slice(0, 8)).not.toBe(names[1]?.slice(0, 8))
  })

  it('takes the deadline that it is given', async () => {
    await begin({ deadlineMs: 15_500 })
    await cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })
    const [task] = await kept()
    expect(task?.dispatchDeadline).toEqual({ seconds: '15', nanos: 500_000_000 })
  })

  it.each([
    ['the past', -hour, 0],
    ['now', 0, 0],
    ['in an hour, to the millisecond above', hour - 0.5, hour],
    ['in 29 days', 29 * 24 * hour, 29 * 24 * hour],
    ['in 90 days, as late as may be', 90 * 24 * hour, 30 * 24 * hour - hour],
  ])('is asked for %s', async (_, ahead, due) => {
    await begin()
    const notBefore = timers.now() + ahead
    await cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a', notBefore })
    expect([...cloud.inside.tasks.values()].map((task) => task.next - timers.now())).toEqual([due])
  })

  it('makes one task although the answer to the first attempt is lost', async () => {
    await begin()
    cloud.tasks.fail('createTask', status.UNAVAILABLE, 1, true)
    await cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })
    expect([calls(), cloud.inside.tasks.size]).toEqual([2, 1])
  })

  it.each([
    [status.UNAVAILABLE, 'unavailable'],
    [status.DEADLINE_EXCEEDED, 'unavailable'],
  ])('says, after some patience, when it is not there (%s)', async (code, expected) => {
    await begin()
    cloud.tasks.fail('createTask', code, 1_000)
    const attempt = cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: expected }))
    expect(calls()).toBeGreaterThan(1)
  })

  it.each([
    [status.INTERNAL, 'unavailable', /reached/],
    [status.ABORTED, 'unavailable', /reached/],
    [status.RESOURCE_EXHAUSTED, 'rate_limited', /patience/],
    [status.NOT_FOUND, 'settings_invalid', /WAYBILL_TASKS_QUEUE/],
    [status.PERMISSION_DENIED, 'settings_invalid', /enqueuer.*WAYBILL_TASKS_ACCOUNT/],
    [status.UNAUTHENTICATED, 'settings_invalid', /credentials/],
    [status.FAILED_PRECONDITION, 'settings_invalid', /WAYBILL_TASKS_QUEUE/],
    [status.INVALID_ARGUMENT, 'settings_invalid', /WAYBILL_RUNNER_URL/],
    [status.DATA_LOSS, 'internal', /failed/],
  ])('says at once what is wrong (%s)', async (code, expected, message) => {
    await begin()
    cloud.tasks.fail('createTask', code)
    const error: unknown = await cloud.queue
      .enqueue({ run: 'r', fence: 1 }, { name: 'a' })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: expected, message: expect.stringMatching(message) })
    expect(error).toMatchObject({ message: expect.not.stringContaining('as told') })
    expect(calls()).toBe(1)
  })

  it.each([
    ['another queue', { queue: `${queueName}-2` }, 'WAYBILL_TASKS_QUEUE'],
    ['a URL that is none', { url: 'runner' }, 'WAYBILL_RUNNER_URL'],
    ['an account that is none', { serviceAccount: 'tasks' }, 'WAYBILL_TASKS_ACCOUNT'],
  ])('names the setting when it is given %s', async (_, more, setting) => {
    await begin(more)
    await expect(cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })).rejects.toThrow(
      expect.objectContaining({
        code: 'settings_invalid',
        message: expect.stringContaining(setting),
      }),
    )
  })

  it('says so when its client cannot be made', async () => {
    await begin({ client: async () => Promise.reject(new Error('secret')) })
    await expect(cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })).rejects.toThrow(
      expect.objectContaining({ code: 'internal', message: 'The queue failed.' }),
    )
  })

  it('delivers a task again that took too long, and the first worker is told to stop', async () => {
    await begin()
    const told = new Promise<unknown>((resolve) => {
      handle = async (_, stop) => {
        if (given.length > 1) return 'done'
        return new Promise((end) => {
          stop.addEventListener('abort', () => {
            resolve(stop.reason)
            end('done')
          })
        })
      }
    })
    cloud.inside.paused = false
    await cloud.queue.enqueue({ run: 'r', fence: 1 }, { name: 'a' })
    while (given.length < 1) await turn()
    timers.pass(600_000)
    expect(await told).toBeInstanceOf(Stop)
    await cloud.tasks.quiet()
    timers.pass(1_000)
    await cloud.tasks.quiet()
    expect(cloud.inside.delivered.map((each) => each.status)).toEqual([null, 204])
  })

  it('goes on with the others at full speed while a lease is in other hands', async () => {
    await begin()
    handle = async (task) => (task.run === 'busy' ? 'again' : 'done')
    cloud.inside.settings = { ...cloud.inside.settings, minBackoff: 5_000 }
    await cloud.queue.enqueue({ run: 'busy', fence: 1 }, { name: 'busy' })
    for (let n = 0; n < 20; n += 1)
      await cloud.queue.enqueue({ run: `r${n}`, fence: 1 }, { name: `r${n}` })
    cloud.inside.paused = false
    cloud.inside.look()
    await cloud.tasks.quiet()
    const statuses = cloud.inside.delivered.map((each) => each.status)
    expect(statuses.filter((each) => each === 204)).toHaveLength(20)
    expect(statuses.filter((each) => each !== 204)).toEqual([409])
  })
})
