import { z } from 'zod'
import type { ErrorCode } from '../../shared/errors.ts'
import { statusOf } from './errors.ts'
import { nothing, openRoute, type Route } from './route.ts'
import { shapeNames, shapes, type ShapeName } from './schemas.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * @param routes all other routes
 * @returns the route that serves the description of them all and of itself
 */
export function openApiRoute(routes: readonly Route[]): Route {
  const self = openRoute({
    method: 'get',
    path: '/v1/openapi.json',
    name: 'describeApi',
    summary: 'This description.',
    success: { status: 200, shape: 'OpenApi' },
    errors: [],
    handle: () => ({ json: description }),
  })
  const description = describeApi([...routes, self])
  return self
}

/** @returns an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html) made of the schemas that the routes check with. */
function describeApi(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const each of routes) {
    const path = each.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [each.method]: operation(each) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Waybill',
      version: '1',
      description:
        'Copies Google Drive to the clouds you choose, and proves every file it carried.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: schemas(),
      securitySchemes: {
        google: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An ID token that Google signed for one of the accepted client ids.',
        },
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'wbk_…',
          description: 'An API key that is allowed what is named.',
        },
      },
    },
  }
}

function operation(route: Route): Json {
  return {
    operationId: route.name,
    summary: route.summary,
    security: securityOf(route),
    parameters: [...parameters('path', route.params), ...parameters('query', route.query)],
    ...((route.method === 'post' || route.method === 'put') && {
      requestBody: {
        required: route.body !== nothing,
        content: { 'application/json': { schema: bodySchema(route.body) } },
      },
    }),
    responses: { [route.success.status]: success(route.success), ...failures(route.errors) },
  }
}

/** A key's scope stands where OpenAPI 3.1 has room for what a caller must be allowed. */
function securityOf({ signedIn, scope }: Route): readonly Json[] {
  if (!signedIn) return []
  return scope === undefined ? [{ google: [] }] : [{ google: [] }, { apiKey: [scope] }]
}

function success({ shape, lines }: Route['success']): Json {
  if (lines !== true)
    return { description: 'Done.', content: { 'application/json': { schema: ref(shape) } } }
  // OpenAPI 3.1 has no word for a stream of values; 3.2 calls it itemSchema.
  const media = {
    schema: { type: 'string', description: 'One JSON value on each line.' },
    'x-itemSchema': ref(shape),
  }
  return { description: 'Done.', content: { 'application/jsonl': media } }
}

function failures(codes: readonly ErrorCode[]): Json {
  const byStatus = Map.groupBy(new Set(codes), statusOf)
  return Object.fromEntries(
    [...byStatus].map(([status, these]) => [
      status,
      {
        description: these.map((code) => `\`${code}\``).join(', '),
        content: { 'application/json': { schema: ref('Error') } },
      },
    ]),
  )
}

function parameters(place: 'path' | 'query', schema: z.ZodObject): readonly Json[] {
  const { properties = {}, required = [] } = jsonSchema(schema) as {
    readonly properties?: Json
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: each,
  }))
}

function bodySchema(schema: z.ZodObject): Json {
  const name = shapeNames.find((each) => shapes[each] === schema)
  return name === undefined ? jsonSchema(schema) : ref(name)
}

function jsonSchema(schema: z.ZodType): Json {
  return embedded(z.toJSONSchema(schema))
}

function ref(shape: ShapeName): Json {
  return { $ref: `#/components/schemas/${shape}` }
}

function schemas(): Json {
  const registry = z.registry<{ id: string }>()
  for (const name of shapeNames) registry.add(shapes[name], { id: name })
  const all = z.toJSONSchema(registry, { uri: (name) => `#/components/schemas/${name}` }).schemas
  return Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, embedded(schema)]))
}

/** `$schema` and `$id` name a document of its own; inside another one they say something else. */
function embedded(schema: Json): Json {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id'),
  )
}
