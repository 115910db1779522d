import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { apiKeyRoutes } from '../../../backend/api/api-keys.ts'
import { connectionRoutes } from '../../../backend/api/connections.ts'
import { freezeRoutes } from '../../../backend/api/freeze.ts'
import { healthRoutes } from '../../../backend/api/health.ts'
import { jobRoutes } from '../../../backend/api/jobs.ts'
import { openApiRoute } from '../../../backend/api/openapi.ts'
import { receiptRoutes } from '../../../backend/api/receipts.ts'
import { createApp } from '../../../backend/app.ts'
import { createLog } from '../../../backend/log.ts'
import { createMemoryAudit } from './memory-audit.ts'
import { createMemoryJobs } from './memory-jobs.ts'
import { apiKeyScopes } from '../../../shared/api-key.ts'
import { memoryAccounts, request, startApi, type Api } from './start-api.ts'

const media = z.looseObject({ schema: z.json() })
const operation = z.strictObject({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(
    z.union([
      z.strictObject({ google: z.tuple([]) }),
      z.strictObject({ apiKey: z.tuple([z.enum(apiKeyScopes)]) }),
    ]),
  ),
  parameters: z.array(
    z.strictObject({
      name: z.string(),
      in: z.enum(['path', 'query']),
      required: z.boolean(),
      schema: z.json(),
    }),
  ),
  requestBody: z
    .strictObject({ required: z.boolean(), content: z.record(z.string(), media) })
    .optional(),
  responses: z.record(
    z.string().regex(/^[2-5]\d\d$/),
    z.strictObject({ description: z.string(), content: z.record(z.string(), media) }),
  ),
})
const document = z.strictObject({
  openapi: z.literal('3.1.1'),
  info: z.looseObject({}),
  servers: z.array(z.looseObject({})),
  paths: z.record(z.string(), z.partialRecord(z.enum(['get', 'post', 'put', 'delete']), operation)),
  components: z.strictObject({
    schemas: z.record(z.string(), z.record(z.string(), z.json())),
    securitySchemes: z.looseObject({}),
  }),
})

let api: Api
let description: z.output<typeof document>

beforeEach(async () => {
  api = await startApi()
  description = document.parse((await api.http.get('/v1/openapi.json').expect(200)).body)
})
afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

/** Whether a value is what the description's JSON Schema says: checked by a reader of JSON Schema, not by our schemas. */
function fits(schema: unknown, value: unknown): string {
  const local = (text: unknown): unknown =>
    JSON.parse(JSON.stringify(text).replaceAll('#/components/schemas/', '#/$defs/'))
  const whole = { allOf: [local(schema)], $defs: local(description.components.schemas) }
  const result = z.fromJSONSchema(z.record(z.string(), z.json()).parse(whole)).safeParse(value)
  return result.success ? 'fits' : z.prettifyError(result.error)
}

function responseOf(method: 'get' | 'post' | 'delete', path: string, status: number) {
  return description.paths[path]?.[method]?.responses[status]?.content
}

describe('the description', () => {
  it('has every route of the application and no other', () => {
    const routes = new Set<string>()
    const silent = createLog({ write: () => undefined, clock: () => 0 })
    const jobs = createMemoryJobs({ clock: () => 0, connections: [] })
    const app = createApp({
      jobs,
      ...memoryAccounts(),
      audit: createMemoryAudit(),
      ready: async () => undefined,
      authenticate: async () => 'u',
      log: silent,
      clock: () => 0,
    })
    const layers = z.array(
      z.looseObject({
        route: z
          .looseObject({ path: z.string(), methods: z.record(z.string(), z.boolean()) })
          .optional(),
      }),
    )
    for (const { route } of layers.parse(app.router.stack))
      for (const method of Object.keys(route?.methods ?? {}))
        routes.add(`${method} ${route?.path.replaceAll(/:(\w+)/g, '{$1}')}`)

    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(described.toSorted()).toEqual([...routes].toSorted())
    expect(described).toHaveLength(29)
  })

  it('names every path parameter, every shape that it refers to, and every act once', () => {
    const names = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((each) => {
        const inPath = each?.parameters.filter((parameter) => parameter.in === 'path')
        expect(inPath?.map((parameter) => `{${parameter.name}}`)).toEqual(
          path.match(/\{\w+\}/g) ?? [],
        )
        expect(inPath?.every((parameter) => parameter.required)).toBe(true)
        return each?.operationId
      }),
    )
    expect(new Set(names).size).toBe(names.length)
    const references = JSON.stringify(description).match(/#\/components\/schemas\/\w+/g) ?? []
    for (const reference of new Set(references))
      expect(description.components.schemas).toHaveProperty(reference.split('/').at(-1) ?? '')
    expect(JSON.stringify(description)).not.toMatch(/"\$(?:id|schema)"|readOnly/)
  })

  it('says which routes need a token', async () => {
    for (const [path, methods] of Object.entries(description.paths))
      for (const [method, each] of Object.entries(methods)) {
        const url = `${api.url}${path.replace('{id}', 'j')}`
        const { status } = await fetch(url, { method: method.toUpperCase() })
        expect([path, status === 401]).toEqual([path, (each?.security.length ?? 0) > 0])
      }
  })

  it('refuses what the API refuses and takes what it takes', async () => {
    const schema = description.paths['/v1/jobs']?.post?.requestBody?.content['application/json']
    expect(fits(schema?.schema, request)).toBe('fits')
    expect(fits(schema?.schema, { ...request, more: 1 })).toContain('more')
    expect(fits(schema?.schema, { ...request, kind: 'teleport' })).not.toBe('fits')
    const schedule = { every: 'week', on: ['monday'], at: '24:00', zone: 'UTC' }
    expect(fits(schema?.schema, { ...request, schedule })).toContain('at')
    expect(fits(schema?.schema, { kind: 'copy' })).not.toBe('fits')
  })
})

it('real answers are what the description says', async () => {
  const ada = await api.bearer()
  const seen = new Set<string>()
  async function check(
    method: 'get' | 'post' | 'delete',
    path: string,
    url: string,
    body?: object,
  ) {
    const asked = api.http[method](url).set('Authorization', url.includes('nobody') ? '' : ada)
    const answer = await (body === undefined ? asked : asked.send(body))
    const schema = responseOf(method, path, answer.status)?.['application/json']?.schema
    expect([method, url, answer.status, schema === undefined]).toEqual([
      method,
      url,
      answer.status,
      false,
    ])
    expect(fits(schema, answer.body)).toBe('fits')
    seen.add(`${method} ${path}`)
    return answer
  }

  await check('post', '/v1/jobs', '/v1/jobs', request)
  await check('post', '/v1/jobs', '/v1/jobs', { ...request, kind: 1 })
  await check('post', '/v1/jobs', '/v1/jobs', { ...request, kind: 'x'.repeat(70_000) })
  await check('post', '/v1/jobs', '/v1/jobs?nobody', request)
  await check('get', '/v1/jobs', '/v1/jobs?limit=1')
  await check('get', '/v1/jobs', '/v1/jobs?limit=x')
  await check('get', '/v1/jobs/{id}', '/v1/jobs/job-001')
  await check('get', '/v1/jobs/{id}', '/v1/jobs/job-002')
  await check('get', '/v1/jobs/{id}/receipt', '/v1/jobs/job-001/receipt')
  await check('post', '/v1/jobs/{id}/runs', '/v1/jobs/job-001/runs')
  await check('post', '/v1/jobs/{id}/pause', '/v1/jobs/job-001/pause')
  await check('post', '/v1/jobs/{id}/pause', '/v1/jobs/job-001/pause')
  await check('post', '/v1/jobs/{id}/resume', '/v1/jobs/job-001/resume')
  await check('post', '/v1/jobs/{id}/cancel', '/v1/jobs/job-001/cancel')
  await check('post', '/v1/jobs/{id}/runs', '/v1/jobs/job-001/runs')
  const change = { schedule: { every: 'day', at: '02:30', zone: 'Europe/Berlin' } }
  await check('post', '/v1/jobs/{id}/schedule', '/v1/jobs/job-001/schedule', change)
  await check('post', '/v1/jobs/{id}/schedule', '/v1/jobs/job-001/schedule', { schedule: 'daily' })
  await check('get', '/v1/connections', '/v1/connections')
  const [start, drive] = ['/v1/connections/start', { provider: 'google-drive', tier: 'picked' }]
  await check('post', start, start, drive)
  await check('post', start, start, { provider: 'ftp' })
  await check('post', start, start, { provider: 'box' })
  const confirm = '/v1/connections/{id}/confirm'
  await check('post', confirm, '/v1/connections/drive-1/confirm')
  await check('post', confirm, '/v1/connections/drive-9/confirm')
  const picked = '/v1/connections/{id}/picked'
  await check('get', picked, '/v1/connections/drive-1/picked')
  await check('get', picked, '/v1/connections/drive-9/picked')
  await check('delete', '/v1/connections/{id}', '/v1/connections/drive-1')
  await check('delete', '/v1/connections/{id}', '/v1/connections/drive-9')
  await check('get', '/v1/freeze', '/v1/freeze')
  await check('post', '/v1/freeze', '/v1/freeze')
  await check('post', '/v1/unfreeze', '/v1/unfreeze')
  await check('post', '/v1/me/erase/ask', '/v1/me/erase/ask')
  await check('post', '/v1/me/erase', '/v1/me/erase', { code: 'AAAAA-AAAAA' })
  await check('post', '/v1/me/erase', '/v1/me/erase', { code: 'BBBBB-BBBBB' })
  await check('get', '/v1/certificates/{id}', '/v1/certificates/e-1?secret=nobody')
  await check('get', '/v1/certificates/{id}', '/v1/certificates/e-2?secret=nobody')
  const asked = { name: 'Nightly', scopes: ['jobs:read'], days: 30, from: ['2001:db8::/48'] }
  await check('post', '/v1/keys', '/v1/keys', asked)
  await check('post', '/v1/keys', '/v1/keys', { ...asked, scopes: ['everything'] })
  await check('post', '/v1/keys', '/v1/keys', { ...asked, from: ['somewhere'] })
  await check('post', '/v1/keys', '/v1/keys', { ...asked, days: 366 })
  await check('get', '/v1/keys', '/v1/keys')
  await check('delete', '/v1/keys/{id}', '/v1/keys/key-1')
  await check('delete', '/v1/keys/{id}', '/v1/keys/key-2')
  await check('get', '/health', '/health')
  await check('get', '/ready', '/ready')
  await check('get', '/v1/openapi.json', '/v1/openapi.json')
  api.issuer.behave('down')
  api.pass(3_600_000)
  const outage = await api.http.get('/v1/connections').set('Authorization', await api.bearer())
  const schema = responseOf('get', '/v1/connections', 503)?.['application/json']?.schema
  expect([outage.status, fits(schema, outage.body)]).toEqual([503, 'fits'])
  expect(seen.size).toBe(26)
})

it('the lines of a receipt are what the description says', async () => {
  const schema = responseOf('get', '/v1/jobs/{id}/receipt', 200)?.['application/jsonl']?.[
    'x-itemSchema'
  ]
  const line = {
    source: {
      id: 'a',
      path: ['Top', 'a/b.txt'],
      kind: 'file',
      version: '3',
      modifiedAt: '2027-01-01T00:00:00.000Z',
      hashes: { md5: 'ab'.repeat(16) },
    },
    outcome: 'copied',
    destination: {
      path: '/a∕b.txt',
      id: 'id:1',
      version: '01',
      bytes: 3,
      hashes: { contentHash: 'cd'.repeat(32) },
    },
    proof: 'both-checksums',
    reason: null,
    notes: ['renamed'],
    at: '2027-01-01T00:00:00.000Z',
  }
  const counts = { copied: 1, renamed: 0, moved: 0, removed: 0, skipped: 0, failed: 0, bytes: 3 }
  const root = 'ab'.repeat(32)
  const summary = { job: 'j', run: 1, lines: 1, ...counts, unchanged: 0, since: null, root }
  expect(fits(schema, line)).toBe('fits')
  expect(fits(schema, { summary })).toBe('fits')
  expect(fits(schema, { ...line, secret: 1 })).not.toBe('fits')
  expect(fits(schema, { ...line, outcome: 'lost' })).not.toBe('fits')
})

it('the lines of an export are what the description says', async () => {
  const schema = responseOf('get', '/v1/me/export', 200)?.['application/jsonl']?.['x-itemSchema']
  const { text } = await api.http
    .get('/v1/me/export')
    .set('Authorization', await api.bearer())
    .buffer(true)
    .parse((response, done) => {
      let all = ''
      response.on('data', (chunk: Buffer) => (all += chunk.toString()))
      response.on('end', () => done(null, all))
    })
    .then(({ body }) => ({ text: String(body) }))
  const lines = text.trimEnd().split('\n')
  expect(lines).toHaveLength(3)
  for (const line of lines) expect(fits(schema, JSON.parse(line))).toBe('fits')
  expect(fits(schema, { kind: 'job', data: {}, secret: 1 })).not.toBe('fits')
})

it('every noun brings its own routes', () => {
  const jobs = createMemoryJobs({ clock: () => 0, connections: [] })
  const nouns = [
    jobRoutes(jobs),
    receiptRoutes(jobs),
    connectionRoutes(memoryAccounts()),
    freezeRoutes(memoryAccounts().freezing),
    apiKeyRoutes(memoryAccounts().apiKeys),
    healthRoutes(async () => undefined),
  ]
  expect(nouns.map((routes) => routes.length)).toEqual([8, 1, 5, 3, 3, 2])
  expect(openApiRoute(nouns.flat()).path).toBe('/v1/openapi.json')
})
