import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { queue, refusedWith, start, startTaskBench } from './task-bench.ts'
import type { Sent, TaskBench } from './task-bench.ts'

let t: TaskBench
beforeEach(async () => {
  t = await startTaskBench()
})
afterEach(async () => t.close())

describe('a task', () => {
  it('is brought with its headers, its body and what the queue knows of it', async () => {
    await t.make('a', {}, { headers: { 'x-mine': '1', Host: 'elsewhere', 'X-Google-Mine': '1' } })
    await t.tasks.quiet()
    expect(t.got).toHaveLength(1)
    expect(t.got[0]?.body).toBe('a')
    expect(t.got[0]?.headers).toMatchObject({
      'x-mine': '1',
      host: new URL(t.worker.url).host,
      'user-agent': 'Google-Cloud-Tasks',
      'x-cloudtasks-queuename': 'runs',
      'x-cloudtasks-taskname': 'a',
      'x-cloudtasks-taskretrycount': '0',
      'x-cloudtasks-taskexecutioncount': '0',
      'x-cloudtasks-tasketa': `${start / 1_000}.000000`,
    })
    expect(t.got[0]?.headers).not.toHaveProperty('x-google-mine')
    expect(t.got[0]?.headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['for the audience it names', { audience: 'us' }, 'us'],
    ['for its URL if it names none', {}, null],
  ])('brings a token that Google signed %s', async (_, token, audience) => {
    await t.make('a', {}, { oidcToken: { serviceAccountEmail: 'a@example.com', ...token } })
    await t.tasks.quiet()
    const bearer = t.got[0]?.headers.authorization?.replace('Bearer ', '') ?? ''
    const { payload } = await jwtVerify(bearer, createRemoteJWKSet(new URL(t.issuer.jwksUrl)), {
      currentDate: new Date(start),
    })
    expect(payload).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: audience ?? `${t.worker.url}/work`,
      email: 'a@example.com',
      email_verified: true,
      azp: payload.sub,
    })
  })

  it('is gone once it is answered by 2xx, and its name is taken for a day', async () => {
    await t.make('a')
    await t.tasks.quiet()
    await expect(t.client.getTask({ name: `${queue}/tasks/a` })).rejects.toThrow(
      refusedWith(status.NOT_FOUND),
    )
    await expect(t.make('a')).rejects.toThrow(refusedWith(status.ALREADY_EXISTS))
    t.timers.pass(24 * 60 * 60_000)
    await t.make('a')
    await t.tasks.quiet()
    expect(t.bodies()).toEqual(['a', 'a'])
  })

  it('is not made twice, nor again once it was deleted', async () => {
    const later = { scheduleTime: { seconds: start / 1_000 + 60 } }
    await t.make('a', later)
    await expect(t.make('a', later)).rejects.toThrow(refusedWith(status.ALREADY_EXISTS))
    await t.client.deleteTask({ name: `${queue}/tasks/a` })
    await expect(t.make('a', later)).rejects.toThrow(refusedWith(status.ALREADY_EXISTS))
    await expect(t.client.deleteTask({ name: `${queue}/tasks/a` })).rejects.toThrow(
      refusedWith(status.NOT_FOUND),
    )
    await t.pass(61)
    expect(t.got).toEqual([])
  })

  it('comes when it is due', async () => {
    await t.make('a', { scheduleTime: { seconds: start / 1_000 + 5, nanos: 500_000_000 } })
    await t.pass(6, 500)
    expect(t.got.map((each) => each.at)).toEqual([5_500])
  })

  it('without a name is given one', async () => {
    const [made] = await t.client.createTask({
      parent: queue,
      task: { httpRequest: { url: t.worker.url } },
    })
    expect(made.name).toMatch(new RegExp(`^${queue}/tasks/[0-9a-f]{32}$`))
  })

  it.each<[string, Sent]>([
    ['whose name is not fit', { name: `${queue}/tasks/a.b` }],
    ['whose name is too long', { name: `${queue}/tasks/${'a'.repeat(501)}` }],
    ['whose name is of another queue', { name: `${queue}s/tasks/a` }],
    ['that is due in more than 30 days', { scheduleTime: { seconds: start / 1_000 + 2_592_001 } }],
    ['whose deadline is too short', { dispatchDeadline: { seconds: 14 } }],
    ['whose deadline is too long', { dispatchDeadline: { seconds: 1_801 } }],
    ['that asks for nothing', { httpRequest: null }],
    ['that goes nowhere', { httpRequest: { url: 'ftp://example.com' } }],
    [
      'with a body that is not read',
      { httpRequest: { url: 'http://a', httpMethod: 'GET' as const, body: 'YQ==' } },
    ],
    ['that is too large', { httpRequest: { url: 'http://a', body: Buffer.alloc(102_401) } }],
    [
      'of no account',
      { httpRequest: { url: 'http://a', oidcToken: { serviceAccountEmail: 'a' } } },
    ],
  ])('%s is refused', async (_, more) => {
    await expect(t.make('a', more)).rejects.toThrow(refusedWith(status.INVALID_ARGUMENT))
  })

  it('of a queue that is not there is refused', async () => {
    const task = { httpRequest: { url: t.worker.url } }
    await expect(t.client.createTask({ parent: `${queue}s`, task })).rejects.toThrow(
      refusedWith(status.NOT_FOUND),
    )
  })
})

describe('a queue', () => {
  it('delivers no faster than it may', async () => {
    await t.configure({ queue: { rateLimits: { maxDispatchesPerSecond: 2 } } })
    await t.client.pauseQueue({ name: queue })
    for (let n = 0; n < 6; n += 1) await t.make(`t${n}`)
    await t.client.resumeQueue({ name: queue })
    await t.pass(3, 500)
    expect(t.got.map((each) => each.at)).toEqual([0, 0, 500, 1_000, 1_500, 2_000])
  })

  it('delivers no more at once than it may', async () => {
    await t.configure({ queue: { rateLimits: { maxConcurrentDispatches: 2 } } })
    t.say = () => 'nothing'
    for (let n = 0; n < 5; n += 1) await t.make(`t${n}`, { dispatchDeadline: { seconds: 15 + n } })
    await t.brought(2)
    expect(t.tasks.queue(queue).underWay()).toBe(2)
    t.timers.pass(15_000)
    await t.brought(3)
    expect(t.bodies()).toEqual(['t0', 't1', 't2'])
  })

  it('delivers nothing while it is paused', async () => {
    const [paused] = await t.client.pauseQueue({ name: queue })
    await t.make('a')
    await t.pass(5)
    expect([paused.state, t.got]).toEqual(['PAUSED', []])
    await t.client.resumeQueue({ name: queue })
    await t.tasks.quiet()
    expect(t.bodies()).toEqual(['a'])
  })

  it('shows its settings, of which a mask changes some', async () => {
    await t.configure({
      queue: { rateLimits: { maxConcurrentDispatches: 7 }, retryConfig: { maxAttempts: 3 } },
      updateMask: { paths: ['rate_limits.max_concurrent_dispatches'] },
    })
    const [shown] = await t.client.getQueue({ name: queue })
    expect(shown).toMatchObject({
      name: queue,
      state: 'RUNNING',
      rateLimits: { maxDispatchesPerSecond: 500, maxConcurrentDispatches: 7 },
      retryConfig: { maxAttempts: 100, minBackoff: { seconds: '10' }, maxDoublings: 16 },
    })
  })

  it('is created once', async () => {
    await expect(
      t.client.createQueue({ parent: 'projects/test', queue: { name: queue } }),
    ).rejects.toThrow(refusedWith(status.ALREADY_EXISTS))
    await expect(t.client.getQueue({ name: `${queue}s` })).rejects.toThrow(
      refusedWith(status.NOT_FOUND),
    )
  })

  it('lists its tasks in pages', async () => {
    await t.client.pauseQueue({ name: queue })
    for (let n = 0; n < 5; n += 1) await t.make(`t${n}`)
    const pages: (string | undefined)[][] = []
    let pageToken = ''
    do {
      const ask = { parent: queue, pageSize: 2, pageToken }
      const answered = await t.client.listTasks(ask, { autoPaginate: false })
      const [page, , answer] = answered
      pages.push(page.map((task) => task.name?.slice(-2)))
      expect(page[0]?.httpRequest?.body).toHaveLength(0)
      pageToken = answer?.nextPageToken ?? ''
    } while (pageToken !== '')
    expect(pages).toEqual([['t0', 't1'], ['t2', 't3'], ['t4']])
  })
})

describe('told to, the queue', () => {
  it('delivers every task several times at once', async () => {
    t.tasks.queue(queue).behave({ copies: 5 })
    await t.make('a')
    await t.tasks.quiet()
    expect(t.bodies()).toEqual(['a', 'a', 'a', 'a', 'a'])
  })

  it('delivers tasks in any order', async () => {
    t.tasks.queue(queue).behave({ shuffled: true })
    await t.client.pauseQueue({ name: queue })
    await t.configure({ queue: { rateLimits: { maxConcurrentDispatches: 1 } } })
    for (let n = 0; n < 9; n += 1) await t.make(`t${n}`)
    await t.client.resumeQueue({ name: queue })
    await t.brought(9)
    expect(t.bodies()).not.toEqual(t.bodies().toSorted())
    expect(t.bodies().toSorted()).toEqual(Array.from({ length: 9 }, (_, n) => `t${n}`))
  })

  it('delivers again what was done long ago', async () => {
    await t.make('a')
    await t.tasks.quiet()
    t.tasks.queue(queue).behave({ replays: 20 })
    await t.make('b')
    await t.brought(22)
    expect(new Set(t.bodies().slice(2))).toEqual(new Set(['a', 'b']))
    expect(await t.tasks.queue(queue).replay('a')).toBe(200)
  })

  it('fails, before or after it has done what it was asked', async () => {
    t.tasks.fail('createTask', status.PERMISSION_DENIED)
    await expect(t.make('a')).rejects.toThrow(refusedWith(status.PERMISSION_DENIED))
    t.tasks.fail('createTask', status.UNAVAILABLE, 1, true)
    await expect(t.make('a')).rejects.toThrow(refusedWith(status.UNAVAILABLE))
    await t.tasks.quiet()
    expect(t.bodies()).toEqual(['a'])
    expect(t.tasks.calls.snapshot().byRoute['createTask']).toMatchObject({ calls: 2, refused: 2 })
  })
})
