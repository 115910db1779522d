import type { Route } from './call.ts'
import { checkBearer } from './oauth/authorization-server.ts'
import type { AuthorizationServer, TokenCheck } from './oauth/authorization-server.ts'
import type { Person } from './oauth/people.ts'
import { tokenRoute } from './oauth/token-route.ts'
import type { FurtherGrant } from './oauth/token-route.ts'
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

/** The tokens of a simulated cloud. */
export interface Tokens {
  /** The account that was there from the start. */
  readonly account: Account
  /** A further person, with tokens of their own. */
  addAccount(person: Person): Account
  /** Looks up a `Bearer` header. */
  check(authorization: string | undefined): TokenCheck
  /** From now on, access tokens are issued for this long. */
  setLifetime(seconds: number): void
  /** Every access token issued so far is expired; refresh tokens stay good. */
  expireAccessTokens(): void
  /** A refresh or access token and the grant that it is part of stop working; false when it is unknown. */
  revoke(token: string): boolean
  /** How often tokens were issued by the endpoint. */
  issued(): number
  /** The token endpoint, to be served with the cloud's other routes. */
  readonly route: Route
}

/** Whose tokens there are from the start. */
export interface TokensOptions {
  readonly person: Person
  /** What is granted from the start. */
  readonly scopes: readonly string[]
  /** Where the first client's visitors may come back to. */
  readonly redirectUris?: readonly string[]
  /** Grant types that only this provider has. */
  readonly further?: Readonly<Record<string, FurtherGrant>>
}

/** The tokens of a server, with a client and one account. Ids and secrets depend only on the provider. */
export function createTokens(server: AuthorizationServer, options: TokensOptions): Tokens {
  const { grants } = server
  const name = `${server.provider.name}.token`
  const clientId = `${name}-client.apps.example`
  const clientSecret = opaqueId(`${name} secret`, 32)
  server.clients.register({
    id: clientId,
    secret: clientSecret,
    redirectUris: options.redirectUris ?? [],
  })

  function addAccount(person: Person): Account {
    server.people.add(person)
    const { access, refresh } = server.issueFirst(person, clientId, options.scopes)
    return {
      id: person.id,
      email: person.email,
      accessToken: access.token,
      refreshToken: refresh.token,
      clientId,
      clientSecret,
    }
  }

  return {
    account: addAccount(options.person),
    addAccount,
    check: (authorization) => checkBearer(server, authorization),
    setLifetime(seconds) {
      server.lifetimes.access = seconds
    },
    expireAccessTokens() {
      for (const token of grants.accessTokens()) token.expires = -Infinity
    },
    revoke(token) {
      const found = grants.refresh(token) ?? grants.access(token)
      if (found === undefined || found.revoked) return false
      grants.end(found.grant)
      return true
    },
    issued: () => server.issued,
    route: tokenRoute(server, options.further),
  }
}
