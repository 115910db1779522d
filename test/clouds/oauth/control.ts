import type { AuthorizationServer, Replacing } from './authorization-server.ts'
import type { Client } from './clients.ts'
import type { Visit } from './consents.ts'
import type { People, Person } from './people.ts'
import type { Lifetimes } from './provider.ts'

/** A grant as a test looks at it. */
export interface LiveGrant {
  readonly clientId: string
  readonly personId: string
  readonly scopes: readonly string[]
  /** Those that still work. */
  readonly accessTokens: readonly string[]
  readonly refreshTokens: readonly string[]
}

/** What a test does to an authorization server behind the back of its clients. All of it survives JSON. */
export interface OauthControl {
  /** A further account. Throws when the id or the address is taken. */
  addPerson(person: Person): void
  /** Another address, another name, suspended or not, … Throws when nobody has this id. */
  changePerson(id: string, facts: Parameters<People['change']>[1]): void
  people(): readonly Person[]
  /** Adds a client, or replaces the one with this id. */
  registerClient(client: Client): void
  /** One more place to come back to; of the client that was there from the start unless given. */
  addRedirectUri(uri: string, clientId?: string): void
  /** The next visitor of the consent page does this without seeing it. */
  nextVisit(visit: Visit): void
  /** Every visitor does this; null: they see the page again. */
  everyVisit(visit: Visit | null): void
  /** All grants with a token that works. */
  liveGrants(): readonly LiveGrant[]
  /** Every access token issued so far is expired. */
  expireAccessTokens(): void
  /** Every refresh token issued so far is expired. */
  expireRefreshTokens(): void
  /** The person takes back what they allowed, at the provider's own pages. */
  withdraw(personId: string, clientId?: string): void
  /** From now on, ID tokens are signed with a new key; the JWK set has all of them. */
  rotateKeys(): void
  /** The JWK set forgets all keys but the newest. */
  retireKeys(): void
  /** In seconds. */
  setLifetimes(lifetimes: Partial<Lifetimes>): void
  /** How a provider that replaces refresh tokens treats old ones. */
  setReplacing(replacing: Partial<Replacing>): void
  /** Moves the clock of the tokens forward. */
  advance(seconds: number): void
}

/** The control functions of one server. `firstClient` is the id of the client that was there from the start. */
export function oauthControl(server: AuthorizationServer, firstClient: string): OauthControl {
  const { people, clients, consents, grants, keys } = server

  return {
    addPerson: (person) => void people.add(person),
    changePerson: (id, facts) => void people.change(id, facts),
    people: () => people.all(),
    registerClient: (client) => clients.register(client),
    addRedirectUri: (uri, clientId = firstClient) => clients.addRedirectUri(clientId, uri),
    nextVisit: (visit) => consents.next(visit),
    everyVisit: (visit) => consents.always(visit),
    liveGrants() {
      const now = server.now()
      const isLive = (token: { readonly revoked: boolean; readonly expires: number }): boolean =>
        !token.revoked && token.expires > now
      return grants
        .all()
        .map((grant) => ({
          clientId: grant.clientId,
          personId: grant.personId,
          scopes: grant.scopes,
          accessTokens: grants
            .accessTokens()
            .filter((token) => token.grant === grant && isLive(token))
            .map(({ token }) => token),
          refreshTokens: grants
            .refreshTokens()
            .filter((token) => token.grant === grant && isLive(token) && token.successor === null)
            .map(({ token }) => token),
        }))
        .filter((grant) => grant.accessTokens.length + grant.refreshTokens.length > 0)
    },
    expireAccessTokens() {
      for (const token of grants.accessTokens()) token.expires = -Infinity
    },
    expireRefreshTokens() {
      for (const token of grants.refreshTokens()) token.expires = -Infinity
    },
    withdraw(personId, clientId = firstClient) {
      for (const grant of grants.of(clientId, personId)) grants.end(grant)
    },
    rotateKeys: () => keys.rotate(),
    retireKeys: () => keys.retire(),
    setLifetimes: (lifetimes) => void Object.assign(server.lifetimes, lifetimes),
    setReplacing(replacing) {
      server.replacing = { ...server.replacing, ...replacing }
    },
    advance: (seconds) => server.advance(seconds),
  }
}
