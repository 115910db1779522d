import * as oauth from 'oauth4webapi'
import { WaybillError } from '../../shared/errors.ts'
import type { Asked } from './asked.ts'
import { clientOf, requestOptions, serverFor, serverOf } from './oauth-server.ts'
import type { OAuthEndpoint } from './oauth-server.ts'
import { grantIn, inTrouble, isInTrouble, refusalOf } from './refresh.ts'
import type { AccessGrant } from './refresh.ts'

/** What a sign-in is known by at the provider, and what its answer is checked against. */
export interface AuthorizationSecrets {
  /** Registered at the provider, letter by letter; a different one for each provider (RFC 9700 §4.4.2.2). */
  readonly redirectUri: string
  readonly state: string
  /** PKCE, RFC 7636: 43 characters. */
  readonly verifier: string
  readonly nonce: string
}

/** What a person has allowed. */
export interface Authorization extends AccessGrant {
  readonly scopes: readonly string[]
  /** The ID token, with its signature checked, and the address in it; null for a provider without. */
  readonly idToken: string | null
  readonly email: string | null
}

export type Authorized =
  | { readonly kind: 'allowed'; readonly authorization: Authorization }
  /** The person said no. */
  | { readonly kind: 'denied' }
  /** The person left out something that Waybill cannot do without. */
  | { readonly kind: 'incomplete' }

/** @returns where to send the browser (RFC 6749 §4.1.1, with PKCE by S256). */
export async function requestAuthorization(
  endpoint: OAuthEndpoint,
  asked: Asked,
  secrets: AuthorizationSecrets,
): Promise<string> {
  const url = new URL(endpoint.authorizeUrl)
  const parameters = {
    response_type: 'code',
    client_id: endpoint.clientId,
    redirect_uri: secrets.redirectUri,
    ...(asked.scopes.length === 0 ? {} : { scope: asked.scopes.join(' ') }),
    state: secrets.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: 'S256',
    ...(asked.isOpenId ? { nonce: secrets.nonce } : {}),
    ...asked.parameters,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/**
 * Checks what the browser came back with, and gets tokens for its code. Checked are the state, the issuer where one is
 * sent (RFC 9207), the ID token where there is one, signature and nonce with it, and what was granted.
 *
 * @param callback the query of the address that the browser came back to
 * @throws WaybillError `invalid_request` for an answer that is not the one expected, `unavailable` when the provider is in
 *   trouble, `settings_invalid` when it refuses the client itself
 */
export async function processAuthorization(
  endpoint: OAuthEndpoint,
  asked: Asked,
  secrets: AuthorizationSecrets,
  callback: URLSearchParams,
  signal: AbortSignal,
): Promise<Authorized> {
  const parameters = checkCallback(endpoint, callback, secrets.state)
  if (parameters === 'denied') return { kind: 'denied' }
  const response = await exchange(endpoint, parameters, secrets, signal)
  if (isInTrouble(response)) throw inTrouble()
  const server = await serverFor(endpoint, response)
  const checks = asked.isOpenId ? { expectedNonce: secrets.nonce, requireIdToken: true } : {}
  const answer = await oauth
    .processAuthorizationCodeResponse(server, clientOf(endpoint), response, checks)
    .catch((error: unknown) => {
      throw refusedAnswer(error)
    })
  const claims = oauth.getValidatedIdTokenClaims(answer)
  if (claims !== undefined) await checkSignature(endpoint, server, response, signal)
  // RFC 6749 §5.1: what is not said is as it was asked for.
  const scopes = answer.scope?.split(' ').map(plain) ?? asked.scopes.map(plain)
  if (!asked.needed.every((scope) => scopes.includes(plain(scope)))) return { kind: 'incomplete' }
  return {
    kind: 'allowed',
    authorization: {
      ...grantIn(answer),
      scopes,
      idToken: claims === undefined ? null : (answer.id_token ?? null),
      email: typeof claims?.['email'] === 'string' ? claims['email'] : null,
    },
  }
}

function checkCallback(
  endpoint: OAuthEndpoint,
  callback: URLSearchParams,
  state: string,
): URLSearchParams | 'denied' {
  try {
    const names = [...callback.keys()]
    // RFC 6749 §3.1
    if (new Set(names).size < names.length) throw notExpected()
    const checked = oauth.validateAuthResponse(
      serverOf(endpoint),
      clientOf(endpoint),
      callback,
      state,
    )
    const code = checked.get('code') ?? ''
    if (code === '' || code.length > 2_048) throw notExpected()
    return checked
  } catch (error) {
    // RFC 6749 §4.1.2.1; any other error there is about how Waybill asked.
    if (error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied')
      return 'denied'
    throw notExpected(error)
  }
}

async function exchange(
  endpoint: OAuthEndpoint,
  parameters: URLSearchParams,
  { redirectUri, verifier }: AuthorizationSecrets,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await oauth.authorizationCodeGrantRequest(
      serverOf(endpoint),
      clientOf(endpoint),
      oauth.ClientSecretPost(endpoint.clientSecret),
      parameters,
      redirectUri,
      verifier,
      requestOptions(endpoint, signal),
    )
  } catch (error) {
    throw new WaybillError('unavailable', 'The provider’s token endpoint cannot be reached.', {
      cause: error,
    })
  }
}

async function checkSignature(
  endpoint: OAuthEndpoint,
  server: oauth.AuthorizationServer,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  try {
    const options = requestOptions(endpoint, signal)
    await oauth.validateApplicationLevelSignature(server, response, options)
  } catch (error) {
    const isBad =
      error instanceof oauth.OperationProcessingError ||
      error instanceof oauth.UnsupportedOperationError
    if (isBad) throw notExpected(error)
    throw new WaybillError('unavailable', 'The provider’s keys cannot be had.', { cause: error })
  }
}

// RFC 6749 §5.2; Dropbox says the rest in the same word.
const aboutUs = /^(?:invalid|unauthorized)_client\b/

/** An answer that breaks the rules is refused; whether the client itself is refused, operators have to know. */
function refusedAnswer(error: unknown): WaybillError {
  if (error instanceof oauth.ResponseBodyError && aboutUs.test(error.error)) return refusalOf(error)
  return notExpected(error)
}

function notExpected(cause?: unknown): WaybillError {
  return new WaybillError(
    'invalid_request',
    'The answer of the provider is not the one that was expected. Begin again.',
    { cause },
  )
}

/** Microsoft names its scopes with and without the API that they are of, and in any case. */
function plain(scope: string): string {
  return scope.replace(/^https:\/\/graph\.microsoft\.com\//i, '').toLowerCase()
}
