import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyLog } from '../../../backend/audit/verify-log.ts'
import { readLog } from '../../../backend/records/audit-chain.ts'
import { personalTenant } from '../../../backend/records/audit-lines.ts'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'
import { auditExport } from '../../../shared/audit-schema.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { logsIn } from './logs.ts'
import type { Logs } from './logs.ts'

/** The same object, which is dead from its nth call on: before it, or after it has done what it was asked. */
function mortal<T extends object>(life: { left: number; after: boolean }, whole: T): T {
  return new Proxy(whole, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        life.left -= 1
        if (life.left < 0 || (life.left === 0 && !life.after)) throw new Error('killed')
        const answer: unknown = await Reflect.apply(value, target, args)
        if (life.left === 0) throw new Error('killed')
        return answer
      }
    },
  })
}

async function jobsIn(logs: Logs, user: string): Promise<readonly unknown[]> {
  const texts = await logs.exported(user)
  return texts.flatMap((text) => {
    const entry = auditExport.parse(JSON.parse(text))
    return 'line' in entry ? [entry.details?.['job']] : []
  })
}

function declareSequencer(openStore: () => Store, times: { readonly many: number }): void {
  let logs: Logs
  beforeEach(() => {
    logs = logsIn(openStore())
  })
  afterEach(() => logs.store.close())
  const tenantOf = async (user: string) => personalTenant(await logs.owners.of(user))

  it('makes of the acts of each tenant a log that verifies', async () => {
    for (const user of ['ann', 'bob'])
      for (const job of ['a', 'b', 'c']) await logs.act(user, `${user}-${job}`)
    expect(await logs.sequence()).toBe(6)
    await logs.act('ann', 'ann-d')
    expect(await logs.sequence()).toBe(1)
    expect(await logs.sequence()).toBe(0)
    const ann = await verifyLog(await logs.exported('ann'))
    const bob = await verifyLog(await logs.exported('bob'))
    expect(ann).toMatchObject({ lines: 4, heads: 2 })
    expect(bob).toMatchObject({ lines: 3, heads: 1 })
    expect(ann.origin).toBe(`waybill.example/audit/${await tenantOf('ann')}`)
    expect(ann.origin).not.toBe(bob.origin)
    expect(await jobsIn(logs, 'ann')).toEqual(['ann-a', 'ann-b', 'ann-c', 'ann-d'])
  })

  it('writes nothing when nobody has done anything, however many tenants there are', async () => {
    for (let user = 0; user < 5; user += 1) await logs.act(`user-${user}`)
    await logs.sequence()
    const calls: string[] = []
    const counting = new Proxy(logs.store, {
      get(target, name, receiver) {
        calls.push(String(name))
        return Reflect.get(target, name, receiver)
      },
    })
    expect(await logs.sequence({ store: counting })).toBe(0)
    expect(calls).toEqual(['list', 'list'])
  })

  it.each([false, true])(
    'loses and doubles nothing when it is killed at any step (after it: %s)',
    async (after) => {
      let [died, steps] = [0, 0]
      for (let step = 1; ; step += 1) {
        for (const job of ['x', 'y']) await logs.act('ann', `${job}-${step}`)
        const life = { left: step, after }
        const outcome = await logs
          .sequence({ store: mortal(life, logs.store), signer: mortal(life, logs.signer) })
          .catch(() => 'killed')
        if (outcome !== 'killed') break
        died += 1
        steps = step
        if (step % 3 === 0) await logs.sequence()
      }
      await logs.sequence()
      const expected = Array.from({ length: steps + 1 }, (_, n) => [`x-${n + 1}`, `y-${n + 1}`])
      expect(await jobsIn(logs, 'ann')).toEqual(expected.flat())
      await verifyLog(await logs.exported('ann'))
      // List, chain, list, list, read, key, signature, head: whoever dies at none of them has not been here.
      expect(died).toBeGreaterThanOrEqual(7)
    },
    120_000,
  )

  it('is one at a time for a tenant, however many are at it while people act', async () => {
    for (const user of ['ann', 'bob']) await logs.owners.of(user)
    const writing = Array.from({ length: times.many }, async (_, n) => {
      await logs.act(n % 2 === 0 ? 'ann' : 'bob', `job-${n}`)
      if (n % 10 === 0) await Promise.all([logs.sequence(), logs.sequence()])
    })
    await Promise.all(writing)
    await Promise.all([logs.sequence(), logs.sequence()])
    const all = [...(await jobsIn(logs, 'ann')), ...(await jobsIn(logs, 'bob'))]
    expect(all).toHaveLength(times.many)
    expect(new Set(all).size).toBe(times.many)
    expect((await verifyLog(await logs.exported('ann'))).lines).toBe(times.many / 2)
    expect((await verifyLog(await logs.exported('bob'))).lines).toBe(times.many / 2)
  }, 120_000)

  it('goes through more than a page of acts, and more than a tile of lines', async () => {
    await logs.owners.of('ann')
    const leaves = await Promise.all(
      Array.from({ length: 430 }, async (_, n) =>
        logs.acts.leaf('ann', { act: 'job_paused', target: null, details: { job: `${n}` } }),
      ),
    )
    for (let at = 0; at < leaves.length; at += 215)
      await logs.store.transact(async (transaction) => {
        for (const leaf of leaves.slice(at, at + 215)) transaction.put('audit', leaf)
      })
    expect(await logs.sequence()).toBe(430)
    expect(await verifyLog(await logs.exported('ann'))).toMatchObject({ lines: 430, heads: 1 })
    expect(new Set(await jobsIn(logs, 'ann')).size).toBe(430)
    const { lines, next } = await logs.log.list('ann', { from: 250, limit: 20 })
    expect(lines.map(({ line }) => line.number)).toEqual(
      Array.from({ length: 20 }, (_, n) => 250 + n),
    )
    expect(next).toBe(270)
    expect((await logs.log.list('ann', { from: 420, limit: 100 })).next).toBeNull()
    expect(await logs.log.list('ann', { from: 430, limit: 9 })).toEqual({ lines: [], next: null })
    expect(await logs.log.list('bob', { from: 0, limit: 9 })).toEqual({ lines: [], next: null })
  }, 120_000)

  it('chains what it cannot have signed, and signs it later', async () => {
    const away = {
      ...logs.signer,
      sign: async () => {
        throw new WaybillError('key_unavailable', 'The key is away.')
      },
    }
    await logs.act('ann', 'one')
    await expect(logs.sequence({ signer: away })).rejects.toMatchObject({ code: 'key_unavailable' })
    expect(await logs.exported('ann')).toEqual([])
    expect((await logs.log.list('ann', { from: 0, limit: 9 })).lines).toHaveLength(1)
    expect(await logs.sequence()).toBe(0)
    expect(await verifyLog(await logs.exported('ann'))).toMatchObject({ lines: 1, heads: 1 })
  })

  it('asks for few logs, however many there are, while the key that signs is away', async () => {
    const users = Array.from({ length: 30 }, (_, n) => `user-${n}`)
    for (const user of users) await logs.act(user)
    let asked = 0
    const away = {
      publicKey: logs.signer.publicKey,
      sign: async () => {
        asked += 1
        throw new WaybillError('key_unavailable', 'The key is away.')
      },
    }
    await expect(logs.sequence({ signer: away })).rejects.toMatchObject({ code: 'key_unavailable' })
    expect(asked).toBeLessThan(10)
    await logs.sequence()
    for (const user of users)
      expect(await verifyLog(await logs.exported(user))).toMatchObject({ lines: 1, heads: 1 })
  })

  it('takes no head for the newest that comes late', async () => {
    let isFirst = true
    const slow = {
      ...logs.signer,
      sign: async (bytes: Uint8Array) => {
        if (isFirst) {
          isFirst = false
          await logs.act('ann', 'two')
          await logs.sequence()
        }
        return logs.signer.sign(bytes)
      },
    }
    await logs.act('ann', 'one')
    await logs.sequence({ signer: slow })
    expect(await verifyLog(await logs.exported('ann'))).toMatchObject({ lines: 2, heads: 1 })
    // Nothing is left to be signed.
    expect((await readLog(logs.store, await tenantOf('ann')))?.signed).toBe(2)
  })

  it('leaves a damaged log alone, and nobody else waiting', async () => {
    for (const user of ['ann', 'bob']) await logs.act(user)
    await logs.sequence()
    const tenant = await tenantOf('ann')
    await logs.store.transact(async (transaction) => {
      const state = await transaction.get('heads', tenant)
      if (state === null) throw new Error('there is a state')
      transaction.put('heads', { ...state, fields: { ...state.fields, root: '0'.repeat(64) } })
    })
    for (const user of ['ann', 'bob']) await logs.act(user)
    await expect(logs.sequence()).rejects.toMatchObject({ code: 'audit_invalid' })
    expect(await verifyLog(await logs.exported('bob'))).toMatchObject({ lines: 2, heads: 2 })
    await expect(logs.sequence()).rejects.toMatchObject({ code: 'audit_invalid' })
  })

  it('keeps the name that a log began with, and tells of a new key', async () => {
    await logs.act('ann')
    await logs.sequence()
    const { origin, keys } = await verifyLog(await logs.exported('ann'))
    const moved = logsIn(logs.store)
    await moved.act('ann')
    await moved.sequence()
    const later = await verifyLog(await moved.exported('ann'))
    expect(later.origin).toBe(origin)
    expect(later.keys).toHaveLength(2)
    expect(later.keys[0]).toBe(keys[0])
  })
}

describe('the sequencer, on one machine', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })
  declareSequencer(
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'waybill-audit-'))
      folders.push(folder)
      return createSqliteStore(openStoreFile(join(folder, 'waybill.db')), { clock: Date.now })
    },
    { many: 60 },
  )
})

describeWithFirestore('the sequencer, in Firestore', (emulator) => {
  let database = 0
  declareSequencer(
    () => {
      database += 1
      return createFirestoreStore({
        firestore: emulator.open(`audit-${database}`),
        keysFirestore: emulator.open(`audit-keys-${database}`),
        clock: Date.now,
      })
    },
    { many: 20 },
  )
})
