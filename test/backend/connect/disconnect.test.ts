import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { addConnection } from '../../../backend/connect/add-connection.ts'
import { createDisconnecting } from '../../../backend/connect/disconnect.ts'
import type { Disconnecting } from '../../../backend/connect/disconnect.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { createRevocations } from '../../../backend/records/revocations.ts'
import type { OAuthEndpoints } from '../../../backend/connect/oauth-server.ts'
import type { AccountProvider } from '../../../shared/account.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { startBox } from '../../clouds/oauth/start-provider.ts'
import type { SimulatedProvider } from '../../clouds/oauth/start-provider.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'
import { mortalStore } from './mortal-store.ts'
import { startConnecting } from './start-connecting.ts'
import type { ConnectingUnderTest } from './start-connecting.ts'

const hour = 3_600_000

describe('disconnecting by the API', () => {
  let t: ConnectingUnderTest
  beforeAll(async () => {
    t = await startConnecting()
  })
  afterAll(async () => t.close())

  async function connect(provider: AccountProvider): Promise<string> {
    const browser = await t.browserOf(t.ann)
    const back = await t.goThrough(browser, await t.link(t.ann, provider))
    return new URL(back.url).pathname.split('/').at(-1) ?? ''
  }
  const liveTokens = (provider: AccountProvider): readonly string[] =>
    t
      .oauth(provider)
      .liveGrants()
      .flatMap(({ refreshTokens }) => refreshTokens)

  it.each(['google-drive', 'dropbox', 'box'] as const)(
    'takes back at %s all that it was given there',
    async (provider) => {
      const before = liveTokens(provider)
      const id = await connect(provider)
      const given = liveTokens(provider).filter((token) => !before.includes(token))
      expect(given).toHaveLength(1)
      const answer = await t.api(t.ann, 'DELETE', `/v1/connections/${id}`)
      expect(answer).toMatchObject({ status: 200, body: { outcome: 'revoked' } })
      expect(liveTokens(provider)).not.toContain(given[0])
      const list = await t.api(t.ann, 'GET', '/v1/connections')
      expect(list.body).toEqual({ connections: [], pending: [] })
      expect((await t.api(t.ann, 'DELETE', `/v1/connections/${id}`)).status).toBe(404)
    },
  )

  it('takes back at Dropbox also what has run out here, by a token that is good', async () => {
    const before = liveTokens('dropbox')
    const id = await connect('dropbox')
    t.oauth('dropbox').expireAccessTokens()
    const answer = await t.api(t.ann, 'DELETE', `/v1/connections/${id}`)
    expect(answer.body).toMatchObject({ outcome: 'revoked' })
    expect(liveTokens('dropbox')).toEqual(before)
  })

  it('says where to go at Microsoft, which lets nobody but the person take anything back', async () => {
    const id = await connect('microsoft')
    expect(await t.api(t.ann, 'DELETE', `/v1/connections/${id}`)).toMatchObject({
      body: { outcome: 'not_offered', link: 'https://myapps.microsoft.com' },
    })
    const list = await t.api(t.ann, 'GET', '/v1/connections')
    expect(list.body).toEqual({ connections: [], pending: [] })
  })

  it('does not take a Google account along that was connected again meanwhile', async () => {
    const id = await connect('google-drive')
    t.clouds.drive.faults.plan({ route: 'google.revoke', fault: 'net.reset_before_response' })
    const away = await t.api(t.ann, 'DELETE', `/v1/connections/${id}`)
    expect(away.body).toMatchObject({ outcome: 'pending' })
    const pending = async () => (await t.api(t.ann, 'GET', '/v1/connections')).body['pending']
    expect(await pending()).toMatchObject([{ id, provider: 'google-drive' }])
    await connect('google-drive')
    expect(await pending()).toEqual([])
  })
})

describe('a revocation that the provider cannot be told of', () => {
  let records: KeptRecords
  let box: SimulatedProvider
  let disconnecting: Disconnecting
  let connection: string
  beforeEach(async () => {
    records = keepRecords()
    box = await startBox({ now: records.now })
    disconnecting = process(records)
    connection = await connect(box.account.refreshToken)
  })
  afterEach(async () => {
    await box.close()
    records.close()
  })

  function endpoints(): OAuthEndpoints {
    const { url, tokenUrl, account } = box
    const endpoint = { ...account, issuer: url, url: tokenUrl, authorizeUrl: url, jwksUrl: null }
    const revokeUrl = `${url}/oauth2/revoke`
    return {
      'google-drive': null,
      dropbox: null,
      box: { ...endpoint, revokeUrl },
      microsoft: null,
    }
  }
  /** What a process with this store does. */
  function process({ store, owners }: Pick<KeptRecords, 'store' | 'owners'>): Disconnecting {
    const { now } = records
    return createDisconnecting({
      connections: createConnections(store, owners),
      revocations: createRevocations(store, owners, now),
      acts: createActs({ store, owners, now, random: randomBytes }),
      endpoints: endpoints(),
      now,
    })
  }
  async function connect(refreshToken: string): Promise<string> {
    const { store, owners, now } = records
    const connections = createConnections(store, owners)
    const whose = async () => ({ id: refreshToken, label: 'ann@example.com' })
    const acts = createActs({ store, owners, now, random: randomBytes })
    const deps = { connections, acts, endpoints: endpoints(), whose, now, random: randomBytes }
    return (await addConnection(deps, 'ann', 'box', refreshToken)).id
  }
  const keysLeft = async () => {
    const all = await records.store.list({
      collection: 'keys',
      where: { kekId: 'test' },
      limit: 99,
    })
    return all.map(({ key }) => key).filter((key) => key.startsWith('revocation'))
  }

  it('is tried again until it is done; then nothing is left of it, its key least of all', async () => {
    box.setOffline(true)
    const { outcome } = await disconnecting.disconnect('ann', connection)
    expect(outcome).toBe('pending')
    expect(await records.store.get('connections', connection)).toBeNull()
    expect(await disconnecting.pending('ann')).toMatchObject([{ provider: 'box' }])
    expect(await disconnecting.pending('bob')).toEqual([])
    for (let day = 0; day < 3; day += 1) {
      records.pass(24 * hour)
      await disconnecting.retry()
    }
    expect([box.oauth.liveGrants().length, (await keysLeft()).length]).toEqual([1, 1])
    box.setOffline(false)
    records.pass(6 * hour)
    await disconnecting.retry()
    expect([box.oauth.liveGrants(), await keysLeft()]).toEqual([[], []])
    expect(await disconnecting.pending('ann')).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'is not forgotten by a process that is killed %s any call to its store',
    async (when) => {
      let dies = 0
      for (let isKilled = true; isKilled;) {
        dies += 1
        const person = { id: `person-${dies}`, email: `${dies}@box.example`, name: 'Ann' }
        const id = await connect(box.tokens.addAccount(person).refreshToken)
        const { store, owners } = records.another()
        const life = mortalStore(store, dies, when)
        await process({ store: life.store, owners })
          .disconnect('ann', id)
          .catch(() => undefined)
        isKilled = life.wasKilled()
        records.pass(hour)
        const kept = await records.store.get('connections', id)
        await (kept === null ? disconnecting.retry() : disconnecting.disconnect('ann', id))
        const left = [await disconnecting.pending('ann'), await keysLeft()]
        expect([
          dies,
          box.oauth.liveGrants().filter(({ personId }) => personId === person.id),
          ...left,
        ]).toEqual([dies, [], [], []])
      }
      expect(dies).toBeGreaterThan(5)
    },
  )

  it('is asked for more and more seldom', async () => {
    box.setOffline(true)
    await disconnecting.disconnect('ann', connection)
    box.setOffline(false)
    box.faults.plan({ route: 'box.revoke', fault: 'net.empty_503', times: 1_000 })
    const before = box.calls.snapshot()
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      records.pass(60_000)
      await disconnecting.retry()
    }
    const { calls } = box.calls.since(before)
    expect([calls > 8, calls < 16]).toEqual([true, true])
  })

  it('keeps no other waiting, if it fails for as long as its key is away', async () => {
    const { store, owners, now } = records
    const revocations = createRevocations(store, owners, now)
    const blocked = new Set<string>()
    const asked: string[] = []
    const ticking = createDisconnecting({
      connections: createConnections(store, owners),
      revocations: {
        ...revocations,
        open: async (each) => {
          asked.push(each.id)
          if (blocked.has(each.id)) throw new WaybillError('key_unavailable', 'For the test.')
          return revocations.open(each)
        },
      },
      acts: createActs({ store, owners, now, random: randomBytes }),
      endpoints: endpoints(),
      now,
    })
    for (let n = 0; n < 20; n += 1) {
      const person = { id: `person-${n}`, email: `${n}@box.example`, name: 'Ann' }
      blocked.add(await connect(box.tokens.addAccount(person).refreshToken))
    }
    box.setOffline(true)
    for (const id of blocked) await disconnecting.disconnect('ann', id)
    records.pass(1)
    await disconnecting.disconnect('ann', connection)
    box.setOffline(false)
    records.pass(hour)
    await expect(ticking.retry()).rejects.toMatchObject({ code: 'key_unavailable' })
    expect(asked).not.toContain(connection)
    await ticking.retry()
    expect(asked).toContain(connection)
    expect(await disconnecting.pending('ann')).toHaveLength(20)
  })

  it('is given up after a week also where more wait than a tick asks for', async () => {
    for (let n = 0; n < 45; n += 1) {
      box.setOffline(false)
      const person = { id: `person-${n}`, email: `${n}@box.example`, name: 'Ann' }
      const id = await connect(box.tokens.addAccount(person).refreshToken)
      box.setOffline(true)
      await disconnecting.disconnect('ann', id)
    }
    records.pass(7 * 24 * hour)
    await disconnecting.retry()
    expect(await disconnecting.pending('ann')).toEqual([])
  })

  it('has the tokens that the connection had at last, whoever refreshed them meanwhile', async () => {
    const { store, owners, now } = records
    const connections = createConnections(store, owners)
    const revocations = createRevocations(store, owners, now)
    box.setOffline(true)
    const racing = createDisconnecting({
      connections,
      revocations: {
        ...revocations,
        prepare: async (id) => {
          const keep = await revocations.prepare(id)
          // The last thing before the connection is forgotten.
          await connections.update('ann', id, ({ credentials }) => ({
            credentials: { ...credentials, refreshToken: 'newest' },
          }))
          return keep
        },
      },
      acts: createActs({ store, owners, now, random: randomBytes }),
      endpoints: endpoints(),
      now,
    })
    await racing.disconnect('ann', connection)
    const [kept] = await revocations.list({ user: 'ann' })
    if (kept === undefined) throw new Error('nothing is kept')
    expect(await revocations.open(kept)).toMatchObject({ refreshToken: 'newest' })
  })

  it('is given up after a week, and its tokens forgotten', async () => {
    box.setOffline(true)
    await disconnecting.disconnect('ann', connection)
    records.pass(7 * 24 * hour - 1)
    await disconnecting.retry()
    expect(await disconnecting.pending('ann')).toHaveLength(1)
    records.pass(1)
    await disconnecting.retry()
    expect([await disconnecting.pending('ann'), await keysLeft()]).toEqual([[], []])
  })
})
