import type { Answer, Route } from './call.ts'
import { opaqueId } from './random.ts'

/** What a client needs to act for one person at one cloud. */
export interface Account {
  /** The provider's own id of the person. */
  readonly id: string
  readonly email: string
  /** Issued in advance, with a full lifetime. */
  readonly accessToken: string
  readonly refreshToken: string
  readonly clientId: string
  readonly clientSecret: string
}

/** What an Authorization header is worth. */
type TokenCheck =
  | { readonly state: 'valid'; readonly accountId: string }
  | { readonly state: 'missing' | 'unknown' | 'expired' }

/** The OAuth side of a simulated cloud. */
export interface Tokens {
  /** The account that was there from the start. */
  readonly account: Account
  /** A further person, with tokens of their own. */
  addAccount(id: string, email: string): Account
  /** Looks up a `Bearer` header. */
  check(authorization: string | undefined): TokenCheck
  /** From now on, tokens are issued for this long. */
  setLifetime(seconds: number): void
  /** Every access token issued so far is expired; refresh tokens stay good. */
  expireAccessTokens(): void
  /** A refresh or access token and all tokens of its account stop working; false when it is unknown. */
  revoke(token: string): boolean
  /** A code as the consent page would hand out, for `grant_type=authorization_code`. Used once. */
  issueCode(accountId?: string): string
  /** How often tokens were issued by the endpoint. */
  issued(): number
  /** The token endpoint, to be served with the cloud's other routes. */
  readonly route: Route
}

/** How a provider's token endpoint differs from others. */
export interface TokensOptions {
  /** The name that calls are counted under, such as `google.token`. */
  readonly name: string
  /** Such as `/token`. */
  readonly path: string
  readonly accountId: string
  readonly email: string
  /** `Bearer` for Google, `bearer` for Dropbox. */
  readonly tokenType: string
  /** Seconds. */
  readonly lifetimeSeconds: number
  /** Milliseconds. */
  readonly now: () => number
  /** Further fields of a successful answer, such as `scope`. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** The description that goes with `invalid_grant`. */
  readonly invalidGrant: string
}

/** An OAuth token endpoint (RFC 6749 §5 and §6) with one account. Ids and secrets depend only on `name`. */
export function createTokens(options: TokensOptions): Tokens {
  const { name, now } = options
  const access = new Map<string, { accountId: string; expires: number }>()
  const refresh = new Map<string, string>()
  const codes = new Map<string, string>()
  const clientId = `${name}-client.apps.example`
  const clientSecret = opaqueId(`${name} secret`, 32)
  let lifetime = options.lifetimeSeconds
  let issued = 0

  function issueAccess(accountId: string, nth: number | string): string {
    const token = `${name}-access-${opaqueId(`${accountId} access ${nth}`, 40)}`
    access.set(token, { accountId, expires: now() + lifetime * 1000 })
    return token
  }

  function addAccount(id: string, email: string): Account {
    const refreshToken = `${name}-refresh-${opaqueId(`${id} refresh`, 40)}`
    refresh.set(refreshToken, id)
    return {
      id,
      email,
      accessToken: issueAccess(id, 'first'),
      refreshToken,
      clientId,
      clientSecret,
    }
  }

  function grant(form: URLSearchParams): Answer {
    const type = form.get('grant_type')
    let accountId: string | undefined
    let refreshToken: string | undefined
    if (type === 'refresh_token') accountId = refresh.get(form.get('refresh_token') ?? '')
    else if (type === 'authorization_code') {
      const code = form.get('code') ?? ''
      accountId = codes.get(code)
      codes.delete(code)
      refreshToken = [...refresh].find(([, id]) => id === accountId)?.[0]
    } else return refused(400, 'unsupported_grant_type', 'The grant type is not supported.')
    if (accountId === undefined) return refused(400, 'invalid_grant', options.invalidGrant)
    issued++
    const answer = {
      access_token: issueAccess(accountId, issued),
      expires_in: lifetime,
      token_type: options.tokenType,
      ...options.extra,
    }
    return {
      json: refreshToken === undefined ? answer : { ...answer, refresh_token: refreshToken },
    }
  }

  return {
    account: addAccount(options.accountId, options.email),
    addAccount,
    check(authorization) {
      if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ')
        return { state: 'missing' }
      const known = access.get(authorization.slice(7))
      if (known === undefined) return { state: 'unknown' }
      if (known.expires <= now()) return { state: 'expired' }
      return { state: 'valid', accountId: known.accountId }
    },
    setLifetime(seconds) {
      lifetime = seconds
    },
    expireAccessTokens() {
      for (const known of access.values()) known.expires = -Infinity
    },
    revoke(token) {
      const accountId = refresh.get(token) ?? access.get(token)?.accountId
      if (accountId === undefined) return false
      for (const [key, id] of refresh) if (id === accountId) refresh.delete(key)
      for (const [key, known] of access) if (known.accountId === accountId) access.delete(key)
      return true
    },
    issueCode(accountId = options.accountId) {
      const code = opaqueId(`${accountId} code ${codes.size} ${issued}`, 32)
      codes.set(code, accountId)
      if (![...refresh.values()].includes(accountId))
        refresh.set(`${name}-refresh-${opaqueId(`${accountId} ${code}`, 40)}`, accountId)
      return code
    },
    issued: () => issued,
    route: {
      name,
      kind: 'token',
      method: 'POST',
      path: options.path,
      async handle(call) {
        const form = new URLSearchParams((await call.body(65_536)).toString())
        const basic = /^Basic (.+)$/i.exec(call.headers.authorization ?? '')?.[1]
        const [basicId, basicSecret] =
          basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':')
        const secret = form.get('client_secret') ?? basicSecret
        // A public client that used PKCE has no secret; a wrong one is refused.
        const known =
          (form.get('client_id') ?? basicId) === clientId &&
          (secret ?? clientSecret) === clientSecret
        return known
          ? grant(form)
          : refused(401, 'invalid_client', 'The OAuth client was not found.')
      },
    },
  }
}

function refused(status: number, error: string, description: string): Answer {
  return { status, json: { error, error_description: description } }
}
