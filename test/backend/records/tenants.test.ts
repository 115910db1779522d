import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createPeople, usageOf } from '../../../backend/records/people.ts'
import type { People } from '../../../backend/records/people.ts'
import {
  changeTenant,
  ensureTenant,
  findTenant,
  joinCustomer,
  readTenant,
  watchTenant,
} from '../../../backend/records/tenants.ts'
import type { TenantDeps } from '../../../backend/records/tenants.ts'
import { createFirestoreStore } from '../../../backend/store/firestore.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'
import { everythingAllowed } from '../../../shared/policy.ts'
import { describeWithFirestore } from '../../platform/firestore.ts'
import { leaksIn } from '../../spellings.ts'
import { logsIn } from '../audit/logs.ts'
import type { Logs } from '../audit/logs.ts'

function declareTenants(openStore: () => Store): void {
  let logs: Logs
  let deps: TenantDeps
  let people: People
  let time: number
  beforeEach(() => {
    const store = openStore()
    time = 1_800_000_000_000
    logs = logsIn(store)
    deps = { store, owners: logs.owners, now: () => time, random: randomBytes }
    people = createPeople(deps)
  })
  afterEach(() => logs.store.close())

  const read = async (id: string) => readTenant(deps.store, deps.owners, id)
  const leaf = async () =>
    logs.acts.leaf('ann', { act: 'policy_changed', target: null, details: {} })
  const person = { user: 'ann', sub: '1', address: 'ann@example.com', domain: 'example.com' }

  it('are made once for a domain, however many of its people come at once', async () => {
    expect(await findTenant(deps, 'example.com')).toBe(null)
    const made = await Promise.all(
      Array.from({ length: 5 }, async () => ensureTenant(deps, 'example.com')),
    )
    expect(new Set(made).size).toBe(1)
    expect(await ensureTenant(deps, 'EXAMPLE.com')).toBe(made[0])
    expect(await ensureTenant(deps, 'other.example')).not.toBe(made[0])
  })

  it('stay with their customer when the domain is renamed', async () => {
    const id = await ensureTenant(deps, 'example.com')
    expect(await joinCustomer(deps, 'example.com', 'C1')).toBe(id)
    // Somebody new came before it was known that this is the same customer.
    const early = await ensureTenant(deps, 'new.example')
    expect(await joinCustomer(deps, 'new.example', 'C1')).toBe(id)
    expect(await findTenant(deps, 'new.example')).toBe(id)
    expect((await read(id)).domains).toEqual(['example.com', 'new.example'])
    expect((await read(early)).domains).toEqual([])
    expect(await joinCustomer(deps, 'new.example', 'C1')).toBe(id)
  })

  it('are not left to another customer that has the name now', async () => {
    const id = await ensureTenant(deps, 'example.com')
    await joinCustomer(deps, 'example.com', 'C1')
    await changeTenant(deps, id, { policy: { ...everythingAllowed, sources: [] } }, await leaf())
    const other = await joinCustomer(deps, 'example.com', 'C2')
    expect(other).not.toBe(id)
    expect(await findTenant(deps, 'example.com')).toBe(other)
    expect(await read(other)).toMatchObject({
      version: 0,
      customer: 'C2',
      domains: ['example.com'],
    })
    expect(await read(id)).toMatchObject({ version: 1, customer: 'C1', domains: [] })
  })

  it('count their policies, and nothing else that changes', async () => {
    const id = await ensureTenant(deps, 'example.com')
    expect(await read(id)).toMatchObject({ version: 0, policy: everythingAllowed })
    await changeTenant(deps, id, { frozenSince: 5 }, await leaf())
    expect(await watchTenant(deps.store, id)).toEqual({ version: 0, frozenSince: 5 })
    const policy = { ...everythingAllowed, personalAccounts: false }
    await changeTenant(deps, id, { policy }, await leaf())
    expect(await read(id)).toMatchObject({ version: 1, policy, frozenSince: 5 })
  })

  it('have the people who came with their name, page by page', async () => {
    const tenant = await ensureTenant(deps, 'example.com')
    const users = Array.from({ length: 130 }, (_, n) => `user-${String(n).padStart(3, '0')}`)
    await Promise.all(users.map(async (user) => people.keep({ ...person, user, tenant })))
    await people.keep({ ...person, user: 'zoe', tenant })
    await people.forget('zoe')
    expect([await people.find('zoe'), await people.tenantOf('zoe')]).toEqual([null, null])
    const listed: string[] = []
    for await (const { user } of people.listOf(tenant)) listed.push(user)
    expect(listed).toEqual(users)
    const rest: string[] = []
    for await (const { user } of people.listOf(tenant, 'user-127')) rest.push(user)
    expect(rest).toEqual(users.slice(128))
    expect(await usageOf(deps.store, 'zoe')).toEqual({ connections: 0, jobs: 0, frozen: false })
  }, 60_000)

  it('are believed to have somebody for 20 seconds, whatever another process writes', async () => {
    const [one, two] = [
      await ensureTenant(deps, 'a.example'),
      await ensureTenant(deps, 'b.example'),
    ]
    await people.keep({ ...person, tenant: one })
    await createPeople(deps).keep({ ...person, tenant: two })
    expect(await people.tenantOf('ann')).toBe(one)
    time += 20_000
    expect(await people.tenantOf('ann')).toBe(two)
    expect(await people.find('ann')).toEqual({ ...person, tenant: two })
    expect(await people.find('nobody')).toBe(null)
  })

  it('are kept without a name of anybody or of any domain in the clear', async () => {
    const put: string[] = []
    const { store } = deps
    const heard: Store = {
      ...store,
      transact: async (change) =>
        store.transact(async (transaction) =>
          change({
            ...transaction,
            get: async (...asked) => transaction.get(...asked),
            put: (collection, document) => {
              const { key, fields, body } = document
              put.push(JSON.stringify([key, fields]), Buffer.from(body ?? []).toString('latin1'))
              transaction.put(collection, document)
            },
          }),
        ),
    }
    const into = { ...deps, store: heard }
    const tenant = await ensureTenant(into, 'example.com')
    await joinCustomer(into, 'example.com', 'C0123456')
    await createPeople(into).keep({ ...person, sub: '10000000000001', tenant })
    expect(put.length).toBeGreaterThan(5)
    const secrets = ['example.com', 'C0123456', '10000000000001', 'ann@example.com']
    expect(leaksIn(Buffer.from(put.join('\n'), 'latin1'), secrets)).toEqual([])
  })
}

describe('tenants, in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-tenants-'))
  let files = 0
  declareTenants(() => {
    files += 1
    return createSqliteStore(openStoreFile(join(folder, `${files}.db`)), { clock: Date.now })
  })
  afterAll(() => rmSync(folder, { recursive: true }))
})

describeWithFirestore('tenants, in Firestore', (emulator) => {
  let opened = 0
  declareTenants(() => {
    opened += 1
    return createFirestoreStore({
      firestore: emulator.open(`tenants-${opened}`),
      keysFirestore: emulator.open(`tenants-keys-${opened}`),
      clock: Date.now,
    })
  })
})
