import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { hashed, newSecret } from '../../../backend/records/hashed-secret.ts'
import { createSessions } from '../../../backend/records/sessions.ts'
import type { Sessions } from '../../../backend/records/sessions.ts'
import { keepSignIn, takeSignIn } from '../../../backend/records/sign-ins.ts'
import { createTicket, readTicket, useTicket } from '../../../backend/records/tickets.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

const minute = 60_000
const gone = { code: 'not_found' }

let records: KeptRecords
beforeEach(() => {
  records = keepRecords()
})
afterEach(() => records.close())

/** Everything that the store holds of these collections, in the clear. */
async function plain(collection: 'signIns' | 'tickets', key: string): Promise<string> {
  const found = await records.store.get(collection, key)
  return JSON.stringify([found?.key, found?.fields, String(found?.body)])
}

describe('a pending sign-in', () => {
  const details = {
    verifier: 'the verifier',
    nonce: 'the nonce',
    redirectUri: 'https://waybill.example/oauth/box/callback',
    tier: null,
    ticket: null,
  }
  const signIn = { at: 'box', user: 'ann', details } as const
  let secrets: { state: string; browser: string }
  beforeEach(async () => {
    secrets = { state: newSecret(randomBytes), browser: newSecret(randomBytes) }
    await keepSignIn(records, signIn, { ...secrets, now: records.now() })
  })
  const take = async (at: 'box' | 'dropbox' = 'box', from = records.another()) =>
    takeSignIn(from, at, secrets.state, secrets.browser)

  it('is heard once, of many at the same time in different processes', async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, async () => take()))
    const heard = all.filter((each) => each.status === 'fulfilled')
    expect(heard.map((each) => each.value)).toEqual([signIn])
    const refusals = all.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    expect(refusals).toEqual(refusals.map(() => expect.objectContaining(gone)))
  })

  it('is over after ten minutes', async () => {
    records.pass(10 * minute - 1)
    await expect(take('box')).resolves.toEqual(signIn)
    await keepSignIn(records, signIn, { ...secrets, now: records.now() })
    records.pass(10 * minute)
    await expect(take()).rejects.toMatchObject(gone)
  })

  it('is over when its answer comes in at another provider’s place', async () => {
    await expect(take('dropbox')).rejects.toMatchObject(gone)
    await expect(take('box')).rejects.toMatchObject(gone)
  })

  it('is not spoilt by who has the state alone', async () => {
    const other = newSecret(randomBytes)
    await expect(takeSignIn(records, 'box', secrets.state, other)).rejects.toMatchObject(gone)
    await expect(take()).resolves.toEqual(signIn)
  })

  it('is in the store without anything that could finish it', async () => {
    const text = await plain('signIns', hashed('state', secrets.state))
    for (const secret of [secrets.state, secrets.browser, 'the verifier', 'the nonce'])
      expect(text).not.toContain(secret)
    expect(text).toContain('box')
  })
})

describe('a ticket', () => {
  const ticket = () => ({
    user: 'ann',
    provider: 'google-drive' as const,
    tier: 'picked' as const,
    bearer: false,
    expiresAt: records.now() + 10 * minute,
  })

  it('can be looked at, and used once', async () => {
    const made = ticket()
    const secret = await createTicket(records.store, made, randomBytes)
    expect(await readTicket(records.store, secret)).toEqual(made)
    const use = async () => records.store.transact(async (now) => useTicket(now, secret))
    const all = await Promise.allSettled([use(), use(), use()])
    expect(all.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    await expect(readTicket(records.store, secret)).rejects.toMatchObject({ code: 'wrong_state' })
    expect(await plain('tickets', hashed('ticket', secret))).not.toContain('ann')
  })

  it('is over after ten minutes', async () => {
    const secret = await createTicket(records.store, ticket(), randomBytes)
    records.pass(10 * minute)
    await expect(readTicket(records.store, secret)).rejects.toMatchObject(gone)
  })
})

describe('a session', () => {
  let sessions: Sessions
  let secret: string
  const ann = { user: 'ann', label: 'ann@example.com' }
  beforeEach(async () => {
    sessions = createSessions({
      ...records,
      leaf: createActs({ ...records, random: randomBytes }).leaf,
      random: randomBytes,
    })
    secret = await sessions.begin(ann)
  })

  it('is that of whoever has its secret', async () => {
    expect(secret).toHaveLength(43)
    expect(await sessions.find(secret)).toMatchObject(ann)
    expect(await sessions.find(newSecret(randomBytes))).toBeNull()
    expect(await sessions.find(`${secret} `)).toBeNull()
  })

  it('is over after half an hour in which nothing was asked for', async () => {
    records.pass(29 * minute)
    expect(await sessions.find(secret)).toMatchObject(ann)
    records.pass(29 * minute)
    expect(await sessions.find(secret)).toMatchObject(ann)
    records.pass(30 * minute)
    expect(await sessions.find(secret)).toBeNull()
  })

  it('is over after twelve hours, whatever was asked for', async () => {
    for (let quarter = 0; quarter < 47; quarter += 1) {
      records.pass(15 * minute)
      expect([quarter, await sessions.find(secret)]).toMatchObject([quarter, ann])
    }
    records.pass(15 * minute)
    expect(await sessions.find(secret)).toBeNull()
  })

  it('ends when its owner says so', async () => {
    await sessions.end(secret)
    expect(await sessions.find(secret)).toBeNull()
  })

  it('ends with all others of its owner, and with nobody else’s', async () => {
    const [second, other] = [
      await sessions.begin(ann),
      await sessions.begin({ ...ann, user: 'bob' }),
    ]
    expect(await sessions.endAll('ann')).toBe(2)
    expect([await sessions.find(secret), await sessions.find(second)]).toEqual([null, null])
    expect(await sessions.find(other)).toMatchObject({ user: 'bob' })
  })
})
