import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createJob, emptyMemory } from '../../../backend/records/jobs.ts'
import { claim, handOver, renew, settle, turn, wake } from '../../../backend/records/leases.ts'
import type { Claim } from '../../../backend/records/leases.ts'
import { keepRun, usualLeaseMs, readRun, underLease } from '../../../backend/records/runs.ts'
import type { Lease, Run } from '../../../backend/records/runs.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import type { RunState } from '../../../shared/job.ts'
import { mayBecome } from '../../../shared/job.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

let records: KeptRecords
let run: Run
beforeEach(async () => {
  records = keepRecords()
  run = await createJob(records.store, records.owners, {
    id: 'job',
    user: 'ann',
    createdAt: records.now(),
    latest: 1,
    request: {
      kind: 'copy',
      source: { connection: 'from', selection: { kind: 'folder', id: 'x' } },
      destination: { connection: 'to', folder: '/Backup' },
    },
    dueAt: null,
    memory: emptyMemory,
  })
})
afterEach(() => records.close())

const lost = expect.objectContaining({ code: 'lease_lost' })
const go = { wakeAt: 0, attempts: 0, reason: null }

function held(taken: Claim): Lease {
  if (taken.kind !== 'held') throw new Error(`the lease is ${taken.kind}`)
  return taken.lease
}
async function take(fence = 0, holder = 'one'): Promise<Claim> {
  return claim(records.store, { run: run.id, fence }, holder, records.now())
}
async function now(): Promise<Run> {
  return readRun(records.store, run.id)
}
/** Writes the run as it never becomes by itself in a test this short. */
async function put(change: Partial<Run>): Promise<void> {
  const changed = { ...(await now()), ...change }
  await records.store.transact(async (transaction) => keepRun(transaction, changed))
}

describe('a claim', () => {
  it('takes a run that waits, and makes it run', async () => {
    expect((await take()).kind).toBe('held')
    expect(await now()).toMatchObject({ state: 'running', holder: 'one', wakeAt: null })
  })

  it('finds it busy while another holds it, and free once that lease has run out', async () => {
    await take()
    records.pass(usualLeaseMs - 1)
    expect((await take(0, 'two')).kind).toBe('busy')
    records.pass(1)
    expect((await take(0, 'two')).kind).toBe('held')
  })

  it('says which task counts, and when that is due, to one that is old', async () => {
    const lease = held(await take())
    const wakeAt = records.now() + 90_000
    await handOver(records.store, lease, { wakeAt, attempts: 1, reason: 'unavailable' })
    expect(await take(0, 'two')).toEqual({ kind: 'stale', fence: 1, wakeAt })
  })

  it('goes to one of two workers that ask in the same moment', async () => {
    const other = records.another().store
    const task = { run: run.id, fence: 0 }
    const taken = await Promise.all([
      claim(records.store, task, 'one', records.now()),
      claim(other, task, 'two', records.now()),
    ])
    expect(taken.map((each) => each.kind).toSorted()).toEqual(['busy', 'held'])
  })

  it.each([['paused'], ['done'], ['cancelled'], ['failed']] as const)(
    'finds nothing to do in a run that is %s',
    async (state: RunState) => {
      await put({ state })
      expect(await take()).toEqual({ kind: 'idle' })
    },
  )

  it('finds nothing to do in a run that is not known', async () => {
    const task = { run: 'unknown', fence: 0 }
    expect(await claim(records.store, task, 'one', 0)).toEqual({ kind: 'idle' })
  })

  it('forgets why the run waited: it waits no longer', async () => {
    const lease = held(await take())
    await handOver(records.store, lease, { wakeAt: 0, attempts: 3, reason: 'unavailable' })
    await take(1)
    expect(await now()).toMatchObject({ reason: null, attempts: 3 })
  })
})

describe('a worker that lost its lease', () => {
  it('changes nothing more, in whatever way it lost it', async () => {
    const ways: readonly (() => Promise<unknown>)[] = [
      async () => {
        records.pass(usualLeaseMs)
        await take(0, 'two')
      },
      async () => turn(records.store, run.id, 'paused', records.now()),
    ]
    for (const lose of ways) {
      await put({ state: 'queued', holder: null, leaseUntil: 0, fence: 0 })
      const lease = held(await take())
      await lose()
      const before = await now()
      await expect(renew(records.store, lease, records.now())).rejects.toEqual(lost)
      await expect(handOver(records.store, lease, go)).rejects.toEqual(lost)
      await expect(
        settle(records.store, lease, 'failed', 'internal', { wakeAt: null, endedAt: 1 }),
      ).rejects.toEqual(lost)
      await expect(
        underLease(records.store, lease, (_run, transaction) => {
          transaction.remove('jobs', 'job')
          return { lines: 1 }
        }),
      ).rejects.toEqual(lost)
      // Also what only reads the run, like a chunk that is written down.
      await expect(
        underLease(records.store, lease, (_run, transaction) => {
          transaction.remove('jobs', 'job')
          return {}
        }),
      ).rejects.toEqual(lost)
      expect(await now()).toEqual(before)
      expect(await records.store.get('jobs', 'job')).not.toBeNull()
    }
  })

  it('is told that its run was cancelled', async () => {
    const lease = held(await take())
    await turn(records.store, run.id, 'cancelled', records.now())
    await expect(renew(records.store, lease, records.now())).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('a lease', () => {
  it('lives for as long as it is renewed', async () => {
    const lease = held(await take())
    for (let n = 0; n < 5; n += 1) {
      records.pass(usualLeaseMs - 1)
      await renew(records.store, lease, records.now())
    }
    records.pass(usualLeaseMs - 1)
    expect((await take(0, 'two')).kind).toBe('busy')
  })

  it('is given back with a higher number', async () => {
    const lease = held(await take())
    const released = await handOver(records.store, lease, {
      wakeAt: records.now(),
      attempts: 2,
      reason: 'rate_limited',
    })
    expect(released).toMatchObject({
      fence: 1,
      holder: null,
      attempts: 2,
      reason: 'rate_limited',
      state: 'running',
    })
    expect((await take(1, 'two')).kind).toBe('held')
  })

  it('changes a state only to one that may follow, and nothing with it otherwise', async () => {
    const lease = held(await take())
    await expect(
      underLease(records.store, lease, () => ({ state: 'queued', lines: 9 })),
    ).rejects.toMatchObject({ code: 'wrong_state' })
    expect(await now()).toMatchObject({ state: 'running', lines: 0 })
  })

  it('lands all that belongs together, or nothing if something throws', async () => {
    const lease = held(await take())
    const thrown = underLease(records.store, lease, (_run, transaction) => {
      transaction.remove('jobs', 'job')
      throw new Error('for the test')
    })
    await expect(thrown).rejects.toThrow('for the test')
    expect(await records.store.get('jobs', 'job')).not.toBeNull()
  })
})

describe('what its owner does', () => {
  const states = ['queued', 'running', 'paused', 'done', 'cancelled', 'failed'] as const
  const acts = ['paused', 'queued', 'cancelled'] as const
  const all = states.flatMap((from) => acts.map((to) => [from, to] as const))

  it.each(all.filter(([from, to]) => mayBecome(from, to)))(
    'to a run that is %s: it becomes %s, out of the hands of whoever had it',
    async (from, to) => {
      await put({ state: from, holder: 'one', leaseUntil: records.now() + 1, attempts: 4 })
      await turn(records.store, run.id, to, records.now())
      expect(await now()).toMatchObject({
        state: to,
        holder: null,
        attempts: 0,
        fence: 1,
        wakeAt: to === 'queued' ? records.now() : null,
        endedAt: to === 'cancelled' ? records.now() : null,
      })
    },
  )

  it.each(all.filter(([from, to]) => !mayBecome(from, to)))(
    'to a run that is %s cannot make it %s',
    async (from, to) => {
      await put({ state: from, holder: 'one', leaseUntil: records.now() + 1, attempts: 4 })
      const before = await now()
      const turned = turn(records.store, run.id, to, records.now())
      await expect(turned).rejects.toMatchObject({ code: 'wrong_state' })
      expect(await now()).toEqual(before)
    },
  )
})

describe('what is woken', () => {
  const woken = async (dead = false): Promise<readonly string[]> =>
    (await wake(records.store, records.now(), dead)).map((each) => each.id)

  it('a run whose first task was lost, after a while', async () => {
    expect(await woken()).toEqual([])
    records.pass(60_000)
    expect(await woken()).toEqual([run.id])
    // Its task may only be far back in the queue, and stays the one that counts.
    expect(await now()).toMatchObject({ fence: 0, state: 'queued' })
    expect(await now()).toEqual(run)
  })

  it('a run whose task has not come for an hour, with a new number', async () => {
    records.pass(60 * 60_000)
    expect(await woken()).toEqual([run.id])
    expect(await now()).toMatchObject({ fence: 1, state: 'queued', wakeAt: records.now() })
  })

  it('a run whose worker died, once its lease has run out', async () => {
    await take()
    records.pass(usualLeaseMs - 1)
    expect(await woken()).toEqual([])
    records.pass(1)
    expect(await woken()).toEqual([run.id])
    expect(await now()).toMatchObject({ holder: null, fence: 1, state: 'running' })
  })

  it('at once, where every lease must be that of a dead one', async () => {
    await take()
    expect(await woken()).toEqual([])
    expect(await woken(true)).toEqual([run.id])
  })

  it('a run whose pause is over, and no other that is paused', async () => {
    await put({ state: 'paused', wakeAt: null })
    records.pass(1e9)
    expect(await woken()).toEqual([])
    await put({ state: 'paused', wakeAt: records.now() + 5 })
    expect(await woken(true)).toEqual([])
    records.pass(5)
    expect(await woken()).toEqual([run.id])
    expect(await now()).toMatchObject({ state: 'queued', fence: 1 })
  })

  it('none that waits for a time to come, also where nobody else can be at work', async () => {
    const lease = held(await take())
    const wakeAt = records.now() + 600_000
    await handOver(records.store, lease, { ...go, wakeAt })
    expect(await woken(true)).toEqual([])
    records.pass(600_000 + usualLeaseMs)
    expect(await woken()).toEqual([run.id])
  })

  it('none that is over', async () => {
    for (const state of ['done', 'cancelled', 'failed'] as const) {
      await put({ state, wakeAt: 0 })
      records.pass(1e9)
      expect(await woken(true)).toEqual([])
    }
  })
})

describe('a process that ends between any two steps', () => {
  /** Every prefix of a run's steps; afterwards only what the tick and the queue do by themselves. */
  it.each([
    ['the run was kept and its task was not', 0],
    ['it took the lease', 1],
    ['it renewed the lease', 2],
    ['it handed over and did not enqueue', 3],
    ['the next worker took the lease', 4],
    ['it said that the run waits, and did not enqueue', 5],
  ] as const)('when %s: the run goes on', async (_name, steps) => {
    let lease: Lease | null = null
    const mine = (): Lease => {
      if (lease === null) throw new Error('no lease')
      return lease
    }
    const acts = [
      async () => {
        lease = held(await take())
      },
      async () => renew(records.store, mine(), records.now()),
      async () => handOver(records.store, mine(), { ...go, wakeAt: records.now() }),
      async () => {
        lease = held(await take(1, 'two'))
      },
      async () =>
        handOver(records.store, mine(), {
          wakeAt: records.now() + 1000,
          attempts: 1,
          reason: 'unavailable',
        }),
    ]
    for (const act of acts.slice(0, steps)) await act()
    records.pass(2 * usualLeaseMs)
    const tasks: { run: string; fence: number }[] = []
    const queue = { enqueue: async (task: { run: string; fence: number }) => void tasks.push(task) }
    expect(
      await tick({ store: records.store, owners: records.owners, queue }, records.now(), false),
    ).toBe(1)
    const [task] = tasks
    expect(task).toBeDefined()
    expect((await take(task?.fence ?? -1, 'three')).kind).toBe('held')
    // Once it is in hands, it is not woken again.
    expect(
      await tick({ store: records.store, owners: records.owners, queue }, records.now(), false),
    ).toBe(0)
  })
})
