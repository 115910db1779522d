import type { Issuer } from '../clouds/issuer.ts'
import type { Random } from '../clouds/random.ts'
import { randomBelow } from '../clouds/random.ts'
import { deliverTask } from './deliver-task.ts'
import type { TaskRequest } from './deliver-task.ts'
import { backoffOf } from './task-settings.ts'
import type { TaskSettings } from './task-settings.ts'
import type { Timers } from './timers.ts'

/** A task as it was made. */
export interface NewTask {
  /** Its last part only. */
  readonly name: string
  /** Milliseconds since 1970. */
  readonly due: number
  readonly deadlineMs: number
  readonly request: TaskRequest
}

export interface KeptTask extends NewTask {
  readonly created: number
  /** When it is to be delivered next. */
  next: number
  dispatched: number
  answered: number
  firstAt: number | null
  previous: number | null
  underWay: boolean
}

/** A delivery that has ended. */
export interface Delivered {
  readonly task: string
  /** Null when there was no answer in time. */
  readonly status: number | null
  /** Whether it was one more than the queue owed. */
  readonly extra: boolean
}

/** How badly the queue behaves, within what Cloud Tasks reserves the right to. */
export interface Manners {
  /** Every task is delivered so many times at the same time. 1 unless given. */
  readonly copies?: number
  /** Of the tasks that are due, any is delivered next. */
  readonly shuffled?: boolean
  /** After every delivery, so many earlier ones are made again, of tasks long done too. 0 unless given. */
  readonly replays?: number
}

export interface TaskQueue {
  settings: TaskSettings
  paused: boolean
  readonly tasks: ReadonlyMap<string, KeptTask>
  /** All that were ever taken, also those that are done. */
  readonly taken: readonly NewTask[]
  /** False when the name is taken, or was within the last 24 hours. */
  add(task: NewTask): boolean
  /** False when there is no such task. */
  remove(name: string): boolean
  /** Delivers what is due as far as the limits allow. To be called when settings have changed. */
  look(): void
  behave(manners: Manners): void
  /** Delivers a task again that was delivered before; null when there was no answer. */
  replay(name: string): Promise<number | null>
  readonly delivered: readonly Delivered[]
  /** Deliveries under way. */
  underWay(): number
  /** Tasks given up after too many attempts. */
  readonly dropped: readonly string[]
  close(): void
}

const remembered = 24 * 60 * 60_000
const leastHold = 1_000
const longestHold = 60_000

/** A queue of Cloud Tasks, running. Its order, when it is well-behaved, is that of the times at which tasks are due. */
export function createTaskQueue(
  name: string,
  options: {
    readonly settings: TaskSettings
    readonly issuer: Issuer
    readonly timers: Timers
    readonly random: Random
    /** Told when a delivery has ended. */
    readonly onDelivered: () => void
  },
): TaskQueue {
  const { timers, random } = options
  const tasks = new Map<string, KeptTask>()
  const gone = new Map<string, number>()
  const known = new Map<string, KeptTask>()
  const taken: NewTask[] = []
  const delivered: Delivered[] = []
  const dropped: string[] = []
  const cut = new AbortController()
  let manners: Manners = {}
  let slots = 0
  let sending = 0
  let tokens = options.settings.burst
  let filledAt = timers.now()
  let heldUntil = -Infinity
  let hold = leastHold
  let forget = (): void => undefined

  function look(): void {
    forget()
    if (queue.paused || cut.signal.aborted) return
    const now = timers.now()
    const { perSecond, burst, atOnce } = queue.settings
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1_000) * perSecond)
    filledAt = now
    const waiting = [...tasks.values()].filter((task) => !task.underWay)
    const due = waiting.filter((task) => task.next <= now).toSorted((a, b) => a.next - b.next)
    const mayDeliver = (): boolean => now >= heldUntil && slots < atOnce && tokens >= 1
    while (due.length > 0 && mayDeliver()) {
      const at = manners.shuffled === true ? randomBelow(random, due.length) : 0
      const [task] = due.splice(at, 1)
      if (task === undefined) break
      tokens -= 1
      void attempt(task)
    }
    const later = waiting.flatMap((task) => (task.next > now ? [task.next] : []))
    const soonest = Math.min(...later, ...(due.length > 0 ? [now] : []))
    if (slots >= atOnce || !Number.isFinite(soonest)) return
    const filled = tokens >= 1 ? now : now + ((1 - tokens) / perSecond) * 1_000
    const wakeAt = Math.max(soonest, heldUntil, filled)
    // Whoever moves the clock by hand moves it by whole milliseconds.
    forget = timers.after(Math.max(1, Math.ceil(wakeAt - now)), look)
  }

  async function attempt(task: KeptTask): Promise<void> {
    slots += 1
    task.underWay = true
    task.firstAt ??= timers.now()
    task.dispatched += 1
    known.set(task.name, task)
    const extras = Array.from({ length: (manners.copies ?? 1) - 1 }, () => send(task, true))
    const [answer] = await Promise.all([send(task, false), ...extras])
    slots -= 1
    task.underWay = false
    settle(task, answer.status, answer.retryAfter)
    const old = [...known.values()]
    for (let n = 0; n < (manners.replays ?? 0); n += 1) {
      const again = old[randomBelow(random, old.length)]
      if (again !== undefined) void send(again, true)
    }
    options.onDelivered()
    look()
  }

  async function send(task: KeptTask, extra: boolean) {
    sending += 1
    const said = {
      queue: name,
      task: task.name,
      retries: Math.max(0, task.dispatched - 1),
      executions: task.answered,
      due: task.next,
      previous: task.previous,
    }
    const answer = await deliverTask(task.request, said, task.deadlineMs, {
      issuer: options.issuer,
      timers,
      cut: cut.signal,
    })
    sending -= 1
    delivered.push({ task: task.name, status: answer.status, extra })
    if (extra) options.onDelivered()
    return answer
  }

  function settle(task: KeptTask, status: number | null, retryAfter: number | null): void {
    const now = timers.now()
    if (status !== null) task.answered += 1
    task.previous = status
    if (status !== null && status >= 200 && status < 300) {
      hold = leastHold
      finish(task)
      return
    }
    if (status === 429 || status === 503) {
      // How long the real one holds the queue is not published, only that it does, and that it minds Retry-After.
      heldUntil = now + Math.max(hold, retryAfter ?? 0)
      hold = Math.min(longestHold, hold * 2)
    }
    const { attempts, retryMs } = queue.settings
    const outOfAttempts = attempts !== -1 && task.dispatched >= attempts
    if (outOfAttempts && now - (task.firstAt ?? now) >= retryMs) {
      dropped.push(task.name)
      finish(task)
    } else task.next = now + backoffOf(queue.settings, task.dispatched)
  }

  function finish(task: KeptTask): void {
    if (tasks.get(task.name) !== task) return
    tasks.delete(task.name)
    gone.set(task.name, timers.now())
  }

  const queue: TaskQueue = {
    settings: options.settings,
    paused: false,
    tasks,
    taken,
    add(task) {
      const now = timers.now()
      const wentAt = gone.get(task.name)
      if (tasks.has(task.name) || (wentAt !== undefined && now - wentAt < remembered)) return false
      taken.push(task)
      const fresh = { dispatched: 0, answered: 0, firstAt: null, previous: null, underWay: false }
      tasks.set(task.name, { ...task, ...fresh, created: now, next: Math.max(now, task.due) })
      look()
      return true
    },
    remove(task) {
      const kept = tasks.get(task)
      if (kept !== undefined) finish(kept)
      return kept !== undefined
    },
    look,
    behave(next) {
      manners = next
    },
    async replay(task) {
      const before = known.get(task)
      if (before === undefined) throw new Error(`${task} was never delivered`)
      return (await send(before, true)).status
    },
    delivered,
    underWay: () => sending,
    dropped,
    close() {
      forget()
      cut.abort()
    },
  }
  return queue
}
