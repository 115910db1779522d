import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { backoffOf, settingsOf } from './task-settings.ts'
import { queue, start, startTaskBench } from './task-bench.ts'
import type { TaskBench } from './task-bench.ts'

let t: TaskBench
beforeEach(async () => {
  t = await startTaskBench()
})
afterEach(async () => t.close())

describe('a task that fails', () => {
  it('comes again, later each time, and says how often it was tried', async () => {
    t.say = () => ({ status: t.got.length < 4 ? 500 : 200 })
    await t.make('a')
    await t.pass(80)
    expect(t.got.map((each) => each.at)).toEqual([0, 10_000, 30_000, 70_000])
    expect(t.got[3]?.headers).toMatchObject({
      'x-cloudtasks-taskretrycount': '3',
      'x-cloudtasks-taskexecutioncount': '3',
      'x-cloudtasks-taskpreviousresponse': '500',
    })
  })

  it('waits by the rule that the documentation gives as an example', () => {
    const settings = settingsOf({
      retryConfig: {
        minBackoff: { seconds: 10 },
        maxBackoff: { seconds: 300 },
        maxDoublings: 3,
      },
    })
    const waits = Array.from({ length: 8 }, (_, n) => backoffOf(settings, n + 1) / 1_000)
    expect(waits).toEqual([10, 20, 40, 80, 160, 240, 300, 300])
  })

  it.each([409, 500, 404, 302])('by %d holds nobody else up', async (code) => {
    t.say = ({ body }) => ({ status: body === 'a' ? code : 200 })
    await t.make('a')
    await t.tasks.quiet()
    await t.make('b')
    await t.tasks.quiet()
    expect(t.bodies()).toEqual(['a', 'b'])
  })

  it.each([429, 503])('by %d holds the whole queue, longer each time', async (code) => {
    t.say = ({ body }) => ({ status: body === 'b' ? 200 : code })
    await t.make('a')
    await t.tasks.quiet()
    await t.make('b', { scheduleTime: { seconds: start / 1_000 + 10, nanos: 500_000_000 } })
    await t.pass(13, 500)
    // One second after the first, two after the second.
    expect(t.got.map(({ body, at }) => `${body} ${at}`)).toEqual(['a 0', 'a 10000', 'b 12000'])
  })

  it('holds the whole queue for as long as Retry-After asks', async () => {
    t.say = ({ body }) => (body === 'b' ? { status: 200 } : { status: 503, after: '30' })
    await t.make('a')
    await t.tasks.quiet()
    await t.make('b')
    await t.pass(31)
    expect(t.got.map(({ body, at }) => `${body} ${at}`)).toEqual(['a 0', 'b 30000', 'a 30000'])
  })

  it('is dropped when it has had its attempts and its time', async () => {
    await t.configure({
      queue: {
        retryConfig: {
          maxAttempts: 2,
          maxRetryDuration: { seconds: 25 },
          minBackoff: { seconds: 10 },
        },
      },
      updateMask: { paths: ['retry_config'] },
    })
    t.say = () => ({ status: 500 })
    await t.make('a')
    await t.pass(200)
    expect(t.got.map((each) => each.at)).toEqual([0, 10_000, 30_000])
    expect(t.tasks.queue(queue).dropped).toEqual(['a'])
  })

  it('to answer in time is cut off and comes again', async () => {
    t.say = () => (t.got.length < 2 ? 'nothing' : { status: 200 })
    await t.make('a', { dispatchDeadline: { seconds: 15 } })
    await t.brought(1)
    t.timers.pass(15_000)
    await t.pass(10)
    expect(t.got.map((each) => each.at)).toEqual([0, 25_000])
    expect(t.got[1]?.headers).toMatchObject({
      'x-cloudtasks-taskretrycount': '1',
      'x-cloudtasks-taskexecutioncount': '0',
    })
  })

  it('to be brought at all comes again', async () => {
    await t.make('a', { httpRequest: { url: 'http://127.0.0.1:1/' } })
    await t.pass(1)
    expect(t.tasks.queue(queue).delivered).toEqual([{ task: 'a', status: null, extra: false }])
    expect(t.tasks.queue(queue).tasks.size).toBe(1)
  })
})
