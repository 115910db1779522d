import { opaqueId } from '../random.ts'

/** What a person has allowed a client. */
export interface Grant {
  readonly id: string
  readonly clientId: string
  readonly personId: string
  /** Everything that was allowed so far. */
  scopes: readonly string[]
}

/** What a code of the consent page stands for. */
export interface Code {
  readonly code: string
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly redirectUri: string
  /** S256 of the verifier; null without PKCE. */
  readonly challenge: string | null
  readonly nonce: string | null
  /** Whether a refresh token goes with it. */
  readonly offline: boolean
  /** Milliseconds since 1970. */
  readonly expires: number
  used: boolean
}

/** A token of either kind. */
interface Token {
  readonly token: string
  readonly grant: Grant
  readonly scopes: readonly string[]
  /** The code that it goes back to, so that a code that is used twice takes everything with it. */
  readonly code: string | null
  expires: number
  revoked: boolean
}

export interface AccessToken extends Token {
  readonly refreshToken: RefreshToken | null
}

export interface RefreshToken extends Token {
  /** Issued to a client that showed no secret: it needs none to use it. */
  readonly withoutSecret: boolean
  /** Set when a provider that rotates has replaced it. */
  successor: RefreshToken | null
  /** Whether it, or an access token that came with it, was ever used. */
  touched: boolean
}

/** What a token is issued for. */
interface TokenFacts {
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly code?: string | null
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** The codes and tokens of one provider. */
export interface Grants {
  grant(clientId: string, personId: string, scopes: readonly string[], oneOnly: boolean): Grant
  /** The live grants of a person to a client. */
  of(clientId: string, personId: string): readonly Grant[]
  all(): readonly Grant[]
  addCode(facts: Omit<Code, 'code' | 'used'>): Code
  addAccess(facts: TokenFacts, refreshToken?: RefreshToken | null, name?: string): AccessToken
  addRefresh(facts: TokenFacts, withoutSecret?: boolean, name?: string): RefreshToken
  code(code: string): Code | undefined
  access(token: string): AccessToken | undefined
  refresh(token: string): RefreshToken | undefined
  accessTokens(): readonly AccessToken[]
  refreshTokens(): readonly RefreshToken[]
  /** Ends a grant and everything issued for it. */
  end(grant: Grant): void
  /** Ends what a code led to, and the grant when nothing else is left of it. */
  endCode(code: Code): void
}

/** No grants yet. Tokens depend only on `prefix` and on the order in which they are issued. */
export function createGrants(prefix: string): Grants {
  const grants = new Map<string, Grant>()
  const codes = new Map<string, Code>()
  const access = new Map<string, AccessToken>()
  const refresh = new Map<string, RefreshToken>()
  let issued = 0

  const secret = (kind: string, name: string): string =>
    `${prefix}-${kind}-${opaqueId(`${prefix} ${name}`, 40)}`
  const liveOf = (grant: Grant): readonly Token[] =>
    [...access.values(), ...refresh.values()].filter(
      (token) => token.grant === grant && !token.revoked,
    )

  return {
    grant(clientId, personId, scopes, oneOnly) {
      const before = [...grants.values()].find(
        (grant) => grant.clientId === clientId && grant.personId === personId,
      )
      if (oneOnly && before !== undefined) {
        before.scopes = [...new Set([...before.scopes, ...scopes])]
        return before
      }
      const grant: Grant = { id: `grant-${++issued}`, clientId, personId, scopes }
      grants.set(grant.id, grant)
      return grant
    },
    of: (clientId, personId) =>
      [...grants.values()].filter(
        (grant) => grant.clientId === clientId && grant.personId === personId,
      ),
    all: () => [...grants.values()],
    addCode(facts) {
      const code: Code = { ...facts, code: secret('code', `code ${++issued}`), used: false }
      codes.set(code.code, code)
      return code
    },
    addAccess(facts, refreshToken = null, name = `access ${++issued}`) {
      const token = { code: null, ...facts, token: secret('access', name), revoked: false }
      const added: AccessToken = { ...token, refreshToken }
      access.set(added.token, added)
      return added
    },
    addRefresh(facts, withoutSecret = false, name = `refresh ${++issued}`) {
      const token = { code: null, ...facts, token: secret('refresh', name), revoked: false }
      const added: RefreshToken = { ...token, withoutSecret, successor: null, touched: false }
      refresh.set(added.token, added)
      return added
    },
    code: (code) => codes.get(code),
    access: (token) => access.get(token),
    refresh: (token) => refresh.get(token),
    accessTokens: () => [...access.values()],
    refreshTokens: () => [...refresh.values()],
    end(grant) {
      for (const token of liveOf(grant)) token.revoked = true
      grants.delete(grant.id)
    },
    endCode({ code, grant }) {
      for (const token of liveOf(grant)) if (token.code === code) token.revoked = true
      if (liveOf(grant).length === 0) grants.delete(grant.id)
    },
  }
}
