import type { Answer, Call } from '../call.ts'
import type { Quota } from '../quota.ts'
import type { Tokens } from '../tokens.ts'
import type { AccountState } from './account-state.ts'
import { badCall, envelope, rateLimited } from './endpoint-error.ts'
import { scopeOf } from './route-scopes.ts'

/** What a call is checked against before its route looks at it. */
export interface GuardOptions {
  readonly tokens: Tokens
  readonly quota: Quota
  /** Bytes of header lines that are accepted. */
  readonly headers: number
  account(id: string): AccountState
}

/** Refuses calls with too long headers, without a good token, for another root, or too many of them. */
export function createGuard(options: GuardOptions): (call: Call) => Answer | null {
  const { tokens, quota } = options

  return (call) => {
    if (headerBytes(call) > options.headers) return { status: 431 }
    const name = call.path.replace(/^\/2\//, '')
    const checked = tokens.check(call.headers.authorization)
    if (checked.state === 'missing' && call.headers.authorization === undefined)
      return badCall(
        name,
        'Must provide HTTP header "Authorization" or URL parameter "authorization".',
      )
    if (checked.state !== 'valid') {
      const tag = checked.state === 'expired' ? 'expired_access_token' : 'invalid_access_token'
      return { status: 401, json: envelope({ '.tag': tag }) }
    }
    const scope = scopeOf(name)
    if (scope !== null && !checked.scopes.includes(scope)) {
      const error = { '.tag': 'missing_scope', required_scope: scope }
      return { status: 401, json: { error_summary: 'missing_scope/..', error } }
    }
    const account = options.account(checked.accountId)
    const wrongRoot = checkRoot(call, account, name)
    if (wrongRoot !== null) return wrongRoot
    return quota.take(account.id, 1) ? null : rateLimited('too_many_requests', 15)
  }
}

function headerBytes(call: Call): number {
  const { rawHeaders, method = '', url = '' } = call.request
  // Each line has `: ` and an end of two bytes; a request line two spaces, a version and an end.
  const lines = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0)
  return method.length + url.length + 12 + lines
}

/** https://www.dropbox.com/developers/reference/path-root-header-modes */
function checkRoot(call: Call, { namespace }: AccountState, name: string): Answer | null {
  const header = call.headers['dropbox-api-path-root']
  if (typeof header !== 'string') return null
  const root = readRoot(header)
  if (root === null)
    return badCall(name, 'HTTP header "Dropbox-API-Path-Root": could not decode input as JSON')
  if (root['.tag'] === 'home' || root.root === namespace || root.namespace_id === namespace)
    return null
  const error =
    root['.tag'] === 'root'
      ? {
          '.tag': 'invalid_root',
          invalid_root: {
            '.tag': 'user',
            root_namespace_id: namespace,
            home_namespace_id: namespace,
          },
        }
      : { '.tag': 'no_permission' }
  return { status: 422, json: { error_summary: `${error['.tag']}/..`, error } }
}

function readRoot(header: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(header)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
