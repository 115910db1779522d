import * as oauth from 'oauth4webapi'
import { hasCode } from '../../shared/errors.ts'
import type { AccountProvider } from '../../shared/account.ts'
import type { RevocationSecrets } from '../records/revocations.ts'
import { clientOf, requestOptions, serverOf } from './oauth-server.ts'
import type { OAuthEndpoint } from './oauth-server.ts'
import { processRefresh, requestRefresh } from './refresh.ts'

const PATIENCE_MS = 10_000

/**
 * Tells the provider to take back what it gave:
 *
 * - Google, which ends all that the person allowed to this client:
 *   https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
 * - Box: https://developer.box.com/reference/post-oauth2-revoke/
 * - Dropbox takes an access token, and ends the refresh token that it came from with it:
 *   https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke
 *
 * @returns whether none of the tokens works any more; false if that cannot be told now
 */
export async function revokeTokens(
  endpoint: OAuthEndpoint,
  provider: AccountProvider,
  secrets: RevocationSecrets,
  now: number,
): Promise<boolean> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  return provider === 'dropbox'
    ? revokeByAccessToken(endpoint, secrets, now, signal)
    : revokeByRefreshToken(endpoint, secrets, signal)
}

async function revokeByRefreshToken(
  endpoint: OAuthEndpoint,
  { refreshToken }: RevocationSecrets,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const response = await oauth.revocationRequest(
      serverOf(endpoint),
      clientOf(endpoint),
      oauth.ClientSecretPost(endpoint.clientSecret),
      refreshToken,
      requestOptions(endpoint, signal),
    )
    await oauth.processRevocationResponse(response)
    return true
  } catch (error) {
    // What is no token any more need not be revoked. Everything else is tried again.
    return error instanceof oauth.ResponseBodyError && error.error === 'invalid_token'
  }
}

async function revokeByAccessToken(
  endpoint: OAuthEndpoint,
  { refreshToken, accessToken, accessExpiresAt }: RevocationSecrets,
  now: number,
  signal: AbortSignal,
): Promise<boolean> {
  const usable = accessExpiresAt > now ? accessToken : null
  if (usable !== null && (await sendRevoke(endpoint, usable, signal)) === 200) return true
  try {
    const response = await requestRefresh(endpoint, refreshToken, signal)
    const grant = await processRefresh(endpoint, response)
    return (await sendRevoke(endpoint, grant.accessToken, signal)) === 200
  } catch (error) {
    if (hasCode(error, 'connection_expired')) return true
    if (hasCode(error, 'unavailable') || hasCode(error, 'settings_invalid')) return false
    throw error
  }
}

/** @returns the status of the answer; null if there was none. */
async function sendRevoke(
  endpoint: OAuthEndpoint,
  accessToken: string,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const response = await oauth.protectedResourceRequest(
      accessToken,
      'POST',
      new URL(endpoint.revokeUrl ?? endpoint.url),
      new Headers(),
      null,
      requestOptions(endpoint, signal),
    )
    await response.body?.cancel()
    return response.status
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.status
    // The network, in any of the ways in which it fails.
    return null
  }
}
