import * as oauth from 'oauth4webapi'
import { WaybillError } from '../../shared/errors.ts'

/** Where and as whom Waybill asks a provider for tokens. */
export interface TokenEndpoint {
  /** The provider's issuer identifier; for a provider without one, the origin of its token endpoint. */
  readonly issuer: string
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
}

export interface AccessGrant {
  readonly accessToken: string
  /** Only if the provider gave a new one: it replaces the old one. */
  readonly refreshToken: string | null
  /** Seconds. */
  readonly expiresIn: number
}

/** What an access token is good for when the provider does not say. */
const SHORTEST_LIFE_S = 300

/**
 * Asks for a new access token (RFC 6749 §6).
 *
 * @throws WaybillError `unavailable` when the provider cannot be reached
 */
export async function requestRefresh(
  endpoint: TokenEndpoint,
  refreshToken: string,
  signal: AbortSignal,
): Promise<Response> {
  const isLoopback = new URL(endpoint.url).protocol === 'http:'
  try {
    return await oauth.refreshTokenGrantRequest(
      server(endpoint),
      { client_id: endpoint.clientId },
      oauth.ClientSecretPost(endpoint.clientSecret),
      refreshToken,
      // Settings allow plain http for loopback addresses only.
      { signal, [oauth.allowInsecureRequests]: isLoopback },
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
  endpoint: TokenEndpoint,
  response: Response,
): Promise<AccessGrant> {
  if (response.status >= 500 || response.status === 429)
    throw new WaybillError('unavailable', 'The provider’s token endpoint is in trouble.')
  try {
    const grant = await oauth.processRefreshTokenResponse(
      server(endpoint),
      { client_id: endpoint.clientId },
      response,
    )
    return {
      accessToken: grant.access_token,
      refreshToken: grant.refresh_token ?? null,
      expiresIn: grant.expires_in ?? SHORTEST_LIFE_S,
    }
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant')
      throw new WaybillError('connection_expired', 'The account has to be connected again.', {
        cause: error,
      })
    if (error instanceof oauth.ResponseBodyError)
      throw new WaybillError(
        'settings_invalid',
        'The provider refuses this OAuth client: check its id and secret.',
        { cause: error },
      )
    throw new WaybillError(
      'unavailable',
      'The provider’s token endpoint gave an answer that cannot be read.',
      { cause: error },
    )
  }
}

function server({ issuer, url }: TokenEndpoint): oauth.AuthorizationServer {
  return { issuer, token_endpoint: url }
}
