import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'

import { claim, handOver, renew, turn, wake } from '../../../backend/records/leases.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import { keepRun, newRun, readRun, usualLeaseMs } from '../../../backend/records/runs.ts'
import type { Run } from '../../../backend/records/runs.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import type { Store } from '../../../backend/store/store.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { noOperations, plus } from '../../platform/firestore-operations.ts'
import type { Operations } from '../../platform/firestore-operations.ts'
import { startFirestoreProxy } from '../../platform/firestore-proxy.ts'
import type { FirestoreProxy } from '../../platform/firestore-proxy.ts'
import { keepRecords } from '../engine/kept-records.ts'

/** A store, and what Firestore bills for what it was asked. */
interface Bench {
  readonly store: Store
  billed(): Operations
  close(): void
}

const start = 1_800_000_000_000
const none = { reads: 2, writes: 0, deletes: 0 }

const noOwners: Owners = {
  of: async () => {
    throw new WaybillError('key_unavailable', 'For the test.')
  },
  forget: () => undefined,
}

function describeTick(name: string, open: () => Bench): void {
  describe(`a tick on ${name}`, () => {
    let bench: Bench
    let store: Store
    let now: number
    let tasks: string[]
    beforeEach(() => {
      bench = open()
      store = bench.store
      now = start
      tasks = []
    })
    afterEach(() => bench.close())

    const ticked = async (alone = false): Promise<Operations> => {
      const before = bench.billed()
      const queue = {
        enqueue: async (_: unknown, { name: task }: { readonly name: string }) =>
          void tasks.push(task),
      }
      await tick({ store, owners: noOwners, queue }, now, alone)
      const after = bench.billed()
      return {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        deletes: after.deletes - before.deletes,
      }
    }
    async function keep(job: string, change: Partial<Run>): Promise<Run> {
      const run = { ...newRun('ann', job, 1, start), ...change }
      return store.transact(async (transaction) => keepRun(transaction, run))
    }
    const held = { state: 'running', holder: 'somebody', wakeAt: null } as const

    it('reads two documents, however many runs are worked on, wait or are paused', async () => {
      for (let n = 0; n < 25; n += 1) {
        await keep(`held-${n}`, { ...held, leaseUntil: start + 40_000 + n })
        await keep(`waits-${n}`, { wakeAt: start + n })
        await keep(`pause-${n}`, { state: 'paused', wakeAt: start + 90_000 })
        await keep(`asks-${n}`, { state: 'paused', wakeAt: null })
        await keep(`over-${n}`, { state: 'done' })
      }
      expect(await ticked()).toEqual(none)
      now += 30_000
      expect(await ticked()).toEqual(none)
      expect(tasks).toEqual([])
    })

    it('reads and writes of the others nothing when some have been neglected', async () => {
      for (let n = 0; n < 25; n += 1)
        await keep(`held-${n}`, { ...held, leaseUntil: start + 600_000 })
      await keep('dead', { ...held, leaseUntil: start + 60_000 })
      await keep('lost', { wakeAt: start })
      await keep('pause', { state: 'paused', wakeAt: start + 60_000 })
      now += 60_000
      const { reads, writes, deletes } = await ticked()
      expect(tasks.toSorted()).toEqual(['dead-000001-1', 'lost-000001-0', 'pause-000001-1'])
      // Two of three get a new number: a run and its new place each, and the old place is left.
      expect({ writes, deletes }).toEqual({ writes: 4, deletes: 2 })
      expect(reads).toBeLessThanOrEqual(12)
      // The one that may only be far back in the queue is asked about again, nobody else.
      tasks = []
      now += 1_000
      await ticked()
      expect(tasks).toEqual(['lost-000001-0'])
    })

    it('never looks at a run whose lease is renewed in time, which costs few writes', async () => {
      const run = await keep('job', {})
      const taken = await claim(store, { run: run.id, fence: 0 }, 'me', now)
      if (taken.kind !== 'held') throw new Error('the lease is not to be had')
      const before = bench.billed()
      const minutes = 10
      let others = noOperations
      for (let renewals = 1; renewals <= minutes * 3; renewals += 1) {
        now += usualLeaseMs / 3
        await renew(store, taken.lease, now)
        const tickCost = await ticked()
        expect(tickCost).toEqual(none)
        others = plus(others, tickCost)
      }
      const after = bench.billed()
      // The run itself at each renewal, and its place in `due` at every second one.
      expect(after.writes - before.writes).toBeLessThanOrEqual(minutes * 3 * 1.5 + 1)
      expect(after.deletes - before.deletes).toBeLessThanOrEqual(minutes * 1.5 + 1)
      await handOver(store, taken.lease, { wakeAt: now, attempts: 0, reason: null })
      now += 60_000
      await ticked()
      expect(tasks).toEqual([`${run.id}-1`])
    })

    it('finds a run that needs it sooner than it once did: its pause was to last, and was ended', async () => {
      const run = await keep('job', { state: 'paused', wakeAt: start + 86_400_000 })
      await turn(store, run.id, 'queued', now)
      now += 60_000
      await ticked()
      expect(tasks).toEqual([`${run.id}-1`])
    })

    it('drops what stands there for a run that is gone, or stands elsewhere by now', async () => {
      const gone = await keep('gone', {})
      const moved = await keep('moved', {})
      await store.transact(async (transaction) => {
        transaction.remove('runs', gone.id)
        // As a process leaves it that knows nothing of `due`.
        transaction.put('runs', {
          key: moved.id,
          fields: { ...(await fieldsOf(moved.id)), dueAt: null },
          body: null,
          expiresAt: null,
        })
      })
      now += 3_600_000
      expect(await ticked()).toMatchObject({ deletes: 2 })
      expect(await ticked()).toEqual(none)
      // At start everything is looked at, and gets its place again.
      expect(await wake(store, start - 1, true)).toEqual([])
      expect((await readRun(store, moved.id)).dueAt).toBe(start + 60_000)
      await ticked()
      expect(tasks).toEqual([`${moved.id}-1`])
    })

    async function fieldsOf(id: string) {
      return (await store.get('runs', id))?.fields
    }
  })
}

describeTick('SQLite', () => {
  const records = keepRecords()
  let billed = noOperations
  const read = (count: number): void => {
    billed = plus(billed, { ...noOperations, reads: count })
  }
  const { store } = records
  const counting: Store = {
    get: async (...one) => {
      read(1)
      return store.get(...one)
    },
    getMany: async (collection, keys) => {
      read(keys.length)
      return store.getMany(collection, keys)
    },
    list: async (query) => {
      const found = await store.list(query)
      read(Math.max(1, found.length))
      return found
    },
    transact: async (change) =>
      store.transact(async (transaction) =>
        change({
          get: async (...one) => {
            read(1)
            return transaction.get(...one)
          },
          put: (...one) => {
            billed = plus(billed, { ...noOperations, writes: 1 })
            transaction.put(...one)
          },
          remove: (...one) => {
            billed = plus(billed, { ...noOperations, deletes: 1 })
            transaction.remove(...one)
          },
        }),
      ),
    close: () => store.close(),
  }
  return { store: counting, billed: () => billed, close: () => records.close() }
})

describeWithFirestore('Firestore as it bills', (emulator) => {
  let proxy: FirestoreProxy
  let benches = 0
  beforeAll(async () => {
    proxy = await startFirestoreProxy(emulator.host())
  })
  afterAll(async () => proxy.close())
  describeTick('Firestore', () => {
    benches += 1
    const store = createFirestoreStore({
      firestore: emulator.open(`tick-${benches}`, proxy.host),
      keysFirestore: emulator.open(`tick-${benches}-keys`, proxy.host),
      clock: () => start,
      random: () => 0,
    })
    return { store, billed: () => proxy.billed(), close: () => store.close() }
  })
})
