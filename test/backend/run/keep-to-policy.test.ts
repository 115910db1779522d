import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { createPolicing } from '../../../backend/connect/policing.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { createPeople } from '../../../backend/records/people.ts'
import { changeTenant, ensureTenant } from '../../../backend/records/tenants.ts'
import { createKeepToPolicy } from '../../../backend/run/keep-to-policy.ts'
import type { KeepToPolicy } from '../../../backend/run/keep-to-policy.ts'
import type { Store } from '../../../backend/store/store.ts'
import { everythingAllowed } from '../../../shared/policy.ts'
import type { Policy } from '../../../shared/policy.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let reads: string[]
let keepToPolicy: KeepToPolicy
let tenant: string
let read: Store['get']
beforeEach(async () => {
  t = await startEngine()
  reads = []
  const { store, owners, now } = t.records
  read = async (collection, key) => {
    reads.push(collection)
    return store.get(collection, key)
  }
  const counted: Store = { ...store, get: read }
  const deps = { store, owners, now, random: randomBytes }
  const people = createPeople({ ...deps, store: counted })
  tenant = await ensureTenant(deps, 'example.com')
  await createPeople(deps).keep({
    user: t.user,
    tenant,
    sub: '1',
    address: null,
    domain: 'example.com',
  })
  const connections = createConnections(counted, owners)
  const policing = createPolicing({ store: counted, owners, people })
  keepToPolicy = createKeepToPolicy({ policing, connections, owners })
})
afterEach(() => t.close())

const request = {
  kind: 'copy',
  source: { connection: 'from', selection: { kind: 'folder', id: 'top' } },
  destination: { connection: 'to', folder: '/Backup' },
} as const
const refused = { code: 'policy_refused' }

async function change(parts: Parameters<typeof changeTenant>[2]): Promise<void> {
  const acts = createActs({ ...t.records, random: randomBytes })
  const leaf = await acts.leaf(t.user, { act: 'policy_changed', target: null, details: {} })
  await changeTenant(t.records, tenant, parts, leaf)
}

const policy = async (parts: Partial<Policy>) =>
  change({ policy: { ...everythingAllowed, ...parts } })

it('costs one read for somebody without a domain, and none when their lease is renewed', async () => {
  expect(await keepToPolicy('bob', request)).toBe(null)
  expect(await keepToPolicy('bob', request)).toBe(null)
  expect(reads).toEqual(['people'])
})

it('costs one read for each renewal, whatever the policy, as long as it stays', async () => {
  await policy({ sources: ['google-drive'] })
  const watch = await keepToPolicy(t.user, request)
  reads.length = 0
  for (let n = 0; n < 3; n += 1) await watch?.({ get: read })
  expect(reads).toEqual(['tenants', 'tenants', 'tenants'])
})

it('decides again when there is another policy, and only then', async () => {
  const watch = await keepToPolicy(t.user, request)
  await policy({ personalAccounts: true })
  await watch?.({ get: read })
  reads.length = 0
  await watch?.({ get: read })
  expect(reads).toEqual(['tenants'])
  await policy({ destinations: ['box'] })
  await expect(watch?.({ get: read })).rejects.toMatchObject(refused)
  await expect(keepToPolicy(t.user, request)).rejects.toMatchObject(refused)
})

it.each<[string, Partial<Policy>]>([
  ['the cloud that is read', { sources: ['box'] }],
  ['the whole Drive, which a folder takes', { wholeDrive: 'nobody' }],
  ['accounts without an address of the domain', { personalAccounts: false }],
  [
    'other folders',
    { places: [{ provider: 'dropbox', account: { id: 'x' }, folder: '/Elsewhere' }] },
  ],
])('holds a job against %s', async (_what, parts) => {
  await keepToPolicy(t.user, request)
  await policy(parts)
  await expect(keepToPolicy(t.user, request)).rejects.toMatchObject(refused)
})

it('stops with a freeze of the whole domain', async () => {
  const watch = await keepToPolicy(t.user, request)
  await change({ frozenSince: 1 })
  await expect(watch?.({ get: read })).rejects.toMatchObject({ code: 'frozen' })
  await expect(keepToPolicy(t.user, request)).rejects.toMatchObject({ code: 'frozen' })
})
