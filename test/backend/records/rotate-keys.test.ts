import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Document, Store } from '../../../backend/store/store.ts'
import { everything } from './kept-secrets.ts'
import { createSetting, listened } from './rotation-setting.ts'
import type { RotationSetting } from './rotation-setting.ts'

let t: RotationSetting
beforeEach(() => {
  t = createSetting()
})
afterEach(() => t.close())

async function change(user: string, to: (document: Document) => Document): Promise<void> {
  await t.store.transact(async (transaction) => {
    const found = await transaction.get('keys', user)
    if (found !== null) transaction.put('keys', to(found))
  })
}

describe('a rotation of DEKs', () => {
  it('goes through any number of users, jobs and rows, page by page', async () => {
    const users = Array.from({ length: 110 }, (_, n) => `user-${n}`)
    await t.plantAll(users, { rows: 0 })
    await t.plantAll(['many'], { jobs: 25, rows: 450 })
    let longest = 0
    const counting = listened(t.store, (_when, { limit }) => {
      longest = Math.max(longest, limit)
    })
    expect(await t.secrets.rotate({ store: counting })).toMatchObject({ rotated: 111, left: 0 })
    await t.readAll(['many'], { jobs: 25, rows: 450 })
    await t.readAll(users.slice(0, 3), { rows: 0 })
    expect((await t.secrets.deksKept()).other).toEqual([])
    expect(longest).toBeLessThanOrEqual(200)
  }, 120_000)

  it('goes on where it was interrupted, and reads nothing twice in that pass', async () => {
    const size = { jobs: 2, rows: 1_000 }
    await t.plantAll(['ann'], size)
    const stop = new AbortController()
    let pages = 0
    const stopping = listened(t.store, (when, { collection }) => {
      if (when !== 'after' || collection !== 'ledger') return
      pages += 1
      if (pages === 3) stop.abort()
    })
    const first = await t.secrets.rotate({ store: stopping }, stop.signal)
    expect(first).toMatchObject({ rotated: 0, left: 1 })
    const fields = (await t.store.get('keys', 'ann'))?.fields ?? {}
    expect(fields).toMatchObject({ otherStep: 'going', passFound: first.resealed })
    const asked: string[] = []
    const watching = listened(t.store, (when, { collection, after }) => {
      if (when === 'before' && collection === 'ledger') asked.push(after ?? '')
    })
    const second = await t.secrets.rotate({ store: watching })
    expect(second).toMatchObject({ rotated: 1, left: 0 })
    expect(asked[0]).toBe(String(fields['passAt']).split(' ')[2])
    expect(first.resealed + second.resealed).toBe(2 + 2 * (1_000 + 6))
    await t.readAll(['ann'], size)
  }, 60_000)

  it('does not wait again for what it has waited for', async () => {
    await t.plantAll(['ann'])
    const stop = new AbortController()
    const waits: number[] = []
    const sleep = async (ms: number): Promise<void> => {
      waits.push(ms)
      t.clock.time += ms / 2
      stop.abort()
    }
    await t.secrets.rotate({ sleep }, stop.signal)
    const begun = t.clock.time
    await t.secrets.rotate()
    expect(waits).toHaveLength(1)
    expect(t.clock.time - begun).toBe(1.5 * (waits[0] ?? 0))
  })

  it('leaves whose keys cannot be had for later, and brings the others', async () => {
    await t.plantAll(['ann'])
    t.secrets.addKek()
    await t.plantAll(['bob'])
    t.secrets.keepOnly(({ id }) => id !== 'kek-0')
    expect(await t.secrets.rotate()).toMatchObject({ rotated: 1, left: 1, refused: 0 })
    expect(await t.store.get('keys', 'rotation')).not.toBeNull()
    await t.readAll(['bob'])
  })

  it('is over although keys are damaged that nothing opens with, and the next one begins anew', async () => {
    await t.plantAll(['ann', 'bob', 'cy'])
    await change('bob', (found) => ({ ...found, fields: { ...found.fields, wrapped: 'AQAA' } }))
    await change('cy', (found) => ({ ...found, body: null }))
    expect(await t.secrets.rotate()).toMatchObject({ rotated: 1, left: 2, refused: 2 })
    t.clock.time += 1_000
    expect(await t.secrets.rotate()).toMatchObject({ rotated: 1, left: 2, refused: 2 })
    await t.readAll(['ann'])
  })

  it('is not held up by records that are damaged, says how many, and leaves them as they are', async () => {
    await t.plantAll(['ann'], { rows: 5 })
    const [row] = await everything(t.store, 'ledger')
    const [page] = await everything(t.store, 'receipts')
    if (row === undefined || row.body === null || page === undefined)
      throw new Error('nothing there')
    const body = Uint8Array.from(row.body)
    body[body.length - 1] = 1 ^ (body.at(-1) ?? 0)
    await t.store.transact(async (transaction) => {
      transaction.put('ledger', { ...row, body })
      transaction.put('receipts', { ...page, body: Buffer.from('no envelope') })
    })
    expect(await t.secrets.rotate()).toMatchObject({ rotated: 1, damaged: 1, left: 0 })
    expect((await t.store.get('ledger', row.key))?.body).toEqual(body)
  })

  it('gives nobody new keys who came after it began', async () => {
    await t.plantAll(['ann'])
    let came = false
    const sleep = async (ms: number): Promise<void> => {
      t.clock.time += ms
      if (!came) await t.plantAll(['bob'])
      came = true
    }
    expect(await t.secrets.rotate({ sleep })).toMatchObject({ rotated: 1, left: 0 })
    await t.readAll(['ann', 'bob'])
  })

  it('does not bring back a user who is deleted meanwhile', async () => {
    await t.plantAll(['ann', 'bob'])
    let transactions = 0
    const deleting: Store = {
      ...t.store,
      transact: async (work) => {
        const result = await t.store.transact(work)
        transactions += 1
        if (transactions === 6)
          await t.store.transact(async (transaction) => transaction.remove('keys', 'ann'))
        return result
      },
    }
    expect(await t.secrets.rotate({ store: deleting })).toMatchObject({ left: 0 })
    expect(await t.store.get('keys', 'ann')).toBeNull()
    await t.readAll(['bob'])
  })

  it('keeps a raised epoch', async () => {
    await t.plantAll(['ann'])
    const sleep = async (ms: number): Promise<void> => {
      t.clock.time += ms
      await change('ann', ({ fields, ...rest }) => ({
        ...rest,
        fields: { ...fields, keyEpoch: 7 },
      }))
    }
    await t.secrets.rotate({ sleep })
    expect((await t.store.get('keys', 'ann'))?.fields['keyEpoch']).toBe(7)
    await t.readAll(['ann'])
  })

  it('does no harm beside others at the same time', async () => {
    const users = ['ann', 'bob', 'cy', 'dan']
    await t.plantAll(users, { rows: 50 })
    const all = await Promise.all([t.secrets.rotate(), t.secrets.rotate(), t.secrets.rotate()])
    expect(await t.secrets.rotate()).toMatchObject({ left: 0 })
    expect(all.reduce((sum, each) => sum + each.rotated, 0)).toBeGreaterThanOrEqual(4)
    await t.expectNothingLeft(users)
    await t.readAll(users, { rows: 50 })
  })

  it('stands beside a change of outer keys, of which neither DEK is left under an older one', async () => {
    await t.plantAll(['ann', 'bob'])
    const sleep = async (ms: number): Promise<void> => {
      t.clock.time += ms
      t.secrets.addKek()
      expect(await t.secrets.rewrap()).toEqual({ rewrapped: 4, left: 0, refused: 0 })
      t.secrets.dropOlderKeks()
      await t.readAll(['ann', 'bob'])
    }
    expect(await t.secrets.rotate({ sleep })).toMatchObject({ rotated: 2, left: 0 })
    await t.readAll(['ann', 'bob'])
  })
})
