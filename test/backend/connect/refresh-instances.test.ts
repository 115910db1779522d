import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { addConnection } from '../../../backend/connect/add-connection.ts'
import type { OAuthEndpoint, OAuthEndpoints } from '../../../backend/connect/oauth-server.ts'
import { createTokens } from '../../../backend/connect/tokens.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import type { Connections } from '../../../backend/records/connections.ts'
import { freeze, unfreeze } from '../../../backend/records/freezes.ts'
import type { Store } from '../../../backend/store/store.ts'
import type { AccountProvider } from '../../../shared/account.ts'
import { startBox, startMicrosoft } from '../../clouds/oauth/start-provider.ts'
import type { SimulatedProvider } from '../../clouds/oauth/start-provider.ts'
import { Killed, mortalStore } from './mortal-store.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

const user = 'ann'
const leaseOver = 46_000

let records: KeptRecords
let connections: Connections
let box: SimulatedProvider
let microsoft: SimulatedProvider
let endpoints: OAuthEndpoints
/** What people were told. */
let told: string[]

beforeEach(async () => {
  records = keepRecords()
  connections = createConnections(records.store, records.owners)
  ;[box, microsoft] = await Promise.all([startBox({ now: records.now }), startMicrosoft()])
  const at = (provider: SimulatedProvider, also: Partial<OAuthEndpoint>): OAuthEndpoint => ({
    issuer: provider.url,
    url: provider.tokenUrl,
    authorizeUrl: provider.url,
    revokeUrl: null,
    jwksUrl: null,
    clientId: provider.account.clientId,
    clientSecret: provider.account.clientSecret,
    ...also,
  })
  endpoints = {
    'google-drive': null,
    dropbox: null,
    box: at(box, {}),
    microsoft: at(microsoft, {
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      jwksUrl: `${microsoft.url}/common/discovery/v2.0/keys`,
    }),
  }
  told = []
})
afterEach(async () => {
  await Promise.all([box.close(), microsoft.close()])
  records.close()
})

async function connect(provider: AccountProvider, refreshToken: string): Promise<string> {
  const whose = async () => ({ id: 'account', label: 'ann@example.com' })
  const acts = createActs({ ...records, random: randomBytes })
  const deps = { connections, acts, endpoints, whose, now: records.now, random: randomBytes }
  return (await addConnection(deps, user, provider, refreshToken)).id
}

/** A process of its own: another store on the same file, and its own caches. `change` is about its store. */
function process(change: (store: Store) => Store = (store) => store) {
  const { store, owners } = records.another()
  return createTokens({
    connections: createConnections(change(store), owners),
    endpoints,
    now: records.now,
    random: randomBytes,
    sleep: async () => sleep(5),
    onStopped: ({ error }) => told.push(error.code),
  })
}

const isAlive = (token: string): boolean => box.tokens.check(`Bearer ${token}`).state === 'valid'

describe('a refresh token for one use', () => {
  it('is used once by fifty in five processes, time after time', async () => {
    const id = await connect('box', box.account.refreshToken)
    const processes = Array.from({ length: 5 }, () => process())
    for (let round = 1; round <= 5; round += 1) {
      records.pass(3_600_000)
      const before = box.calls.snapshot()
      const sources = Array.from({ length: 50 }, (_, n) => processes[n % 5]?.of(user, id))
      const got = new Set(await Promise.all(sources.map(async (source) => source?.get())))
      expect([round, got.size, box.calls.since(before).calls]).toEqual([round, 1, 1])
      expect(isAlive([...got][0] ?? '')).toBe(true)
    }
  })

  it.each(['before', 'after'] as const)(
    'survives a process that is killed %s any call to its store',
    async (when) => {
      box.oauth.setReplacing({ oldToken: 'good-until-the-new-one-is-used' })
      const id = await connect('box', box.account.refreshToken)
      let steps = 0
      for (let dies = 1; ; dies += 1) {
        records.pass(3_600_000)
        const outcome = await process((store) => mortalStore(store, dies, when).store)
          .of(user, id)
          .get()
          .catch((error: unknown) => error)
        if (!(outcome instanceof Killed)) break
        steps += 1
        records.pass(leaseOver)
        expect([dies, isAlive(await process().of(user, id).get())]).toEqual([dies, true])
      }
      expect(steps).toBeGreaterThanOrEqual(2)
      expect(told).toEqual([])
    },
  )

  it('that a dead process has used up ends the connection where providers forgive nothing, and that is said once', async () => {
    const id = await connect('box', box.account.refreshToken)
    records.pass(3_600_000)
    await process((store) => mortalStore(store, 2, 'before').store)
      .of(user, id)
      .get()
      .catch(() => undefined)
    records.pass(leaseOver)
    const expired = { code: 'connection_expired' }
    const many = Array.from({ length: 10 }, async () => process().of(user, id).get())
    for (const each of await Promise.allSettled(many))
      expect(each).toMatchObject({ status: 'rejected', reason: expired })
    await expect(process().of(user, id).get()).rejects.toMatchObject(expired)
    expect(told).toEqual(['connection_expired'])
  })

  it.each([
    ['good-until-the-new-one-is-used', []],
    ['dead', ['connection_expired']],
  ] as const)(
    'whose answer was lost is as good as its provider says: %s',
    async (oldToken, said) => {
      box.oauth.setReplacing({ oldToken })
      const id = await connect('box', box.account.refreshToken)
      records.pass(3_600_000)
      box.faults.plan({ route: 'box.token', fault: 'box.refresh_lost' })
      await expect(process().of(user, id).get()).rejects.toMatchObject({ code: 'unavailable' })
      // Nobody has to wait for the lease of somebody who knows that it failed.
      const outcomes = await Promise.allSettled([
        process().of(user, id).get(),
        process().of(user, id).get(),
      ])
      const status = said.length === 0 ? 'fulfilled' : 'rejected'
      expect(outcomes.map((each) => each.status)).toEqual([status, status])
      expect(told).toEqual(said)
      const { state } = await connections.get(user, id)
      expect(state).toBe(said.length === 0 ? 'active' : 'expired')
    },
  )

  it('is kept for a day after it was replaced, sealed, and no longer', async () => {
    const id = await connect('box', box.account.refreshToken)
    const { refreshToken: first } = (await connections.get(user, id)).credentials
    records.pass(3_600_000)
    await process().of(user, id).get()
    const { previous } = (await connections.get(user, id)).credentials
    expect(previous).toEqual({ refreshToken: first, until: records.now() + 86_400_000 })
    const kept = await records.store.get('connections', id)
    expect(JSON.stringify(kept?.fields)).not.toContain(first)
  })
})

describe('a connection', () => {
  it('whose refresh is answered for another account is frozen, and used no more', async () => {
    const id = await connect('microsoft', microsoft.account.refreshToken)
    const issued = () => microsoft.tokens.issued()
    // Who it is for is known from the sign-in; a refresh token alone says it with its first answer.
    expect((await connections.get(user, id)).credentials.subject).toContain('/')
    records.pass(2 * 3_600_000)
    microsoft.faults.plan({ route: 'microsoft.token', fault: 'oidc.wrong_subject' })
    const changed = { code: 'account_changed' }
    await expect(process().of(user, id).get()).rejects.toMatchObject(changed)
    const before = issued()
    await expect(process().of(user, id).get()).rejects.toMatchObject(changed)
    expect([issued() - before, told]).toEqual([0, ['account_changed']])
    expect((await connections.get(user, id)).state).toBe('frozen')
  })

  it('that nobody has confirmed gives no token', async () => {
    const id = await connect('box', box.account.refreshToken)
    await connections.update(user, id, () => ({ state: 'unconfirmed' }))
    const refused = { code: 'connection_unconfirmed' }
    await expect(process().of(user, id).get()).rejects.toMatchObject(refused)
  })

  it('of somebody who has frozen everything is not refreshed', async () => {
    const id = await connect('box', box.account.refreshToken)
    records.pass(3_600_000)
    await freeze(records.store, user, records.now())
    const before = box.tokens.issued()
    await expect(process().of(user, id).get()).rejects.toMatchObject({ code: 'frozen' })
    expect(box.tokens.issued()).toBe(before)
    await unfreeze(records.store, user)
    expect(isAlive(await process().of(user, id).get())).toBe(true)
  })
})
