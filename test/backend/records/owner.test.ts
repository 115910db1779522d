import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createConnections } from '../../../backend/records/connections.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

let records: KeptRecords
beforeEach(() => {
  records = keepRecords()
})
afterEach(() => records.close())
const refused = expect.objectContaining({ code: 'envelope_refused' })

describe('a user’s keys', () => {
  it('are made once, however many need them first', async () => {
    const processes = [records, records.another(), records.another()]
    const owners = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => processes[n % 3]?.owners.of('ann')),
    )
    const blinded = new Set(owners.map((owner) => owner?.blind('source', 'x')))
    expect(blinded.size).toBe(1)
    const [first] = owners
    const sealed = first?.seal('jobs', 'key', { secret: 1 }) ?? null
    for (const owner of owners) expect(owner?.open('jobs', 'key', sealed)).toEqual({ secret: 1 })
  })

  it('open nothing of another’s, nothing from another place, and nothing that is not sealed', async () => {
    const ann = await records.owners.of('ann')
    const bob = await records.owners.of('bob')
    const sealed = ann.seal('jobs', 'key', 'text')
    expect(() => bob.open('jobs', 'key', sealed)).toThrow(refused)
    expect(() => ann.open('jobs', 'other', sealed)).toThrow(refused)
    expect(() => ann.open('runs', 'key', sealed)).toThrow(refused)
    expect(() => ann.openResume('key', sealed)).toThrow(refused)
    expect(() => ann.open('jobs', 'key', null)).toThrow(refused)
    expect(() => ann.open('jobs', 'key', Buffer.from('"text"'))).toThrow(refused)
    expect(() => ann.open('transfers', 'key', ann.sealResume('key', 'text'))).toThrow(refused)
    expect(ann.open('jobs', 'key', sealed)).toBe('text')
  })

  it('name the same thing differently for each user and each kind of thing', async () => {
    const ann = await records.owners.of('ann')
    const bob = await records.owners.of('bob')
    const blinded = [ann.blind('source', 'x'), ann.blind('parent', 'x'), bob.blind('source', 'x')]
    expect(new Set(blinded).size).toBe(3)
  })
})

describe('connections', () => {
  const connection = (id: string, user: string) => ({
    id,
    user,
    provider: 'dropbox' as const,
    state: 'active' as const,
    createdAt: 1,
    credentials: {
      accountId: 'a',
      label: 'l',
      refreshToken: 'refresh',
      accessToken: null,
      accessExpiresAt: 0,
    },
  })

  it('are there for their owner only', async () => {
    const connections = createConnections(records.store, records.owners)
    await connections.create(connection('one', 'ann'))
    expect(await connections.get('ann', 'one')).toEqual(connection('one', 'ann'))
    for (const act of [
      connections.get('bob', 'one'),
      connections.update('bob', 'one', () => ({ state: 'expired' })),
      connections.get('ann', 'two'),
    ])
      await expect(act).rejects.toMatchObject({ code: 'not_found' })
    expect(await connections.list('bob')).toEqual([])
    expect((await connections.list('ann')).map((each) => each.id)).toEqual(['one'])
  })

  it('are changed against what they are at that moment', async () => {
    const connections = createConnections(records.store, records.owners)
    const others = records.another()
    const theirs = createConnections(others.store, others.owners)
    await connections.create(connection('one', 'ann'))
    const add = async (to: typeof connections) =>
      to.update('ann', 'one', ({ credentials }) => ({
        credentials: { ...credentials, accessExpiresAt: credentials.accessExpiresAt + 1 },
      }))
    await Promise.all([add(connections), add(theirs), add(connections), add(theirs)])
    expect((await connections.get('ann', 'one')).credentials.accessExpiresAt).toBe(4)
    await connections.update('ann', 'one', () => null)
    expect((await connections.get('ann', 'one')).credentials.accessExpiresAt).toBe(4)
  })
})
