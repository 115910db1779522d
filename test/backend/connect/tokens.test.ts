import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { createActs } from '../../../backend/audit/acts.ts'
import { addConnection } from '../../../backend/connect/add-connection.ts'
import { createConnectionViews } from '../../../backend/connect/connections-view.ts'
import { createTokens } from '../../../backend/connect/tokens.ts'
import type { RefreshDeps } from '../../../backend/connect/refresh-connection.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import type { Connections } from '../../../backend/records/connections.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

let records: KeptRecords
let connections: Connections
let server: Server
let deps: RefreshDeps
/** Refresh tokens that were used, in order. */
let used: string[]
let answer: (refreshToken: string) => Answer | Promise<Answer>

const grant = (more: object = {}): Answer => ({
  status: 200,
  body: { access_token: `access ${used.length}`, token_type: 'bearer', expires_in: 3600, ...more },
})
const refusal = (error: string, status = 400): Answer => ({ status, body: { error } })

beforeEach(async () => {
  records = keepRecords()
  connections = createConnections(records.store, records.owners)
  used = []
  answer = () => grant()
  server = createServer((request, response) => {
    void respond(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const endpoint = {
    issuer: `http://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/token`,
    authorizeUrl: `http://127.0.0.1:${port}/authorize`,
    revokeUrl: null,
    jwksUrl: null,
    clientId: 'client',
    clientSecret: 'secret',
  }
  deps = {
    connections,
    endpoints: { 'google-drive': endpoint, dropbox: endpoint, box: null, microsoft: null },
    now: records.now,
    random: randomBytes,
    sleep: async (ms) => records.pass(ms),
  }
  await keep({})
})
afterEach(() => {
  server.close()
  records.close()
})

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await text(request))
  const refreshToken = form.get('refresh_token') ?? ''
  used.push(refreshToken)
  const { status, body } = await answer(refreshToken)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

async function keep(credentials: object, id = 'connection'): Promise<void> {
  await connections.create({
    id,
    user: 'ann',
    provider: 'dropbox',
    state: 'active',
    createdAt: 1,
    credentials: {
      accountId: 'account',
      label: 'ann@example.com',
      refreshToken: 'refresh',
      accessToken: null,
      accessExpiresAt: 0,
      ...credentials,
    },
  })
}
const token = (id = 'connection') => createTokens(deps).of('ann', id)

describe('an access token', () => {
  it('is asked for once, however many need it at once', async () => {
    const tokens = createTokens(deps)
    const sources = Array.from({ length: 50 }, () => tokens.of('ann', 'connection'))
    const got = await Promise.all(sources.map(async (source) => source.get()))
    expect(new Set(got)).toEqual(new Set(['access 1']))
    expect(used).toEqual(['refresh'])
  })

  it('is kept, for other workers too, until shortly before its end', async () => {
    await token().get()
    expect(await token().get()).toBe('access 1')
    records.pass(3_600_000 - 5 * 60_000)
    expect(await token().get()).toBe('access 2')
  })

  it('that was refused is never given again, and costs one refresh for all', async () => {
    const source = token()
    const refused = await source.get()
    source.reject(refused)
    const got = await Promise.all(Array.from({ length: 50 }, async () => source.get()))
    expect(new Set(got)).toEqual(new Set(['access 2']))
    expect(used).toHaveLength(2)
  })

  it('that was refused to one of two holders is fetched by the other as it is now', async () => {
    const tokens = createTokens(deps)
    const [one, two] = [tokens.of('ann', 'connection'), tokens.of('ann', 'connection')]
    const refused = await one.get()
    await two.get()
    one.reject(refused)
    expect(await one.get()).toBe('access 2')
    two.reject(refused)
    expect(await two.get()).toBe('access 2')
    expect(used).toHaveLength(2)
  })

  it('is not replaced because an older one was refused', async () => {
    const source = token()
    const old = await source.get()
    source.reject(old)
    await source.get()
    source.reject(old)
    expect(await source.get()).toBe('access 2')
  })
})

describe('a refresh token', () => {
  it('that is replaced by the provider is kept before it is used', async () => {
    answer = () => grant({ refresh_token: 'refresh 2', expires_in: 1 })
    const source = token()
    await source.get()
    expect((await connections.get('ann', 'connection')).credentials.refreshToken).toBe('refresh 2')
    await source.get()
    expect(used).toEqual(['refresh', 'refresh 2'])
  })

  it('that is not valid any more makes the connection expired, which is said without asking again', async () => {
    answer = () => refusal('invalid_grant')
    const expired = { code: 'connection_expired' }
    await expect(token().get()).rejects.toMatchObject(expired)
    await expect(token().get()).rejects.toMatchObject(expired)
    expect(used).toHaveLength(1)
    const [view] = await createConnectionViews(connections).list('ann')
    expect(view).toEqual({
      id: 'connection',
      provider: 'dropbox',
      account: 'ann@example.com',
      state: 'expired',
      tier: null,
    })
  })

  it('that somebody else has just used is no reason to ask a person', async () => {
    answer = async () => {
      await connections.update('ann', 'connection', ({ credentials }) => ({
        credentials: {
          ...credentials,
          refreshToken: 'theirs',
          accessToken: 'their access',
          accessExpiresAt: records.now() + 3_600_000,
        },
      }))
      return refusal('invalid_grant')
    }
    expect(await token().get()).toBe('their access')
    expect((await connections.get('ann', 'connection')).state).toBe('active')
  })

  it('that two found dead one after the other, the first by a slow answer, is said to be so once', async () => {
    const told: string[] = []
    deps = { ...deps, onStopped: ({ error }) => told.push(error.code) }
    const expired = { code: 'connection_expired' }
    const quick: unknown[] = []
    answer = async () => {
      if (used.length === 1) {
        records.pass(46_000)
        const other = token().get()
        quick.push(await other.catch((error: unknown) => error))
      }
      return refusal('invalid_grant')
    }
    await expect(token().get()).rejects.toMatchObject(expired)
    expect(quick).toEqual([expect.objectContaining(expired)])
    expect([used.length, told]).toEqual([2, ['connection_expired']])
  })

  it('that its provider never came to know leaves the one before it, once, for a day', async () => {
    answer = () => grant({ refresh_token: 'refresh 2', expires_in: 1 })
    await token().get()
    answer = (given) =>
      given === 'refresh' ? grant({ refresh_token: 'refresh 3' }) : refusal('invalid_grant')
    expect(await token().get()).toBe('access 3')
    expect(used).toEqual(['refresh', 'refresh 2', 'refresh'])
    records.pass(25 * 3_600_000)
    await expect(token().get()).rejects.toMatchObject({ code: 'connection_expired' })
    expect(used.slice(3)).toEqual(['refresh 3'])
  })

  it('of an account that was connected again meanwhile is not undone', async () => {
    answer = async () => {
      await connections.update('ann', 'connection', ({ credentials }) => ({
        credentials: {
          ...credentials,
          refreshToken: 'connected again',
          accessToken: 'fresh access',
          accessExpiresAt: records.now() + 3_600_000,
        },
      }))
      return grant({ refresh_token: 'rotated' })
    }
    expect(await token().get()).toBe('fresh access')
    const { credentials } = await connections.get('ann', 'connection')
    expect(credentials.refreshToken).toBe('connected again')
  })

  it.each([
    [refusal('server_error', 503), 'unavailable'],
    [refusal('slow_down', 429), 'unavailable'],
    [{ status: 200, body: 'not json' }, 'unavailable'],
    [{ status: 200, body: { token_type: 'bearer' } }, 'unavailable'],
    [refusal('invalid_client'), 'settings_invalid'],
    [refusal('unauthorized_client'), 'settings_invalid'],
  ] as const)('answered with %j: %s, and the connection stays as it is', async (given, code) => {
    answer = () => given
    await expect(token().get()).rejects.toMatchObject({ code })
    expect((await connections.get('ann', 'connection')).state).toBe('active')
    answer = () => grant()
    expect(await token().get()).toMatch(/^access/)
  })

  it('waits for a provider that cannot be reached', async () => {
    server.close()
    await expect(token().get()).rejects.toMatchObject({ code: 'unavailable' })
    expect((await connections.get('ann', 'connection')).state).toBe('active')
  })

  it('of somebody else is not there', async () => {
    const theirs = createTokens(deps).of('bob', 'connection')
    await expect(theirs.get()).rejects.toMatchObject({ code: 'not_found' })
    expect(used).toEqual([])
  })
})

describe('adding a connection', () => {
  const add = async (refreshToken: string, account = 'new account') =>
    addConnection(
      {
        ...deps,
        acts: createActs({ ...records, random: randomBytes }),
        random: (count) => new Uint8Array(count),
        whose: async (_provider, source) => ({ id: account, label: await source.get() }),
      },
      'ann',
      'dropbox',
      refreshToken,
    )

  it('proves the token before it keeps anything', async () => {
    answer = () => refusal('invalid_grant')
    await expect(add('stolen')).rejects.toMatchObject({ code: 'connection_expired' })
    await expect(add('  ')).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await connections.list('ann')).toHaveLength(1)
  })

  it('keeps it, ready to be used without another refresh', async () => {
    const added = await add(' mine ')
    expect(used).toEqual(['mine'])
    expect(await token(added.id).get()).toBe('access 1')
    expect(used).toHaveLength(1)
  })

  it('of an account that is known replaces its tokens, and makes it ready again', async () => {
    answer = () => refusal('invalid_grant')
    await expect(token().get()).rejects.toMatchObject({ code: 'connection_expired' })
    answer = () => grant({ refresh_token: 'rotated' })
    const added = await add('second', 'account')
    expect(added).toMatchObject({ id: 'connection', state: 'active', createdAt: 1 })
    expect(added.credentials.refreshToken).toBe('rotated')
    expect(await token().get()).toBe('access 2')
    expect(await connections.list('ann')).toHaveLength(1)
  })
})
