import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { policyOf, startDomain } from '../connect/start-domain.ts'
import type { DomainUnderTest } from '../connect/start-domain.ts'

let t: DomainUnderTest
beforeAll(async () => {
  t = await startDomain()
  await t.connectDomain()
  await t.waybill.chainActs()
})
afterAll(async () => t.close())

const json = z.record(z.string(), z.json())
const description = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        responses: z.record(
          z.string(),
          z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: json })) }),
        ),
      }),
    ),
  ),
  components: z.looseObject({ schemas: json }),
})

const places = [{ provider: 'dropbox', account: { domain: 'example.com' }, folder: '/a' }]

it.each([
  ['get', '/v1/admin/policy', undefined, 200],
  ['put', '/v1/admin/policy', policyOf({ wholeDrive: { people: ['ada@example.com'] } }), 200],
  ['put', '/v1/admin/policy', policyOf({ places }), 200],
  ['put', '/v1/admin/policy', policyOf({ places: [{ ...places[0], folder: '/../a' }] }), 400],
  ['put', '/v1/admin/policy', policyOf({ sources: ['box', 'box'] }), 400],
  ['put', '/v1/admin/policy', policyOf({ wholeDrive: { people: ['x@example.com'] } }), 400],
  ['put', '/v1/admin/policy', policyOf({ more: 1 }), 400],
  ['get', '/v1/admin/people', undefined, 200],
  ['get', '/v1/admin/audit', undefined, 200],
  ['post', '/v1/admin/delegation', undefined, 200],
  ['post', '/v1/admin/freeze', { all: true }, 200],
  ['post', '/v1/admin/freeze', { all: true, user: 'x' }, 400],
  ['post', '/v1/admin/freeze', {}, 400],
  ['post', '/v1/admin/unfreeze', { user: 'nobody' }, 404],
  ['post', '/v1/admin/unfreeze', { all: true }, 200],
  ['post', '/v1/connections/delegated', undefined, 201],
] as const)('%s %s is answered as its description says', async (method, path, body, wanted) => {
  const { paths, components } = description.parse(
    await (await fetch(`${t.url}/v1/openapi.json`)).json(),
  )
  const { status, body: answer } = await t.call(t.ada, method.toUpperCase(), path, body)
  expect([status, answer]).toEqual([wanted, answer])
  const schema = paths[path]?.[method]?.responses[status]?.content['application/json']?.schema
  const local = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '#/$defs/'))
  const whole = { allOf: [local(schema)], $defs: local(components.schemas) }
  const read = z.fromJSONSchema(json.parse(whole)).safeParse(answer)
  expect(read.success ? 'fits' : z.prettifyError(read.error)).toBe('fits')
})
