import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Collection } from '../../../backend/store/store.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

const MiB = 1024 * 1024

let t: Engine
let top: string
beforeEach(async () => {
  t = await startEngine()
  top = t.drive.folder('Top')
})
afterEach(() => t.close())

/** Transactions that touch one of these documents fail, so many times. */
function storeFails(
  times: number,
  touches: (collection: Collection, key: string) => boolean,
): () => number {
  const { store } = t.records
  const transact = store.transact.bind(store)
  let left = times
  jest.spyOn(store, 'transact').mockImplementation(async (change) =>
    transact(async (transaction) => {
      const touched = (collection: Collection, key: string): void => {
        if (left === 0 || !touches(collection, key)) return
        left -= 1
        throw new WaybillError('store_unavailable', 'For the test.')
      }
      return change({
        get: async (collection, key) => transaction.get(collection, key),
        put: (collection, document) => {
          touched(collection, document.key)
          transaction.put(collection, document)
        },
        remove: (collection, key) => {
          touched(collection, key)
          transaction.remove(collection, key)
        },
      })
    }),
  )
  return () => left
}

/** The clouds' calls ask the store for a token first. */
function tokensFail(times: number, code: ErrorCode): () => number {
  let left = times
  t.drive.onCall((name) => {
    if (name !== 'open' || left === 0) return
    left -= 1
    throw new WaybillError(code, 'For the test.')
  })
  return () => left
}

describe('a store that is away again and again while items are copied', () => {
  it.each([
    ['a chunk', 'transfers', '.upload.'],
    ['what is about to be committed', 'transfers', '.intent.'],
    ['what became of items', 'receipts', ''],
  ])('when %s is written down: no item is charged for it, and all are carried', async (...what) => {
    const [, where, name] = what
    t.drive.file('large', top, Buffer.alloc(20 * MiB, 7))
    for (let n = 0; n < 5; n += 1) t.drive.file(`small ${n}`, top, `content ${n}`)
    const job = await t.start({ kind: 'folder', id: top })
    // More often than an item may be tried in vain.
    const left = storeFails(8, (collection, key) => collection === where && key.includes(name))
    const { run } = await t.finish(job)
    expect(left()).toBe(0)
    expect(run).toMatchObject({ state: 'done', totals: { copied: 6, failed: 0, skipped: 0 } })
    expect((await t.receipt(job)).lines.map(({ reason }) => reason)).toEqual(Array(6).fill(null))
  })

  it('is not taken for the source that does not deliver an item', async () => {
    t.drive.file('f', top, 'content')
    const job = await t.start({ kind: 'folder', id: top })
    const left = tokensFail(8, 'store_unavailable')
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 1 } })
    expect(left()).toBe(0)
    expect(t.ends.some(({ code }) => code === 'store_unavailable')).toBe(true)
  })

  it('makes the run wait, and go on by itself however long it takes', async () => {
    t.drive.file('f', top, 'content')
    const job = await t.start({ kind: 'folder', id: top })
    const left = tokensFail(20, 'store_unavailable')
    for (let pauses = 0; left() > 0; pauses += 1) {
      expect(pauses).toBeLessThan(20)
      await t.finish(job)
      t.records.pass(10 * 60_000)
      await t.tick()
    }
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 1 } })
  })
})

describe('a provider that is away for hours', () => {
  it('pauses the run where people see it, which is tried again each hour by itself', async () => {
    t.drive.file('f', top, 'content')
    const job = await t.start({ kind: 'folder', id: top })
    const left = tokensFail(20, 'busy')
    const paused = await t.finish(job)
    expect(paused.run).toMatchObject({ state: 'paused', reason: 'busy' })
    const wait = Date.parse(paused.run.resumesAt ?? '') - t.records.now()
    expect(wait).toBeGreaterThan(50 * 60_000)
    expect(wait).toBeLessThanOrEqual(60 * 60_000)
    let { run } = paused
    for (let pauses = 0; run.state === 'paused'; pauses += 1) {
      expect(pauses).toBeLessThan(20)
      t.records.pass(60 * 60_000)
      await t.tick()
      ;({ run } = await t.finish(job))
    }
    expect(left()).toBe(0)
    expect(run).toMatchObject({ state: 'done', totals: { copied: 1 } })
  })
})
