import { z } from 'zod'
import type { ApiKeyScope } from '../../shared/api-key.ts'
import { WaybillError, type ErrorCode } from '../../shared/errors.ts'
import type { BudgetName } from './rates.ts'
import type { ShapeName } from './schemas.ts'

/** What a handler answers: one value as JSON, or lines of JSON that are sent as they come. */
export type Answer =
  | { readonly json: unknown; readonly location?: string }
  | { readonly lines: AsyncIterable<string> }

/** What a handler is called with. */
export interface Call<P, Q, B> {
  readonly user: string
  readonly params: P
  readonly query: Q
  readonly body: B
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal
}

interface Described {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** As Express writes it, with `:id`. */
  readonly path: string
  /** One word for the act, unique in the API. */
  readonly name: string
  readonly summary: string
  readonly success: {
    readonly status: 200 | 201
    readonly shape: ShapeName
    /** Whether the answer is a line of JSON for each entry (https://jsonlines.org). */
    readonly lines?: true
  }
  readonly errors: readonly ErrorCode[]
  /** What an API key has to be allowed for it. Without it, it is for the person alone. */
  readonly scope?: ApiKeyScope
  /** A budget of its own beside that of everything the person asks for. */
  readonly budget?: BudgetName
}

/** A route as the application serves it and as its description shows it. */
export interface Route extends Described {
  readonly signedIn: boolean
  readonly params: z.ZodObject
  readonly query: z.ZodObject
  /** Read only where the method is `post` or `put`. */
  readonly body: z.ZodObject
  /** Checks what came in and calls the handler. Throws `invalid_request`, or `not_found` for ids that cannot be ours. */
  answer(call: Call<unknown, unknown, unknown>): Promise<Answer>
}

/** For a route without parameters, without a query or without a body: it may only be empty. */
export const nothing = z.strictObject({})

/** A route for people who are signed in. The handler gets what the schemas say, and nothing that they do not name. */
export function route<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject>(
  spec: Described & {
    readonly params: P
    readonly query: Q
    readonly body: B
    readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Answer>
  },
): Route {
  const { handle, ...described } = spec
  return {
    ...described,
    errors: [
      ...spec.errors,
      'unauthenticated',
      'rate_limited',
      'forbidden',
      'frozen',
      'unavailable',
      'store_unavailable',
      'invalid_request',
      'internal',
    ],
    signedIn: true,
    async answer({ user, params, query, body, signal }) {
      return handle({
        user,
        params: parse(spec.params, params, 'not_found'),
        query: parse(spec.query, query, 'invalid_request'),
        body: parse(spec.body, body === undefined ? {} : body, 'invalid_request'),
        signal,
      })
    },
  }
}

/** A route for whoever has what it asks for, signed in or not: its handler is told nobody. */
export function publicRoute<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodObject>(
  spec: Parameters<typeof route<P, Q, B>>[0],
): Route {
  return {
    ...route(spec),
    errors: [...spec.errors, 'invalid_request', 'internal'],
    signedIn: false,
  }
}

/** A route that anybody may call; it takes nothing. */
export function openRoute(
  spec: Described & { readonly handle: () => Answer | Promise<Answer> },
): Route {
  const { handle, ...described } = spec
  return {
    ...described,
    errors: [...spec.errors, 'invalid_request', 'internal'],
    signedIn: false,
    params: nothing,
    query: nothing,
    body: nothing,
    async answer({ query }) {
      parse(nothing, query, 'invalid_request')
      return handle()
    },
  }
}

function parse<S extends z.ZodType>(
  schema: S,
  value: unknown,
  code: 'not_found' | 'invalid_request',
): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  if (code === 'not_found') throw new WaybillError('not_found', 'There is nothing here.')
  throw new WaybillError('invalid_request', result.error.issues.slice(0, 5).map(say).join(' '))
}

/** In words, with names of fields and never a value. */
function say(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .slice(0, 5)
      .map((key) => `Unknown field ${printable([...path, key])}.`)
      .join(' ')
  if (path.length === 0) return 'The body must be a JSON object.'
  return `The field ${printable(path)} is not right: ${issue.message}.`
}

/** A field's name comes from outside too: only what looks like a name is said again. */
function printable(path: readonly string[]): string {
  const plain = path.map((part) => (/^[A-Za-z0-9_]{1,40}$/.test(part) ? part : '?'))
  return `"${plain.join('.')}"`
}
