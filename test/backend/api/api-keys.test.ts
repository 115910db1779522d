import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { newApiKey } from '../../../backend/records/api-key-text.ts'
import { apiKeyScopes } from '../../../shared/api-key.ts'
import type { ApiKeyRequest, ApiKeyScope } from '../../../shared/api-key.ts'
import { leaksIn } from '../../spellings.ts'
import { startConnecting } from '../connect/start-connecting.ts'
import type { ConnectingUnderTest, Person } from '../connect/start-connecting.ts'

let t: ConnectingUnderTest
let annsIds: readonly string[]
const made: string[] = []

beforeAll(async () => {
  t = await startConnecting({ WAYBILL_TRUSTED_PROXIES: '1' })
  const { user } = t.ann
  const from = await t.waybill.connect(user, 'google-drive', t.clouds.drive.account.refreshToken)
  const to = await t.waybill.connect(user, 'dropbox', t.clouds.dropbox.account.refreshToken)
  const job = await t.waybill.jobs.create(user, {
    kind: 'copy',
    source: { connection: from.id, selection: { kind: 'drive', sharedDrives: false } },
    destination: { connection: to.id, folder: '/Ann' },
  })
  annsIds = [job.id, job.run.run, from.id, to.id]
})
afterAll(async () => t.close())

const newKey = z.looseObject({ key: z.string(), id: z.string() })

async function keyOf(who: Person, more: Partial<ApiKeyRequest> = {}) {
  const asked = { name: 'Test', scopes: apiKeyScopes, ...more }
  const { status, body } = await t.api(who, 'POST', '/v1/keys', asked)
  expect(status).toBe(201)
  const { key, id } = newKey.parse(body)
  made.push(key)
  return { key, id }
}

async function ask(key: string, method: string, path: string, body?: object, address?: string) {
  const response = await fetch(`${t.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(address === undefined ? {} : { 'x-forwarded-for': address }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

const paths = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({ security: z.array(z.record(z.string(), z.array(z.string()))) }),
    ),
  ),
})

/** Every route that needs somebody, with the scopes that let a key use it. */
async function routes() {
  const { paths: all } = paths.parse(await (await fetch(`${t.url}/v1/openapi.json`)).json())
  return Object.entries(all).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security.length > 0)
      .map(([method, { security }]) => ({
        method: method.toUpperCase(),
        path,
        scopes: security.flatMap((each) => each['apiKey'] ?? []),
      })),
  )
}

describe('a key of the API', () => {
  it('is taken by exactly the routes that its scopes name', async () => {
    const all = await routes()
    expect(all.length).toBeGreaterThan(18)
    for (const scope of apiKeyScopes) {
      const { key, id } = await keyOf(t.bob, { scopes: [scope] })
      for (const { method, path, scopes } of all) {
        const { status } = await ask(key, method, path.replace('{id}', 'nothing'))
        const isAllowed = scopes.includes(scope)
        expect([scope, method, path, status !== 403]).toEqual([scope, method, path, isAllowed])
      }
      await t.api(t.bob, 'DELETE', `/v1/keys/${id}`)
    }
  })

  it('manages no keys, freezes nothing and ends no freeze, whatever it is allowed', async () => {
    const { key, id } = await keyOf(t.bob)
    const forbidden = [
      ['POST', '/v1/keys'],
      ['GET', '/v1/keys'],
      ['DELETE', `/v1/keys/${id}`],
      ['POST', '/v1/freeze'],
      ['POST', '/v1/unfreeze'],
    ] as const
    for (const [method, path] of forbidden) {
      const asked = { name: 'Another', scopes: apiKeyScopes }
      const { status, text } = await ask(key, method, path, method === 'POST' ? asked : undefined)
      expect([path, status, text]).toEqual([path, 403, expect.stringContaining('"forbidden"')])
    }
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(200)
    const isNamed = (await routes()).filter(({ scopes }) => scopes.length === 0)
    expect(isNamed.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/v1/freeze', '/v1/keys']),
    )
  })

  it('is shown once, and works from then on until it is revoked', async () => {
    const { key, id } = await keyOf(t.bob)
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(200)
    const listed = await t.api(t.bob, 'GET', '/v1/keys')
    expect(JSON.stringify(listed.body)).toContain(id)
    expect(JSON.stringify(listed.body)).not.toContain(key.slice(4, 40))
    expect((await t.api(t.ann, 'DELETE', `/v1/keys/${id}`)).status).toBe(404)
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(200)
    expect((await t.api(t.bob, 'DELETE', `/v1/keys/${id}`)).status).toBe(200)
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(401)
  })

  it('is taken only from where its owner says', async () => {
    const { key } = await keyOf(t.bob, { from: ['203.0.113.0/24', '2001:db8::7'] })
    const statuses: number[] = []
    for (const address of ['203.0.113.9', '2001:db8::7', '198.51.100.1', '2001:db8::8', 'nonsense'])
      statuses.push((await ask(key, 'GET', '/v1/jobs', undefined, address)).status)
    expect(statuses).toEqual([200, 200, 401, 401, 401])
    // What the client itself says is in front of what the proxy says.
    const faked = await ask(key, 'GET', '/v1/jobs', undefined, '203.0.113.9, 198.51.100.1')
    expect(faked.status).toBe(401)
  })

  it('does nothing while everything of its owner is frozen', async () => {
    const { key } = await keyOf(t.bob)
    await t.api(t.bob, 'POST', '/v1/freeze')
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(409)
    const another = { name: 'Another', scopes: apiKeyScopes }
    expect((await t.api(t.bob, 'POST', '/v1/keys', another)).status).toBe(409)
    await t.api(t.bob, 'POST', '/v1/unfreeze')
    expect((await ask(key, 'GET', '/v1/jobs')).status).toBe(200)
  })
})

/** The key with one thing changed. */
function forgeries(key: string): readonly string[] {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const changed: string[] = []
  for (let at = 0; at < key.length; at += 1) {
    for (const other of digits) changed.push(key.slice(0, at) + other + key.slice(at + 1))
    changed.push(
      key.slice(0, at) + key.slice(at + 1),
      key.slice(0, at),
      `${key.slice(0, at)}0${key.slice(at)}`,
    )
    changed.push(key.slice(0, at) + key.charAt(at + 1) + key.charAt(at) + key.slice(at + 2))
  }
  const spelled = [`${key}%00`, `${key}.`, `${key},`, key.toUpperCase(), key.toLowerCase()]
  const others = Array.from({ length: 200 }, () => newApiKey(randomBytes))
  return [...new Set([...changed, ...spelled, `wbk_${key}`, ...others])].filter(
    (each) => each !== key,
  )
}

it('none of thousands of keys that are one change away from a good one is taken', async () => {
  const { key } = await keyOf(t.bob)
  const forged = forgeries(key)
  expect(forged.length).toBeGreaterThan(3_000)
  const statuses = new Map<number, number>()
  for (let at = 0; at < forged.length; at += 20)
    await Promise.all(
      forged.slice(at, at + 20).map(async (each) => {
        const { status } = await ask(each, 'GET', '/v1/jobs')
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }),
    )
  expect([...statuses]).toEqual([[401, forged.length]])
  for (const header of [
    `bearer ${key}`,
    `Bearer  ${key}`,
    `Basic ${key}`,
    key,
    `Bearer ${key}, Bearer ${key}`,
  ]) {
    const { status } = await fetch(`${t.url}/v1/jobs`, { headers: { authorization: header } })
    expect([header.replace(key, '…'), status]).toEqual([
      header.replace(key, '…'),
      header.startsWith('bearer') ? 200 : 401,
    ])
  }
})

it('nor is a good one in the query, a cookie, another header, or for a page', async () => {
  const { key } = await keyOf(t.bob)
  const statuses = await Promise.all([
    fetch(`${t.url}/v1/jobs?access_token=${key}`),
    fetch(`${t.url}/v1/jobs`, { headers: { cookie: `__Host-waybill-session=${key}` } }),
    fetch(`${t.url}/v1/jobs`, { headers: { 'x-api-key': key } }),
  ])
  expect(statuses.map(({ status }) => status)).toEqual([401, 401, 401])
  const page = await fetch(`${t.url}/connect/accounts`, {
    headers: { authorization: `Bearer ${key}` },
  })
  expect(await page.text()).toContain('Sign in with Google')
})

it('no key tells its owner anything of somebody else, or changes anything of theirs', async () => {
  const state = async () =>
    Promise.all(
      ['/v1/jobs', '/v1/connections', '/v1/freeze', '/v1/keys'].map((path) =>
        t.api(t.ann, 'GET', path),
      ),
    )
  const annsKey = await keyOf(t.ann)
  const ids = [...annsIds, annsKey.id]
  const before = await state()
  const { key } = await keyOf(t.bob)
  let asked = 0
  for (const { method, path } of await routes())
    for (const id of ids) {
      const bodies: Readonly<Record<string, object>> = {
        '/v1/jobs': {
          kind: 'copy',
          source: { connection: annsIds[2], selection: { kind: 'items', ids: ['a'] } },
          destination: { connection: annsIds[3], folder: '/Bob' },
        },
        '/v1/jobs/{id}/schedule': { schedule: null },
        '/v1/connections/start': { provider: 'dropbox' },
      }
      const { status, text } = await ask(
        key,
        method,
        path.replace('{id}', id),
        method === 'POST' ? (bodies[path] ?? {}) : undefined,
      )
      const told = [...ids, t.ann.user, t.ann.email, '/Ann'].filter((each) => text.includes(each))
      expect([method, path, told]).toEqual([method, path, []])
      const isRefused = status === 403 || status === 404
      expect([method, path, isRefused || !path.includes('{id}')]).toEqual([method, path, true])
      expect(status).toBeLessThan(500)
      asked += 1
    }
  expect(asked).toBeGreaterThan(90)
  expect(await state()).toEqual(before)
})

it('no key is in the log, nor in any answer but the one that shows it', async () => {
  const answers: string[] = []
  const scopes: readonly ApiKeyScope[] = ['jobs:read']
  const { key } = await keyOf(t.bob, { scopes, name: 'Canary-Name' })
  for (const { method, path } of await routes())
    answers.push((await ask(key, method, path.replace('{id}', key))).text)
  answers.push((await ask(key, 'POST', '/v1/jobs', { [key]: key })).text)
  answers.push((await ask(`${key}x`, 'GET', `/${key}`)).text)
  expect(made.length).toBeGreaterThan(10)
  const secrets = made.flatMap((each) => [each, each.slice(4, 47)])
  expect(leaksIn(Buffer.from(answers.join('\n')), secrets)).toEqual([])
  const logged = Buffer.from(t.logged.join(''))
  expect(logged.length).toBeGreaterThan(100_000)
  expect(leaksIn(logged, [...secrets, 'Canary-Name'])).toEqual([])
})
