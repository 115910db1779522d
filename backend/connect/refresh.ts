import * as oauth from 'oauth4webapi'
import { WaybillError } from '../../shared/errors.ts'
import { clientOf, requestOptions, serverFor, serverOf, subjectIn } from './oauth-server.ts'
import type { OAuthEndpoint } from './oauth-server.ts'

export interface AccessGrant {
  readonly accessToken: string
  /** Only if the provider gave a new one: it replaces the old one. */
  readonly refreshToken: string | null
  /** Seconds. */
  readonly expiresIn: number
  /** Who it is for; null if the provider does not say. */
  readonly subject: string | null
}

/** What an access token is good for when the provider does not say. */
const SHORTEST_LIFE_S = 300

/**
 * A person has to sign in again. OpenID Connect Core §3.1.2.6 has the second and third, which Microsoft uses here too; the
 * last is Google's, where an administrator has withdrawn the access.
 */
const askPerson = [
  'invalid_grant',
  'interaction_required',
  'consent_required',
  'admin_policy_enforced',
]

/**
 * Asks for a new access token (RFC 6749 §6).
 *
 * @throws WaybillError `unavailable` when the provider cannot be reached
 */
export async function requestRefresh(
  endpoint: OAuthEndpoint,
  refreshToken: string,
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await oauth.refreshTokenGrantRequest(
      serverOf(endpoint),
      clientOf(endpoint),
      oauth.ClientSecretPost(endpoint.clientSecret),
      refreshToken,
      requestOptions(endpoint, signal),
    )
  } catch (error) {
    throw new WaybillError('unavailable', 'The provider’s token endpoint cannot be reached.', {
      cause: error,
    })
  }
}

/**
 * Checks the answer.
 *
 * @throws WaybillError `connection_expired` when the grant is no longer valid, `unavailable` when the provider is in
 *   trouble, `settings_invalid` when it refuses the client itself
 */
export async function processRefresh(
  endpoint: OAuthEndpoint,
  response: Response,
): Promise<AccessGrant> {
  if (isInTrouble(response)) throw inTrouble()
  try {
    const server = await serverFor(endpoint, response)
    const answer = await oauth.processRefreshTokenResponse(server, clientOf(endpoint), response)
    return grantIn(answer)
  } catch (error) {
    throw refusalOf(error)
  }
}

/** @returns what a checked answer of the token endpoint grants. */
export function grantIn(answer: oauth.TokenEndpointResponse): AccessGrant {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? null,
    expiresIn: answer.expires_in ?? SHORTEST_LIFE_S,
    subject: subjectIn(answer),
  }
}

export function isInTrouble({ status }: Response): boolean {
  return status >= 500 || status === 429
}

export function inTrouble(): WaybillError {
  return new WaybillError('unavailable', 'The provider’s token endpoint is in trouble.')
}

/** @returns what it means that the token endpoint answered so. */
export function refusalOf(error: unknown): WaybillError {
  if (error instanceof oauth.ResponseBodyError && askPerson.includes(error.error))
    return new WaybillError('connection_expired', 'The account has to be connected again.', {
      cause: error,
    })
  if (error instanceof oauth.ResponseBodyError)
    return new WaybillError(
      'settings_invalid',
      'The provider refuses this OAuth client: check its id and secret.',
      { cause: error },
    )
  return new WaybillError(
    'unavailable',
    'The provider’s token endpoint gave an answer that cannot be read.',
    { cause: error },
  )
}
