import { z } from 'zod'
import { refusal } from '../call.ts'
import type { Answer, Call, Route, RouteKind } from '../call.ts'
import { createBodyReader } from './body-reader.ts'
import type { BodyReader } from './body-reader.ts'
import type { AccountState, Limits } from './account-state.ts'
import { badCall } from './endpoint-error.ts'

/** What the routes of a simulated Dropbox work on. */
export interface Dropbox {
  readonly limits: Limits
  /** Milliseconds. */
  readonly now: () => number
  /** The account that a call with valid credentials acts for. */
  accountOf(call: Call): AccountState
  /** What revoking the call's token does. */
  revoke(call: Call): void
}

/** The argument of routes that take none: an empty body does as well. */
export const voidArgument = z.null()

/** A route whose argument and result are JSON bodies. */
export function rpcRoute<S extends z.ZodType>(
  dropbox: Dropbox,
  name: string,
  kind: RouteKind,
  argument: S,
  handle: (account: AccountState, value: z.output<S>, call: Call) => unknown,
): Route {
  return {
    name: `dropbox.${name}`,
    kind,
    method: 'POST',
    path: `/2/${name}`,
    async handle(call) {
      const text = (await call.body()).toString()
      if (!(argument instanceof z.ZodNull) || text !== '') {
        const types = ['application/json', 'text/plain; charset=dropbox-cors-hack']
        demandType(call, name, types)
      }
      const value = readArgument(name, 'request body', text === '' ? 'null' : text, argument)
      return { json: (await handle(dropbox.accountOf(call), value, call)) ?? null }
    },
  }
}

/** A route whose argument is in a header (or in `?arg=`) and whose request body is content. */
export function uploadRoute<S extends z.ZodType>(
  dropbox: Dropbox,
  name: string,
  argument: S,
  handle: (
    account: AccountState,
    value: z.output<S>,
    body: BodyReader,
    call: Call,
  ) => Promise<unknown>,
): Route {
  return {
    name: `dropbox.${name}`,
    kind: 'write',
    method: 'POST',
    path: `/2/${name}`,
    async handle(call) {
      demandType(call, name, ['application/octet-stream', 'text/plain; charset=dropbox-cors-hack'])
      const value = headerArgument(name, call, argument)
      const body = createBodyReader(call, dropbox.limits.request)
      try {
        return { json: (await handle(dropbox.accountOf(call), value, body, call)) ?? null }
      } finally {
        await body.release()
      }
    },
  }
}

/** A route whose argument is in a header (or in `?arg=`) and whose answer is content. */
export function downloadRoutes<S extends z.ZodType>(
  dropbox: Dropbox,
  name: string,
  argument: S,
  handle: (account: AccountState, value: z.output<S>, call: Call) => Answer,
): readonly Route[] {
  return (['POST', 'GET'] as const).map((method) => ({
    name: `dropbox.${name}`,
    kind: 'download',
    method,
    path: `/2/${name}`,
    handle(call) {
      if (call.headers['content-type'] !== undefined)
        demandType(call, name, ['text/plain', 'application/octet-stream'])
      return handle(dropbox.accountOf(call), headerArgument(name, call, argument), call)
    },
  }))
}

function headerArgument<S extends z.ZodType>(name: string, call: Call, argument: S): z.output<S> {
  const header = call.headers['dropbox-api-arg']
  if (typeof header === 'string') {
    const where = 'HTTP header "Dropbox-API-Arg"'
    // Node reads header bytes as Latin-1, so anything above ASCII was not escaped by the client.
    if (/[^\t\x20-\x7e]/.test(header))
      throw refusal(badCall(name, `${where}: could not decode input as JSON`))
    return readArgument(name, where, header, argument)
  }
  const query = call.query.get('arg')
  if (query !== null) return readArgument(name, 'URL parameter "arg"', query, argument)
  throw refusal(badCall(name, 'Must provide HTTP header "Dropbox-API-Arg" or URL parameter "arg".'))
}

function readArgument<S extends z.ZodType>(
  name: string,
  where: string,
  text: string,
  argument: S,
): z.output<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refusal(badCall(name, `${where}: could not decode input as JSON`))
  }
  const read = argument.safeParse(value)
  if (read.success) return read.data
  throw refusal(badCall(name, `${where}: ${problem(read.error.issues[0])}`))
}

function problem(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'not valid'
  const at = issue.path.map((step) => `${String(step)}: `).join('')
  return issue.code === 'unrecognized_keys'
    ? `${at}unknown field '${issue.keys[0] ?? ''}'`
    : `${at}${issue.message}`
}

function demandType(call: Call, name: string, types: readonly string[]): void {
  const given = call.headers['content-type'] ?? ''
  const plain = given.toLowerCase().replace(/;\s*charset=utf-8$/, '')
  if (types.includes(plain)) return
  const expected = types.map((type) => `"${type}"`).join(', ')
  throw refusal(
    badCall(name, `Bad HTTP "Content-Type" header: "${given}".  Expecting one of ${expected}.`),
  )
}
