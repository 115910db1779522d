// A process of its own for the tests of the local queue: `node queue-process.ts <step> <file>`. It enqueues one task,
// delivers it, and kills itself at the named step; `enqueue` only enqueues, `stop` stops after the delivery began.
import { DatabaseSync } from 'node:sqlite'
import { createLocalQueue } from '../../../backend/dispatch/local-queue.ts'

const [, , step, path = ''] = process.argv

function die(): null {
  process.kill(process.pid, 'SIGKILL')
  return null
}

const db = new DatabaseSync(path, { timeout: 500 })
db.exec('PRAGMA journal_mode = WAL')
const queue = createLocalQueue(db, {
  clock: Date.now,
  random: () => 0,
  onError: (error) => {
    throw error
  },
})
db.function('die', die)
if (step === 'within enqueue')
  db.exec('CREATE TEMP TRIGGER t AFTER INSERT ON queued_tasks BEGIN SELECT die(); END')
if (step === 'while the outcome is written')
  db.exec('CREATE TEMP TRIGGER t AFTER UPDATE ON queued_tasks BEGIN SELECT die(); END')

await queue.enqueue({ run: 'r', fence: 3 }, { name: 'a' })
if (step === 'after enqueue') die()
if (step !== 'enqueue')
  queue.start(async () => {
    process.stdout.write('delivered\n')
    if (step === 'at the start of the delivery') die()
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (step === 'within the delivery') die()
    if (step === 'stop') void queue.stop()
    if (step === 'after the outcome is written') setTimeout(die, 20)
    return step === 'after a wish for another' ? 'again' : 'done'
  }, 1)
if (step === 'after a wish for another') setTimeout(die, 100)
