import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Handler, Queue, Task } from '../../backend/dispatch/queue.ts'

/** An empty queue with the means to test it. */
export interface QueueBench {
  readonly queue: Queue
  /** Begins to deliver to `handler`, at most `atOnce` tasks at a time. */
  start(handler: Handler, atOnce: number): void
  /** Milliseconds since 1970, by the queue's clock. */
  now(): number
  /** Moves that clock forward by so many milliseconds, once deliveries that have ended are known to have. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

/** A handler that writes down what it was given. */
export interface Recorder {
  readonly handler: Handler
  /** What was delivered, in order. */
  readonly runs: readonly string[]
  /** Resolves when `run` has been delivered so many times. */
  delivered(run: string, times?: number): Promise<void>
}

/**
 * @param answer what becomes of the delivery, also by throwing; `done` if left out
 * @returns a handler, and what reached it
 */
export function record(answer: Handler = async () => 'done'): Recorder {
  const runs: string[] = []
  const waiting = new Set<() => void>()
  return {
    runs,
    handler: async (task) => {
      runs.push(task.run)
      for (const look of waiting) look()
      return answer(task)
    },
    delivered: async (run, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (runs.filter((one) => one === run).length < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

/** @returns a task of a run */
export function taskOf(run: string, fence = 1): Task {
  return { run, fence }
}

const day = 24 * 60 * 60 * 1000

/** Declares the tests that every queue has to pass, one for each sentence of its contract. */
export function describeQueue(name: string, open: () => Promise<QueueBench>): void {
  describe(`${name} keeps the queue's contract`, () => {
    let bench: QueueBench
    beforeEach(async () => {
      bench = await open()
    })
    afterEach(async () => bench.close())

    // Whatever was enqueued before and is due has been looked at once this one has come through.
    async function settle(recorder: Recorder, run: string): Promise<void> {
      await bench.queue.enqueue(taskOf(run), { name: run })
      await recorder.delivered(run)
    }

    it('delivers a task as it was enqueued', async () => {
      const tasks: Task[] = []
      const recorder = record(async (task) => {
        tasks.push(task)
        return 'done'
      })
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue({ run: 'r1_-', fence: 7 }, { name: 'a' })
      await recorder.delivered('r1_-')
      expect(tasks).toEqual([{ run: 'r1_-', fence: 7 }])
    })

    it('delivers what was enqueued before it began', async () => {
      const recorder = record()
      await bench.queue.enqueue(taskOf('r'), { name: 'a' })
      bench.start(recorder.handler, 1)
      await recorder.delivered('r')
      expect(recorder.runs).toEqual(['r'])
    })

    it('delivers a task that was handled no more', async () => {
      const recorder = record()
      bench.start(recorder.handler, 1)
      await settle(recorder, 'one')
      await bench.pass(120_000)
      await settle(recorder, 'two')
      expect(recorder.runs).toEqual(['one', 'two'])
    })

    it('does not take a name again that is waiting, and says that this is fine', async () => {
      const recorder = record()
      await bench.queue.enqueue(taskOf('first'), { name: 'a' })
      await bench.queue.enqueue(taskOf('second'), { name: 'a' })
      bench.start(recorder.handler, 1)
      await recorder.delivered('first')
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['first', 'last'])
    })

    it('does not take a name again that is being delivered', async () => {
      const recorder = record(async (task) => {
        if (task.run === 'first') await bench.queue.enqueue(taskOf('second'), { name: 'a' })
        return 'done'
      })
      bench.start(recorder.handler, 2)
      await bench.queue.enqueue(taskOf('first'), { name: 'a' })
      await recorder.delivered('first')
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['first', 'last'])
    })

    it('does not take a name again that was handled less than 24 hours ago', async () => {
      const recorder = record()
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('first'), { name: 'a' })
      await recorder.delivered('first')
      await settle(recorder, 'between')
      await bench.pass(day - 60_000)
      await bench.queue.enqueue(taskOf('second'), { name: 'a' })
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['first', 'between', 'last'])
    })

    it('delivers the same run again under another name', async () => {
      const recorder = record()
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('r'), { name: 'a' })
      await bench.queue.enqueue(taskOf('r'), { name: 'b' })
      await recorder.delivered('r', 2)
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['r', 'r', 'last'])
    })

    it('delivers no task before its time, and then does', async () => {
      const recorder = record()
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('later'), { name: 'a', notBefore: bench.now() + 3_600_000 })
      await settle(recorder, 'now')
      await bench.pass(3_599_000)
      await settle(recorder, 'almost')
      expect(recorder.runs).toEqual(['now', 'almost'])
      await bench.pass(1_000)
      await recorder.delivered('later')
    })

    it('delivers again, later, what is to be delivered again', async () => {
      const recorder = record(async (task) => (task.run === 'r' ? 'again' : 'done'))
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('r'), { name: 'a' })
      await recorder.delivered('r')
      await settle(recorder, 'other')
      expect(recorder.runs).toEqual(['r', 'other'])
      await bench.pass(60_000)
      await recorder.delivered('r', 2)
      await settle(recorder, 'another')
      await bench.pass(60_000)
      await recorder.delivered('r', 3)
    })

    it('delivers again, later, what the handler threw at', async () => {
      const recorder = record(async () => {
        if (recorder.runs.length === 1) throw new Error('failed')
        return 'done'
      })
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('r'), { name: 'a' })
      await recorder.delivered('r')
      await settle(recorder, 'other')
      await bench.pass(60_000)
      await recorder.delivered('r', 2)
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['r', 'other', 'r', 'last'])
    })

    it('delivers several at a time, and never more than it may', async () => {
      let underWay = 0
      let most = 0
      const names = Array.from({ length: 7 }, (_, at) => `n${at}`)
      const recorder = record(async () => {
        underWay += 1
        most = Math.max(most, underWay)
        await new Promise((resolve) => {
          setTimeout(resolve, 5)
        })
        underWay -= 1
        return 'done'
      })
      for (const one of names) await bench.queue.enqueue(taskOf(one), { name: one })
      bench.start(recorder.handler, 3)
      await Promise.all(names.map(async (one) => recorder.delivered(one)))
      expect(most).toBe(3)
    })

    it('goes on while one delivery takes long', async () => {
      let finish = (): void => undefined
      const long = new Promise<void>((resolve) => {
        finish = resolve
      })
      const recorder = record(async (task) => {
        if (task.run === 'long') await long
        return 'done'
      })
      bench.start(recorder.handler, 2)
      await bench.queue.enqueue(taskOf('long'), { name: 'long' })
      await settle(recorder, 'other')
      await bench.pass(120_000)
      await settle(recorder, 'another')
      finish()
      await settle(recorder, 'last')
      expect(recorder.runs).toEqual(['long', 'other', 'another', 'last'])
    })

    it.each(['a', '_-9', 'x'.repeat(200)])('takes the name %j', async (taken) => {
      const recorder = record()
      bench.start(recorder.handler, 1)
      await bench.queue.enqueue(taskOf('r'), { name: taken })
      await recorder.delivered('r')
      expect(recorder.runs).toEqual(['r'])
    })

    it.each(['', 'x'.repeat(201), 'a.b', 'a/b', 'ä', 'a\n'])(
      'refuses the name %j',
      async (refused) => {
        await expect(bench.queue.enqueue(taskOf('r'), { name: refused })).rejects.toThrow(
          expect.objectContaining({ code: 'internal' }),
        )
      },
    )
  })
}
