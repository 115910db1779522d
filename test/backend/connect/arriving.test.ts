import { randomBytes } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { createArriving } from '../../../backend/connect/arriving.ts'
import { createPeople } from '../../../backend/records/people.ts'
import { keepRecords } from '../engine/kept-records.ts'

it('somebody who was erased and comes back at once is of their domain again', async () => {
  const records = keepRecords()
  const { store, owners, now } = records
  const people = createPeople({ store, owners, now })
  const arrived = createArriving({
    store,
    owners,
    people,
    delegating: { lookUp: async () => null },
    now,
    random: randomBytes,
  })
  const adam = { user: 'adam', sub: '1', domain: 'example.com', address: 'adam@example.com' }
  await arrived(adam)
  const tenant = await people.tenantOf('adam')
  expect(tenant).not.toBeNull()
  // As an erasure does, in whatever process.
  await store.transact(async (transaction) => transaction.remove('people', 'adam'))
  records.pass(20_000)
  await arrived(adam)
  expect(await people.tenantOf('adam')).toBe(tenant)
  records.close()
})
