import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Owner } from '../../../backend/records/owner.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Document, Store } from '../../../backend/store/store.ts'
import { hasCode } from '../../../shared/errors.ts'
import { seededRandom } from '../../clouds/random.ts'
import { keepSecrets, plant } from './kept-secrets.ts'
import type { KeptSecrets } from './kept-secrets.ts'

const second = 1_000
const minute = 60 * second
const users = ['ann', 'bob', 'cy']
const ROWS = 12

const clock = { time: 0 }
let folder: string
let store: Store
let secrets: KeptSecrets
beforeEach(() => {
  clock.time = 1_800_000_000_000
  folder = mkdtempSync(join(tmpdir(), 'waybill-load-'))
  const file = openStoreFile(join(folder, 'waybill.db'))
  store = createSqliteStore(file, { clock: () => clock.time })
  secrets = keepSecrets(store, clock)
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A document that one worker writes and everybody reads, the way a run's are. */
interface Place {
  readonly user: string
  readonly collection: 'ledger' | 'transfers'
  readonly key: string
}

const places: readonly Place[] = users.flatMap((user) =>
  Array.from({ length: ROWS }, (_, n): Place =>
    n % 4 === 0
      ? { user, collection: 'transfers', key: `job-of-${user}-0-000001.upload.${n}` }
      : { user, collection: 'ledger', key: `job-of-${user}-0.${n}` },
  ),
)

function sealed(owner: Owner, { collection, key, user }: Place, value: number): Document {
  const job = `job-of-${user}-0`
  return collection === 'ledger'
    ? { key, fields: { job }, body: owner.seal('ledger', key, value), expiresAt: null }
    : { key, fields: { run: job }, body: owner.sealResume(key, value), expiresAt: null }
}

function opened(owner: Owner, { collection, key }: Place, body: Uint8Array | null): number {
  return collection === 'ledger'
    ? owner.open<number>('ledger', key, body)
    : owner.openResume<number>(key, body)
}

async function until(time: number): Promise<void> {
  while (clock.time < time) await setImmediate()
}

describe('while DEKs are rotated and outer keys change', () => {
  it.each(['one', 'two', 'three'])(
    'no read fails, nothing is lost and nothing stays under older keys (seed %s)',
    async (seed) => {
      const random = seededRandom(seed)
      const upTo = (ms: number): number => Math.floor(random() * ms)
      const processes = [secrets.another(), secrets.another(), secrets.another()]
      for (const user of users) await plant(store, secrets.another().owners, user, { rows: 0 })
      const wanted = new Map<string, number>()
      const counts = { reads: 0, writes: 0, tooOld: 0 }
      const failures: unknown[] = []
      const load = { isOver: false }

      /** Does something with keys that were looked up, perhaps minutes ago: then they may be too old, which says so. */
      const withKeys = async (user: string, use: (owner: Owner) => Promise<void>) => {
        const { owners } = processes[upTo(processes.length)] ?? secrets.another()
        const owner = await owners.of(user)
        const held = random() < 0.5 ? 0 : upTo(5 * minute)
        await until(clock.time + held)
        try {
          await use(owner)
        } catch (error) {
          if (held < 30 * second || !hasCode(error, 'key_unavailable')) failures.push(error)
          else counts.tooOld += 1
        }
      }
      const write = async (place: Place, value: number): Promise<void> =>
        withKeys(place.user, async (owner) => {
          const document = sealed(owner, place, value)
          // The store is busy, and what was sealed lands later.
          if (random() < 0.3) await until(clock.time + upTo(4 * minute))
          await store.transact(async (transaction) => transaction.put(place.collection, document))
          wanted.set(place.key, value)
          counts.writes += 1
        })
      const read = async (place: Place): Promise<void> => {
        const least = wanted.get(place.key) ?? 0
        const early = random() < 0.3 ? await store.get(place.collection, place.key) : null
        await withKeys(place.user, async (owner) => {
          const found = early ?? (await store.get(place.collection, place.key))
          if (found === null) throw new Error('gone')
          if (opened(owner, place, found.body) < least) throw new Error('a write was undone')
          counts.reads += 1
        })
      }
      const time = (async () => {
        while (!load.isOver) {
          clock.time += 700
          for (const { cache } of processes) cache.sweep()
          await setImmediate()
        }
      })()
      await Promise.all(places.map(async (place) => write(place, 0)))
      expect(failures).toEqual([])

      const writers = places.map(async (place) => {
        for (let value = 1; !load.isOver; value += 1) {
          await write(place, value)
          await until(clock.time + upTo(minute))
        }
      })
      const readers = [...places, ...places, ...places].map(async (place) => {
        while (!load.isOver) {
          await read(place)
          await until(clock.time + upTo(20 * second))
        }
      })
      const rewrapping = (async () => {
        while (!load.isOver) {
          await until(clock.time + 6 * minute)
          secrets.addKek()
          await secrets.rewrap()
          secrets.dropOlderKeks(2)
        }
      })()
      const sleep = async (ms: number): Promise<void> => until(clock.time + ms)
      // What it has listed is old by the time it looks at it.
      const slow: Store = {
        ...store,
        list: async (query) => {
          const found = await store.list(query)
          await sleep(upTo(30 * second))
          return found
        },
      }
      const before = (await secrets.deksKept()).current
      const rotated: unknown[] = []
      try {
        for (let n = 0; n < 2; n += 1) rotated.push(await secrets.rotate({ sleep, store: slow }))
      } finally {
        load.isOver = true
      }
      // Whoever holds keys still needs the clock to move.
      const rest = Promise.all([time, ...writers, ...readers, rewrapping]).then(() => 'done')
      while ((await Promise.race([rest, setImmediate('moving')])) !== 'done') clock.time += 700
      const whole = { rotated: 3, damaged: 0, left: 0, refused: 0 }
      expect(rotated).toEqual([expect.objectContaining(whole), expect.objectContaining(whole)])

      expect(failures).toEqual([])
      const after = await secrets.deksKept()
      expect(after.other).toEqual([])
      expect(after.current.filter((dekId) => before.includes(dekId))).toEqual([])
      expect([...(await secrets.deksInUse())].toSorted()).toEqual(after.current.toSorted())
      const newest = secrets.addKek()
      expect(await secrets.rewrap()).toMatchObject({ rewrapped: 3, left: 0 })
      secrets.dropOlderKeks()
      const { owners } = secrets.another()
      for (const place of places) {
        const found = await store.get(place.collection, place.key)
        expect(opened(await owners.of(place.user), place, found?.body ?? null)).toBe(
          wanted.get(place.key),
        )
      }
      expect((await store.get('keys', 'ann'))?.fields['kekId']).toBe(newest)
      expect(counts.reads).toBeGreaterThan(1_000)
      expect(counts.writes).toBeGreaterThan(300)
    },
    120_000,
  )
})
