import * as oauth from 'oauth4webapi'
import type { Account } from '../tokens.ts'
import type { Visit } from './consents.ts'
import type { OauthControl } from './control.ts'

/** Where the independent client of these tests comes back to. */
export const callback = 'http://127.0.0.1:9/oauth/callback'

/** What signing in works on. */
interface Place {
  readonly url: string
  readonly account: Account
  readonly oauth: OauthControl
}

/** How a client signs in at one provider. */
export interface Way {
  /** Paths of the authorization and the token endpoint. */
  readonly authorize: string
  readonly token: string
  readonly issuer: string
  /** What it asks for beside what every client asks for. */
  readonly asks: Readonly<Record<string, string>>
  readonly hasIssuerParameter?: boolean
  readonly jwks?: string
}

/** What a sign-in ended with. */
export interface SignedIn {
  readonly tokens: oauth.TokenEndpointResponse
  readonly claims: oauth.IDToken | undefined
  readonly visited: Visited
}

/** A callback that was not checked yet. */
export interface Visited {
  readonly location: URL
  readonly verifier: string
  readonly state: string
  readonly nonce: string
}

const tenant = '3f5a7c1e-2b4d-4e6f-8a9b-0c1d2e3f4a5b'

/** The four providers, as their documentation says how to sign in. */
export const ways = {
  google: {
    authorize: '/o/oauth2/v2/auth',
    token: '/token',
    issuer: 'https://accounts.google.com',
    asks: {
      scope: 'openid email https://www.googleapis.com/auth/drive',
      access_type: 'offline',
      prompt: 'consent',
    },
    hasIssuerParameter: true,
    jwks: '/oauth2/v3/certs',
  },
  dropbox: {
    authorize: '/oauth2/authorize',
    token: '/oauth2/token',
    issuer: 'https://www.dropbox.com',
    asks: { token_access_type: 'offline' },
  },
  box: {
    authorize: '/api/oauth2/authorize',
    token: '/oauth2/token',
    issuer: 'https://account.box.com',
    asks: {},
  },
  microsoft: {
    authorize: '/common/oauth2/v2.0/authorize',
    token: '/common/oauth2/v2.0/token',
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    asks: { scope: 'openid profile email offline_access User.Read Files.ReadWrite' },
    jwks: '/common/discovery/v2.0/keys',
  },
} as const satisfies Readonly<Record<string, Way>>

/** The server as oauth4webapi wants it described. */
function serverOf({ url }: Pick<Place, 'url'>, way: Way): oauth.AuthorizationServer {
  return {
    issuer: way.issuer,
    authorization_endpoint: `${url}${way.authorize}`,
    token_endpoint: `${url}${way.token}`,
    ...(way.jwks === undefined ? {} : { jwks_uri: `${url}${way.jwks}` }),
    ...(way.hasIssuerParameter === true
      ? { authorization_response_iss_parameter_supported: true }
      : {}),
  }
}

/** The address that a client sends a visitor to. Parameters that are null are left out. */
export async function addressOf(
  place: Place,
  way: Way,
  more: Readonly<Record<string, string | null>> = {},
): Promise<Omit<Visited, 'location'> & { readonly address: string }> {
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const address = new URL(`${place.url}${way.authorize}`)
  const parameters: Readonly<Record<string, string | null>> = {
    client_id: place.account.clientId,
    redirect_uri: callback,
    response_type: 'code',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...(way.jwks === undefined ? {} : { nonce }),
    ...way.asks,
    ...more,
  }
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) address.searchParams.set(name, value)
  return { address: address.href, verifier, state, nonce }
}

/** Sends a visitor who does what `visit` says. Throws when the provider does not send them back. */
export async function visit(
  place: Place,
  way: Way,
  { as = { decision: 'allow' }, ...more }: VisitOptions = {},
): Promise<Visited> {
  const { address, ...kept } = await addressOf(place, way, more.parameters)
  if (as !== null) place.oauth.nextVisit(as)
  const answer = await fetch(address, { redirect: 'manual' })
  const location = answer.headers.get('location')
  if (location === null) throw new Error(`the visitor was left on a page: ${await answer.text()}`)
  return { ...kept, location: new URL(location) }
}

export interface VisitOptions {
  /** Null for whoever the provider decides by itself. */
  readonly as?: Visit | null
  readonly parameters?: Readonly<Record<string, string | null>>
}

/** Checks a callback and redeems its code, as strictly as oauth4webapi does. */
export async function redeem(
  place: Place,
  way: Way,
  visited: Visited,
  authentication: 'post' | 'basic' = 'post',
): Promise<SignedIn> {
  const server = serverOf(place, way)
  const client = { client_id: place.account.clientId }
  const { clientSecret } = place.account
  const parameters = oauth.validateAuthResponse(server, client, visited.location, visited.state)
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication === 'basic'
      ? oauth.ClientSecretBasic(clientSecret)
      : oauth.ClientSecretPost(clientSecret),
    parameters,
    callback,
    visited.verifier,
    { [oauth.allowInsecureRequests]: true },
  )
  const isOpenId = way.jwks !== undefined
  const tokens = await oauth.processAuthorizationCodeResponse(
    server,
    client,
    answer,
    isOpenId ? { expectedNonce: visited.nonce, requireIdToken: true } : {},
  )
  if (isOpenId)
    await oauth.validateApplicationLevelSignature(server, answer, {
      [oauth.allowInsecureRequests]: true,
    })
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens), visited }
}

/** Signs in from beginning to end. */
export async function signIn(
  place: Place,
  way: Way,
  options: VisitOptions = {},
): Promise<SignedIn> {
  return redeem(place, way, await visit(place, way, options))
}

/** A refresh, checked by oauth4webapi. Throws `ResponseBodyError` when it is refused. */
export async function refresh(
  place: Place,
  way: Way,
  refreshToken: string | undefined,
): Promise<oauth.TokenEndpointResponse> {
  const server = serverOf(place, way)
  const client = { client_id: place.account.clientId }
  const answer = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.ClientSecretPost(place.account.clientSecret),
    refreshToken ?? '',
    { [oauth.allowInsecureRequests]: true },
  )
  return oauth.processRefreshTokenResponse(server, client, answer)
}

/** Posts a form, for what oauth4webapi would not send. */
export async function post(
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: unknown }> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers })
  const text = await answer.text()
  return { status: answer.status, json: text === '' ? null : JSON.parse(text) }
}
