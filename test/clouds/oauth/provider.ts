import type { Answer, Call } from '../call.ts'
import type { Grant } from './grants.ts'
import type { Person } from './people.ts'

/** Who can be simulated. */
export type ProviderName = 'google' | 'dropbox' | 'box' | 'microsoft'

/** Why a token endpoint refuses. */
export type TokenRefusal =
  | 'client-unknown'
  | 'secret-wrong'
  | 'secret-missing'
  | 'client-twice'
  | 'grant-type'
  | 'code-unknown'
  | 'code-used'
  | 'code-expired'
  | 'redirect-uri'
  | 'verifier-missing'
  | 'verifier-wrong'
  | 'verifier-unasked'
  | 'refresh-unknown'
  | 'refresh-revoked'
  | 'refresh-expired'
  | 'refresh-used'
  | 'person-suspended'
  | 'scope-not-granted'

/** Why a consent page is not shown; these the person sees, the client is not told. */
export type PageRefusal = 'client-unknown' | 'redirect-uri'

/** Why the client gets no code; it reads this behind its redirect URI. */
export type CallbackRefusal =
  | 'response-type'
  | 'scope-missing'
  | 'challenge-method'
  | 'denied'
  | 'login-required'
  | 'consent-required'

/** How long something is good for, in seconds. Infinity: for ever. */
export interface Lifetimes {
  readonly code: number
  readonly access: number
  readonly refresh: number
}

/** What an ID token says beside `aud`, `nonce` and the times. */
export interface IdTokenFacts {
  readonly iss: string
  readonly sub: string
  readonly [claim: string]: unknown
}

/** How a provider differs from others. */
export interface Provider {
  /** Calls are counted under names that begin with it. */
  readonly name: ProviderName
  /** As its consent page calls it. */
  readonly title: string
  readonly authorizePath: string
  readonly tokenPath: string
  readonly tokenType: 'Bearer' | 'bearer'
  readonly lifetimes: Lifetimes
  /** Whether a refresh answers with no refresh token, with one beside the old one, or with one that replaces it. */
  readonly refreshing: 'kept' | 'added' | 'replaced'
  /** True when a refresh token's life starts again with each use. */
  readonly lifeStartsAgain: boolean
  /** True when all consents of a person to a client are one grant. */
  readonly oneGrant: boolean
  /** Live refresh tokens of one person and one client; the oldest give way. */
  readonly mostRefreshTokens: number
  /** True when a client that used PKCE may leave its secret out. */
  readonly secretOptionalWithPkce: boolean
  /** True when a person who is asked for nothing new gives no refresh token. */
  readonly refreshTokenNeedsConsent: boolean
  /** True when a person may untick scopes. */
  readonly granular: boolean
  /** The scopes that a request asks for, in the provider's own names. */
  readScopes(scope: string | null): readonly string[]
  /** Scopes that cannot be unticked. */
  isNeeded(scope: string): boolean
  isOffline(query: URLSearchParams, scopes: readonly string[]): boolean
  /** Whether this person may come in here. */
  admits?(person: Person, call: Call): boolean
  /** Further parameters of a good callback. */
  callback(person: Person, scopes: readonly string[], call: Call): Readonly<Record<string, string>>
  /** RFC 9207; null when the provider does not send it. */
  readonly callbackIssuer: string | null
  /** Further fields of a token answer. */
  answer(
    person: Person,
    scopes: readonly string[],
    on: 'code' | 'refresh',
  ): Readonly<Record<string, unknown>>
  /** Null for a provider or scopes without ID tokens. */
  idToken(person: Person, grant: Grant, scopes: readonly string[]): IdTokenFacts | null
  refuseToken(reason: TokenRefusal): Answer
  refusePage(reason: PageRefusal): Answer
  refuseCallback(reason: CallbackRefusal): Readonly<Record<string, string>>
}

/** An OAuth error document. */
export function oauthError(status: number, error: string, description?: string): Answer {
  const json = description === undefined ? { error } : { error, error_description: description }
  return { status, json }
}

/** The scopes in a space-separated list, each once. */
export function scopeList(scope: string | null): readonly string[] {
  return [...new Set((scope ?? '').split(/\s+/).filter((each) => each !== ''))]
}

/** A page that says what is wrong. */
export function errorPage(status: number, title: string, text: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1><p>${text}</p></html>`,
  }
}
