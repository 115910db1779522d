import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { createLocalQueue } from '../../../backend/dispatch/local-queue.ts'
import type { LocalQueue } from '../../../backend/dispatch/queue.ts'
import { describeQueue, record, taskOf } from '../../contract/queue.ts'

const day = 24 * 60 * 60 * 1000
let folder: string
let path: string
let now: number
let errors: unknown[]
let db: DatabaseSync
let queue: LocalQueue

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-queue-'))
  path = join(folder, 'store.db')
  now = Date.now()
  errors = []
  db = new DatabaseSync(path, { timeout: 500 })
  db.exec('PRAGMA journal_mode = WAL')
  queue = open()
})
afterEach(async () => {
  db.exec('PRAGMA max_page_count = 1000000')
  await queue.stop()
  db.close()
  rmSync(folder, { recursive: true })
})

function open(random = (): number => 0): LocalQueue {
  return createLocalQueue(db, {
    clock: () => now,
    random,
    onError: (error) => errors.push(error),
  })
}

async function runProcess(step: string): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('queue-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, step, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(String(chunk).trim()))
  await once(child, 'close')
  return said
}

describeQueue('the local queue', async () => ({
  queue,
  start: (handler, atOnce) => queue.start(handler, atOnce),
  now: () => now,
  pass: async (ms) => {
    now += ms
  },
  close: async () => queue.stop(),
}))

describe('the local queue', () => {
  it('takes a name again once it has been handled for 24 hours', async () => {
    const recorder = record()
    queue.start(recorder.handler, 1)
    await queue.enqueue(taskOf('first'), { name: 'a' })
    await recorder.delivered('first')
    await queue.enqueue(taskOf('between'), { name: 'b' })
    await recorder.delivered('between')
    now += day
    await queue.enqueue(taskOf('second', 2), { name: 'a' })
    await recorder.delivered('second')
    expect(recorder.runs).toEqual(['first', 'between', 'second'])
  })

  it('forgets names that were handled long ago when it handles others', async () => {
    const recorder = record()
    queue.start(recorder.handler, 4)
    const enqueueAll = async (names: readonly string[]): Promise<void> => {
      for (const name of names) await queue.enqueue(taskOf(name), { name })
      await Promise.all(names.map(async (name) => recorder.delivered(name)))
    }
    await enqueueAll(Array.from({ length: 12 }, (_, at) => `old${at}`))
    now += day
    await enqueueAll(['new1', 'new2'])
    await queue.stop()
    const names = db.prepare('SELECT name FROM queued_tasks').all()
    expect(names.map((row) => row['name'])).toEqual(['new1', 'new2'])
  })

  it.each([
    ['the least', 0, [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]],
    ['in the middle', 0.5, [1_500, 2_500, 4_500, 8_500, 16_500, 30_500, 30_500, 30_500]],
    ['the most', 1, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]],
  ])('waits longer each time, by chance: %s', async (_, chance, delays) => {
    const waiting = open(() => chance)
    const recorder = record(async () => 'again')
    waiting.start(recorder.handler, 1)
    await waiting.enqueue(taskOf('r'), { name: 'a' })
    const due = db.prepare('SELECT due FROM queued_tasks')
    for (const [at, delay] of delays.entries()) {
      await recorder.delivered('r', at + 1)
      // The outcome is written soon after the handler has returned.
      while (Number(due.get()?.['due']) <= now)
        await new Promise((resolve) => setImmediate(resolve))
      expect(Number(due.get()?.['due']) - now).toBe(delay)
      now += delay
      // Wakes it, as the passing of real time would.
      await waiting.enqueue(taskOf('r'), { name: 'a' })
    }
    await waiting.stop()
  })

  it('tells what a handler threw, and nothing of one that wants another delivery', async () => {
    const failure = new Error('failed')
    const recorder = record(async (task) => {
      if (task.run === 'throws') throw failure
      return 'again'
    })
    queue.start(recorder.handler, 1)
    await queue.enqueue(taskOf('throws'), { name: 'a' })
    await queue.enqueue(taskOf('again'), { name: 'b' })
    await recorder.delivered('again')
    await queue.stop()
    expect(errors).toEqual([failure])
  })

  it('delivers nothing after stop, which waits for what is under way', async () => {
    const steps: string[] = []
    const recorder = record(async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
      steps.push('delivery ended')
      return 'done'
    })
    await queue.enqueue(taskOf('one'), { name: 'one' })
    await queue.enqueue(taskOf('two'), { name: 'two' })
    queue.start(recorder.handler, 1)
    await recorder.delivered('one')
    await queue.stop()
    steps.push('stopped')
    await queue.enqueue(taskOf('three'), { name: 'three' })
    expect(steps).toEqual(['delivery ended', 'stopped'])
    expect(recorder.runs).toEqual(['one'])
    queue.start(recorder.handler, 1)
    await Promise.all(['two', 'three'].map(async (run) => recorder.delivered(run)))
    expect(recorder.runs).toHaveLength(3)
  })

  it('delivers nothing when it is stopped as soon as it was started', async () => {
    const recorder = record()
    await queue.enqueue(taskOf('r'), { name: 'a' })
    queue.start(recorder.handler, 1)
    await Promise.all([queue.stop(), queue.stop()])
    expect(recorder.runs).toEqual([])
  })

  it('is started only once', () => {
    queue.start(record().handler, 1)
    expect(() => queue.start(record().handler, 1)).toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
  })

  it('delivers a task once although its handler enqueues others at once', async () => {
    const recorder = record(async (task) => {
      if (task.run === 'one')
        for (const name of ['two', 'three']) await queue.enqueue(taskOf(name), { name })
      return 'done'
    })
    await queue.enqueue(taskOf('one'), { name: 'one' })
    queue.start(recorder.handler, 3)
    await recorder.delivered('three')
    await queue.stop()
    expect(recorder.runs).toEqual(['one', 'two', 'three'])
  })

  it('finds what another process has enqueued', async () => {
    const recorder = record()
    queue.start(recorder.handler, 1)
    await runProcess('enqueue')
    now = Date.now()
    await recorder.delivered('r')
    expect(recorder.runs).toEqual(['r'])
  })

  it('lets its process end once it is stopped', async () => {
    expect(await runProcess('stop')).toEqual(['delivered'])
  })

  it('says store_full when the disk is full', async () => {
    db.exec('PRAGMA max_page_count = 1')
    const enqueueMany = async (): Promise<void> => {
      for (let at = 0; at < 200; at++)
        await queue.enqueue(taskOf('x'.repeat(200)), { name: `n${at}` })
    }
    await expect(enqueueMany()).rejects.toThrow(expect.objectContaining({ code: 'store_full' }))
  })

  it('does not deliver again and again what cannot be written down as handled', async () => {
    const recorder = record()
    db.exec(`CREATE TEMP TRIGGER full BEFORE UPDATE ON queued_tasks WHEN new.name = 'a'
      BEGIN SELECT raise(ABORT, 'no'); END`)
    queue.start(recorder.handler, 2)
    await queue.enqueue(taskOf('r'), { name: 'a' })
    await recorder.delivered('r')
    await queue.enqueue(taskOf('other'), { name: 'b' })
    await recorder.delivered('other')
    await queue.stop()
    expect(recorder.runs).toEqual(['r', 'other'])
    expect(errors[0]).toEqual(expect.objectContaining({ code: 'internal' }))
    db.exec('DROP TRIGGER full')
    queue.start(recorder.handler, 2)
    await recorder.delivered('r', 2)
  })
})

describe('a task whose process was killed', () => {
  it.each([
    'after enqueue',
    'at the start of the delivery',
    'within the delivery',
    'while the outcome is written',
    'after a wish for another',
  ])('%s is delivered by the next one', async (step) => {
    const said = await runProcess(step)
    expect(said).toEqual(step === 'after enqueue' ? [] : ['delivered'])
    now = Date.now() + 60_000
    const recorder = record()
    queue.start(recorder.handler, 1)
    await recorder.delivered('r')
    await queue.enqueue(taskOf('last'), { name: 'last' })
    await recorder.delivered('last')
    expect(recorder.runs).toEqual(['r', 'last'])
  })

  it.each([
    ['within enqueue', []],
    ['after the outcome is written', ['delivered']],
  ])('%s is not there', async (step, expected) => {
    expect(await runProcess(step)).toEqual(expected)
    now = Date.now() + 60_000
    const recorder = record()
    queue.start(recorder.handler, 1)
    await queue.enqueue(taskOf('last'), { name: 'last' })
    await recorder.delivered('last')
    expect(recorder.runs).toEqual(['last'])
  })
})
