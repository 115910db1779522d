import { createHash } from 'node:crypto'
import { createClients } from './clients.ts'
import type { Clients } from './clients.ts'
import { createConsents } from './consents.ts'
import type { Consents } from './consents.ts'
import { createGrants } from './grants.ts'
import type { AccessToken, Grants, RefreshToken } from './grants.ts'
import { createPeople } from './people.ts'
import type { People, Person } from './people.ts'
import type { Lifetimes, Provider } from './provider.ts'
import { createSigningKeys } from './signing-keys.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What a test may change about a server that replaces refresh tokens. */
export interface Replacing {
  /**
   * What an old token is good for after it was replaced: nothing, or another one as long as the new tokens were
   * not used, as if the answer with them had been lost.
   */
  readonly oldToken: 'dead' | 'good-until-the-new-one-is-used'
  /** What happens to the others when a dead one is used. */
  readonly reuse: 'refused' | 'ends-the-grant'
}

/** Everything that one simulated authorization server knows. */
export interface AuthorizationServer {
  readonly provider: Provider
  readonly people: People
  readonly clients: Clients
  readonly grants: Grants
  readonly consents: Consents
  readonly keys: SigningKeys
  readonly lifetimes: { -readonly [K in keyof Lifetimes]: Lifetimes[K] }
  replacing: Replacing
  /** Milliseconds since 1970. */
  now(): number
  /** Moves the clock of this server forward. */
  advance(seconds: number): void
  /** Counts what the token endpoint issues. */
  issued: number
  /** Both tokens, as after a consent that nobody had to click. */
  issueFirst(person: Person, clientId: string, scopes: readonly string[]): FirstTokens
}

interface FirstTokens {
  readonly access: AccessToken
  readonly refresh: RefreshToken
}

/** What an authorization server is started with. */
export interface AuthorizationServerOptions {
  /** Tokens begin with it and depend on it. */
  readonly prefix: string
  readonly now: () => number
  readonly keys?: SigningKeys
}

/** A server without people and clients. */
export function createAuthorizationServer(
  provider: Provider,
  { prefix, now, keys = createSigningKeys() }: AuthorizationServerOptions,
): AuthorizationServer {
  const grants = createGrants(prefix)
  let ahead = 0
  const clock = (): number => now() + ahead

  const server: AuthorizationServer = {
    provider,
    people: createPeople(),
    clients: createClients(),
    grants,
    consents: createConsents(),
    keys,
    lifetimes: { ...provider.lifetimes },
    replacing: { oldToken: 'dead', reuse: 'refused' },
    now: clock,
    advance(seconds) {
      ahead += seconds * 1000
    },
    issued: 0,
    issueFirst(person, clientId, scopes) {
      const grant = grants.grant(clientId, person.id, scopes, provider.oneGrant)
      const { access, refresh } = server.lifetimes
      const facts = { grant, scopes }
      const first = grants.addRefresh(
        { ...facts, expires: clock() + refresh * 1000 },
        false,
        `${person.id} refresh`,
      )
      const expires = clock() + access * 1000
      return {
        refresh: first,
        access: grants.addAccess({ ...facts, expires }, first, `${person.id} access first`),
      }
    },
  }
  return server
}

/** What an Authorization header is worth. */
export type TokenCheck =
  | { readonly state: 'valid'; readonly accountId: string; readonly scopes: readonly string[] }
  | { readonly state: 'missing' | 'unknown' | 'expired' }

/** Looks up a `Bearer` header, and remembers that the token was used. */
export function checkBearer(
  server: AuthorizationServer,
  authorization: string | undefined,
): TokenCheck {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ')
    return { state: 'missing' }
  const known = server.grants.access(authorization.slice('bearer '.length))
  if (known === undefined || known.revoked) return { state: 'unknown' }
  if (server.people.byId(known.grant.personId)?.isSuspended === true) return { state: 'unknown' }
  if (known.expires <= server.now()) return { state: 'expired' }
  if (known.refreshToken !== null) known.refreshToken.touched = true
  return { state: 'valid', accountId: known.grant.personId, scopes: known.scopes }
}

/** The person that a call acts for, or null. */
export function bearerOf(
  server: AuthorizationServer,
  authorization: string | undefined,
): { readonly person: Person; readonly scopes: readonly string[] } | null {
  const check = checkBearer(server, authorization)
  if (check.state !== 'valid') return null
  const person = server.people.byId(check.accountId)
  return person === undefined ? null : { person, scopes: check.scopes }
}

/** S256 (RFC 7636 §4.2). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}
