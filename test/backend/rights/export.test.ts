import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { kinds } from '../../../backend/rights/kinds.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import { collections } from '../../../backend/store/limits.ts'
import { leaksIn } from '../../spellings.ts'
import { everything, worldOn } from './erasing.ts'
import type { World } from './erasing.ts'
import { furnish } from './person.ts'

const ann = 'user-of-ann-4711'

let world: World
beforeEach(() => {
  const time = { now: 1_800_000_000_000 }
  const store = createSqliteStore(openStoreFile(':memory:'), { clock: () => time.now })
  world = worldOn(store, time)
})
afterEach(() => world.store.close())

describe('what is exported', () => {
  it('is each collection of the store, or there is a reason why not', async () => {
    await furnish(world.process(), ann)
    const kept = await everything(world.store)
    const lines = await world.process().exported(ann)
    const seen = new Set(lines.map((text) => String(JSON.parse(text).kind)))
    for (const collection of collections) {
      const kind = kinds[collection]
      const isNamed =
        'leftOut' in kind
          ? kind.leftOut.length > 30 && lines[0]?.includes(kind.leftOut)
          : // The person has something in each of them.
            kept[collection].length > 0 && seen.has(kind.name)
      expect([collection, isNamed]).toEqual([collection, true])
    }
  })

  it('is everything that is the person’s, opened, and no token, secret or upload session', async () => {
    const { canaries, tokens, ids } = await furnish(world.process(), ann)
    const other = await furnish(world.process(), 'user-of-bob-4712')
    const process = world.process()
    const texts = await process.exported(ann)
    const values = texts.map((text): unknown => JSON.parse(text))
    const whole = texts.join('\n')
    const missing = canaries.filter((canary) => !whole.includes(JSON.stringify(canary)))
    expect(missing).toEqual([])
    expect(ids.filter((id) => !whole.includes(id))).toEqual([])
    const secrets = [...tokens, ...other.canaries, ...other.ids, 'refreshToken', 'accessToken']
    expect(leaksIn(Buffer.from(whole), secrets)).toEqual([])
    expect(values[0]).toMatchObject({ export: { version: 1, user: ann } })
    expect(values.at(-1)).toEqual({ end: { lines: values.length - 2 } })
  })

  it('is told in the audit log before its first line', async () => {
    const process = world.process()
    const lines = process.rights.export(ann)[Symbol.asyncIterator]()
    await lines.next()
    await process.tick()
    const { lines: acts } = await process.log.list(ann, { from: 0, limit: 9 })
    expect(acts.map(({ line }) => line.act)).toEqual(['data_exported'])
  })

  it('is read a page at a time', async () => {
    await furnish(world.process(), ann, { jobs: 1, rows: 200 })
    let most = 0
    const process = world.process()
    const list = world.store.list.bind(world.store)
    Object.assign(world.store, {
      list: async (query: Parameters<typeof list>[0]) => {
        const found = await list(query)
        most = Math.max(most, found.length)
        return found
      },
    })
    const lines = await process.exported(ann)
    expect(lines.length).toBeGreaterThan(200)
    expect(most).toBeLessThan(20)
  })

  it('names what lost keys had sealed, and goes on', async () => {
    await furnish(world.process(), ann, { jobs: 1, rows: 1 })
    await world.store.transact(async (transaction) => transaction.remove('keys', ann))
    const values = (await world.process().exported(ann)).map((text) => JSON.parse(text))
    expect(values).toContainEqual({ kind: 'connection', data: null })
    expect(values.at(-1)).toHaveProperty('end')
  })
})
