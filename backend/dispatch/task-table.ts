import type { DatabaseSync } from 'node:sqlite'
import { WaybillError } from '../../shared/errors.ts'
import type { Task } from './queue.ts'

// How long a handled task's name is remembered.
const rememberedMs = 24 * 60 * 60 * 1000
// Names forgotten each time another one is handled: more than come in, so that the table does not grow.
const forgottenAtOnce = 10

export interface WaitingTask {
  readonly name: string
  readonly task: Task
  /** How often it was delivered in vain. */
  readonly tries: number
}

/** The tasks in a SQLite file. Every function throws `store_full`, `busy` or `internal`. */
export interface TaskTable {
  /** Takes the task unless its name is waiting or was handled less than 24 hours before `now`. */
  add(name: string, task: Task, due: number, now: number): void
  /** Tasks whose time has come, the longest waiting first. */
  due(now: number, limit: number): readonly WaitingTask[]
  /** When the next task after `now` is due, if there is one. */
  nextAfter(now: number): number | null
  /** The task was handled: its name stays for a while. */
  finish(name: string, now: number): void
  /** The task is to be delivered again at `due`. */
  postpone(name: string, due: number): void
}

/**
 * @param db the store's file, whose own tables are left alone
 * @returns the table of tasks in it, which is made if need be
 */
export function openTaskTable(db: DatabaseSync): TaskTable {
  // Which task is being delivered is not in the file: when the process has died, all that is not done is simply due.
  translated(() =>
    db.exec(`
      CREATE TABLE IF NOT EXISTS queued_tasks (
        name TEXT PRIMARY KEY, run TEXT NOT NULL, fence INTEGER NOT NULL,
        due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, done INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS queued_tasks_due ON queued_tasks (due) WHERE done IS NULL;
      CREATE INDEX IF NOT EXISTS queued_tasks_done ON queued_tasks (done) WHERE done IS NOT NULL;
    `),
  )
  const add = db.prepare(`INSERT INTO queued_tasks (name, run, fence, due) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name) DO UPDATE SET run = ?2, fence = ?3, due = ?4, tries = 0, done = NULL
    WHERE done <= ?5`)
  const due = db.prepare(`SELECT name, run, fence, tries FROM queued_tasks
    WHERE done IS NULL AND due <= ? ORDER BY due LIMIT ?`)
  const next = db.prepare('SELECT min(due) AS due FROM queued_tasks WHERE done IS NULL AND due > ?')
  const finish = db.prepare('UPDATE queued_tasks SET done = ? WHERE name = ?')
  const forget = db.prepare(`DELETE FROM queued_tasks WHERE name IN
    (SELECT name FROM queued_tasks WHERE done <= ? ORDER BY done LIMIT ${forgottenAtOnce})`)
  const postpone = db.prepare('UPDATE queued_tasks SET due = ?, tries = tries + 1 WHERE name = ?')

  return {
    add: (name, task, at, now) =>
      translated(() => void add.run(name, task.run, task.fence, at, now - rememberedMs)),
    due: (now, limit) =>
      translated(() =>
        due.all(now, limit).map((row) => ({
          name: String(row['name']),
          task: { run: String(row['run']), fence: Number(row['fence']) },
          tries: Number(row['tries']),
        })),
      ),
    nextAfter(now) {
      const at = translated(() => next.get(now))?.['due']
      return typeof at === 'number' ? at : null
    },
    finish: (name, now) =>
      translated(() => {
        finish.run(now, name)
        forget.run(now - rememberedMs)
      }),
    postpone: (name, at) => translated(() => void postpone.run(at, name)),
  }
}

// https://www.sqlite.org/rescode.html: 5 is SQLITE_BUSY, 13 SQLITE_FULL.
function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const code =
      typeof cause === 'object' && cause !== null && 'errcode' in cause
        ? Number(cause.errcode) & 0xff
        : undefined
    if (code === 13)
      throw new WaybillError(
        'store_full',
        'The disk that holds the queue is full. Free some space, then resume.',
        { cause },
      )
    if (code === 5)
      throw new WaybillError('busy', 'The queue is busy with another process.', { cause })
    throw new WaybillError('internal', 'The queue failed.', { cause })
  }
}
