import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { WaybillError } from '../../shared/errors.ts'
import type { Delivery, Handler, LocalQueue } from './queue.ts'
import { checkTaskName } from './task-name.ts'
import { openTaskTable } from './task-table.ts'
import type { WaitingTask } from './task-table.ts'

const shortestDelayMs = 1_000
const longestDelayMs = 60_000
// Only a task of another process waits for this: what this process knows of is due by a timer of its own.
const pollMs = 1_000

export interface LocalQueueOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Numbers in [0, 1), to spread what is delivered again. */
  readonly random: () => number
  /** Told what a handler threw, and what went wrong in the queue itself; the queue goes on. */
  readonly onError: (error: unknown) => void
}

interface Work {
  readonly handler: Handler
  readonly atOnce: number
  readonly underWay: Map<string, Promise<void>>
  readonly stopped: AbortController
  timer: NodeJS.Timeout | undefined
}

/**
 * A queue in a SQLite file that delivers inside this process. What was being delivered when a process died is due when
 * the next one starts.
 * @param db the store's file, opened; it must stay open until `stop` has resolved
 * @returns the queue; `enqueue` throws `internal` for a name that is not fit, `store_full` when the disk is full and
 * `busy` when other processes leave it no turn; `start` throws `internal` if the queue is delivering already
 */
export function createLocalQueue(
  db: DatabaseSync,
  { clock, random, onError }: LocalQueueOptions,
): LocalQueue {
  const tasks = openTaskTable(db)
  let work: Work | undefined

  // Begins what is due as far as there is room, then waits for what is due next.
  function deliver(current: Work): void {
    if (current.stopped.signal.aborted) return
    clearTimeout(current.timer)
    let delay = pollMs
    try {
      const now = clock()
      // Those under way are still due in the file, so ask for as many more.
      const due = tasks.due(now, current.atOnce + current.underWay.size)
      for (const one of due) {
        if (current.underWay.size >= current.atOnce) break
        if (!current.underWay.has(one.name)) current.underWay.set(one.name, handle(current, one))
      }
      delay = Math.min(pollMs, Math.max(1, (tasks.nextAfter(now) ?? Infinity) - now))
    } catch (error) {
      onError(error)
    }
    current.timer = setTimeout(deliver, delay, current)
  }

  async function handle(current: Work, one: WaitingTask): Promise<void> {
    // Before the handler runs, the task must be known to be under way: the handler may enqueue, which delivers.
    await Promise.resolve()
    if (current.stopped.signal.aborted) return
    let outcome: Delivery = 'again'
    try {
      outcome = await current.handler(one.task)
    } catch (error) {
      onError(error)
    }
    await record(current, one, outcome)
    current.underWay.delete(one.name)
    deliver(current)
  }

  // Keeps its place until the outcome is written, so that a full disk does not deliver the same task in a circle.
  async function record(current: Work, one: WaitingTask, outcome: Delivery): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        if (outcome === 'done') tasks.finish(one.name, clock())
        else tasks.postpone(one.name, clock() + delayAfter(one.tries))
        return
      } catch (error) {
        onError(error)
      }
      // A stopped queue leaves the task as it is in the file: due.
      if (current.stopped.signal.aborted) return
      await rest(delayAfter(attempt), current.stopped.signal)
    }
  }

  function delayAfter(tries: number): number {
    const most = Math.min(longestDelayMs, 2 * shortestDelayMs * 2 ** tries)
    return Math.round(shortestDelayMs + random() * (most - shortestDelayMs))
  }

  return {
    async enqueue(task, { name, notBefore }) {
      checkTaskName(name)
      const now = clock()
      tasks.add(name, task, Math.ceil(notBefore ?? now), now)
      if (work !== undefined) deliver(work)
    },
    start(handler, atOnce) {
      if (work !== undefined) throw new WaybillError('internal', 'The queue is delivering already.')
      work = {
        handler,
        atOnce,
        underWay: new Map(),
        stopped: new AbortController(),
        timer: undefined,
      }
      deliver(work)
    },
    async stop() {
      const current = work
      if (current === undefined) return
      current.stopped.abort()
      clearTimeout(current.timer)
      await Promise.all(current.underWay.values())
      if (work === current) work = undefined
    },
  }
}

// Resolves after so many milliseconds, or at once when the queue is stopped.
async function rest(ms: number, stopped: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal: stopped })
  } catch (error) {
    // Nothing but the abort ends it early.
    if (!stopped.aborted) throw error
  }
}
