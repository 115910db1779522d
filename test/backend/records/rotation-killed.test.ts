import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { everything, readBack } from './kept-secrets.ts'
import { createSetting } from './rotation-setting.ts'
import type { Clock, RotationSetting } from './rotation-setting.ts'

let t: RotationSetting
afterEach(() => t.close())

/** Calls `step` before and after each call of one of these methods. */
function watched<T extends object>(whole: T, step: (name: string) => void): T {
  return new Proxy(whole, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        step(`before ${String(name)}`)
        const answer: unknown = await Reflect.apply(value, target, args)
        step(`after ${String(name)}`)
        return answer
      }
    },
  })
}

/** Kills a rotation before or after each call that `counts`, one after the other, and lets the next one go on. */
async function killEverywhere(users: readonly string[], counts: (name: string) => boolean) {
  // One that was there before the first rotation, and has keys cached when each is killed.
  const veteran = t.secrets.another()
  let died = true
  let at = 0
  for (; died; at += 1) {
    const before = new Set((await t.secrets.deksKept()).current)
    t.clock.time += 1_000
    let steps = 0
    died = false
    const step = (name: string): void => {
      if (counts(name)) steps += 1
      died ||= steps > at
      if (died) throw new Error('killed')
    }
    const dying = { store: watched(t.store, step), wrapper: watched(t.secrets.wrapper, step) }
    const end = await t.secrets.rotate(dying).then(
      () => 'done',
      () => 'killed',
    )
    expect(end).toBe(died ? 'killed' : 'done')
    await t.readAll(users)
    for (const user of users) await readBack(t.store, veteran.owners, user)
    expect(await t.secrets.rotate()).toMatchObject({ damaged: 0, left: 0, refused: 0 })
    const after = await t.expectNothingLeft(users)
    expect(after.filter((dekId) => before.has(dekId))).toEqual([])
    await t.readAll(users)
  }
  return at
}

function declareOnBoth(): void {
  it('seals everything of everybody under new DEKs, and forgets the older ones', async () => {
    const users = ['ann', 'bob', 'cy']
    await t.plantAll(users, { jobs: 2, rows: 3 })
    const before = await t.secrets.deksKept()
    const names = await Promise.all(
      users.map(async (user) => (await t.secrets.another().owners.of(user)).blind('source', 'x')),
    )
    // For each: a connection, a session, and for each job itself, run, page, three rows, upload, intent, receipt.
    const resealed = 3 * (2 + 2 * 9)
    expect(await t.secrets.rotate()).toEqual({
      rotated: 3,
      resealed,
      damaged: 0,
      left: 0,
      refused: 0,
    })
    const after = await t.expectNothingLeft(users)
    expect(after.filter((dekId) => before.current.includes(dekId))).toEqual([])
    await t.readAll(users, { jobs: 2, rows: 3 })
    expect(
      await Promise.all(
        users.map(async (user) => (await t.secrets.another().owners.of(user)).blind('source', 'x')),
      ),
    ).toEqual(names)
  })

  it('changes nothing of a document but what is sealed', async () => {
    await t.plantAll(['ann'])
    const plain = async () =>
      Promise.all(
        (
          ['connections', 'jobs', 'runs', 'manifest', 'ledger', 'transfers', 'receipts'] as const
        ).map(async (collection) =>
          (await everything(t.store, collection)).map(({ body, ...rest }) => [rest, body?.length]),
        ),
      )
    const before = await plain()
    await t.secrets.rotate()
    expect(await plain()).toEqual(before)
  })
}

describe('a rotation of DEKs, on one machine', () => {
  beforeEach(() => {
    t = createSetting()
  })
  declareOnBoth()

  it('may be killed before and after any step: no read fails, and the next one leaves nothing', async () => {
    const users = ['ann', 'bob']
    await t.plantAll(users)
    const at = await killEverywhere(users, () => true)
    expect(at).toBeGreaterThan(100)
  }, 300_000)
})

describeWithFirestore('a rotation of DEKs, in Google Cloud', (emulator) => {
  beforeEach(() => {
    t = createSetting((clock: Clock) => {
      const database = `rotate-${randomBytes(4).toString('hex')}`
      const store = createFirestoreStore({
        firestore: emulator.open(database),
        keysFirestore: emulator.open(`${database}-keys`),
        clock: () => clock.time,
      })
      return { store, close: () => store.close() }
    })
  })
  declareOnBoth()

  it('may be killed before and after any transaction, and the next one leaves nothing', async () => {
    await t.plantAll(['ann'])
    const at = await killEverywhere(['ann'], (name) => name.endsWith('transact'))
    expect(at).toBeGreaterThan(20)
  }, 300_000)
})
