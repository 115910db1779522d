import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { unfreeze } from '../../../backend/records/freezes.ts'
import { createJob, emptyMemory } from '../../../backend/records/jobs.ts'
import { erasedKey } from '../../../backend/records/key-records.ts'
import { createSessions } from '../../../backend/records/sessions.ts'
import { keepSignIn } from '../../../backend/records/sign-ins.ts'
import { createTicket } from '../../../backend/records/tickets.ts'
import { tick } from '../../../backend/schedule/tick.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import { certificateOf, everything, worldOn } from './erasing.ts'
import type { World } from './erasing.ts'
import { furnish } from './person.ts'

const ann = 'user-of-ann-4711'

let world: World
beforeEach(async () => {
  const time = { now: 1_800_000_000_000 }
  const store = createSqliteStore(openStoreFile(':memory:'), { clock: () => time.now })
  world = worldOn(store, time)
  await furnish(world.process(), ann, { jobs: 1, rows: 1 })
})
afterEach(() => world.store.close())

it('a process that still has the keys at hand can make nothing of the person’s that was not there', async () => {
  const { store, owners, connections, acts, now, rights } = world.process()
  await owners.of(ann)
  const { code } = await rights.eraseAsk(ann)
  // Killed right after the beginning, in another process.
  const begun = await world.process({ left: 14, after: true }).rights.erase(ann, code)
  expect(begun.state).toBe('under_way')
  expect((await owners.of(ann)).user).toBe(ann)
  const credentials = {
    accountId: 'a',
    label: 'a',
    refreshToken: 'a',
    accessToken: null,
    accessExpiresAt: 0,
  }
  const connection = { id: 'new', user: ann, provider: 'box', state: 'active' } as const
  const source = { connection: 'new', selection: { kind: 'drive', sharedDrives: false } } as const
  const destination = { connection: 'new', folder: '/a' }
  const job = { id: 'new', user: ann, createdAt: now(), latest: 1, dueAt: null }
  const details = { verifier: '', nonce: '', redirectUri: '', tier: null, ticket: null }
  const ticket = { user: ann, provider: 'box', tier: null, bearer: false } as const
  const at = { state: 'a'.repeat(43), browser: 'b'.repeat(43), now: now() }
  const refused = [
    connections.create({ ...connection, createdAt: now(), credentials }),
    createJob(store, owners, {
      ...job,
      request: { kind: 'copy', source, destination },
      memory: emptyMemory,
    }),
    createSessions({ store, owners, leaf: acts.leaf, now, random: randomBytes }).begin({
      user: ann,
      label: null,
    }),
    createTicket(store, { ...ticket, expiresAt: now() + 600_000 }, randomBytes),
    keepSignIn({ store, owners }, { at: 'box', user: ann, details }, at),
    acts.record(ann, { act: 'signed_in', target: null, details: {} }),
    rights.eraseAsk(ann),
    unfreeze(store, ann),
  ].map(async (act) => act.then(() => null).catch((error: unknown) => error))
  for (const error of await Promise.all(refused)) expect(error).toMatchObject({ code: 'frozen' })
  await certificateOf(world, begun)
  const { keys: _, audit, heads, erasures, revocations, ...rest } = await everything(store)
  expect([audit, heads, erasures, revocations].map(({ length }) => length > 0)).toEqual(
    [audit, heads, erasures, revocations].map(() => true),
  )
  expect(Object.values(rest).flat()).toEqual([])
})

it('a tick starts no job of the person, and is not kept from starting those of others', async () => {
  const bob = 'user-of-bob-4712'
  await furnish(world.process(), bob, { jobs: 1, rows: 1 })
  const { store, rights, now } = world.process()
  const { code } = await rights.eraseAsk(ann)
  await world.process({ left: 14, after: true }).rights.erase(ann, code)
  // As far as the key: jobs are all there, and due.
  await store.transact(async (transaction) => transaction.put('keys', erasedKey(ann)))
  const before = await store.list({ collection: 'due', where: { waits: true }, limit: 9 })
  expect(before.map(({ fields }) => String(fields['user'])).toSorted()).toEqual([ann, bob])
  world.pass(2 * 3_600_000)
  const { owners } = world.process()
  const names: string[] = []
  const queue = { enqueue: async (_: object, { name }: { name: string }) => void names.push(name) }
  await tick({ store, owners, queue }, now(), false)
  const jobs = await store.list({ collection: 'jobs', where: { user: bob }, limit: 9 })
  expect(names.some((name) => name.startsWith(jobs[0]?.key ?? '-'))).toBe(true)
  const due = await store.list({ collection: 'due', where: { waits: true }, limit: 9 })
  expect(due.map(({ fields }) => fields['user'])).toEqual([bob])
})

it('nobody makes new keys, neither when the old ones are deleted nor at the very end', async () => {
  const { store, rights } = world.process()
  const { code } = await rights.eraseAsk(ann)
  await world.process({ left: 14, after: true }).rights.erase(ann, code)
  const frozen = { code: 'frozen' }
  // The end: what stood in the place of the keys is gone, and the freeze is still there.
  await store.transact(async (transaction) => transaction.remove('keys', ann))
  await expect(world.process().owners.of(ann)).rejects.toMatchObject(frozen)
  expect(await store.get('keys', ann)).toBeNull()
  // Somebody asked before it began, and comes to write when it is long under way.
  await store.transact(async (transaction) => transaction.put('keys', erasedKey(ann)))
  const late = new Proxy(store, {
    get: (target, name, receiver) => {
      const value: unknown = Reflect.get(target, name, receiver)
      if (name !== 'get') return value
      return async (...[collection, key]: Parameters<typeof store.get>) =>
        collection === 'freezes' || collection === 'keys' ? null : target.get(collection, key)
    },
  })
  await expect(worldOn(late, { now: world.now() }).process().owners.of(ann)).rejects.toMatchObject({
    code: 'key_unavailable',
  })
  expect((await store.get('keys', ann))?.fields).toEqual({ erased: true })
})
