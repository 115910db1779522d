import type { Settings } from '../config.ts'
import type { OAuthEndpoint, OAuthEndpoints } from '../connect/oauth-server.ts'

/** @returns where each provider lets people sign in and gives tokens, and who we are there. */
export function endpointsOf({ google, dropbox, box, microsoft }: Settings) {
  const drive: OAuthEndpoint = {
    issuer: google.issuers[0] ?? '',
    url: google.tokenUrl,
    authorizeUrl: google.authorizeUrl,
    revokeUrl: google.revokeUrl,
    jwksUrl: google.jwksUrl,
    clientId: google.clientId,
    clientSecret: google.clientSecret,
  }
  return {
    'google-drive': drive,
    dropbox: {
      issuer: new URL(dropbox.tokenUrl).origin,
      url: dropbox.tokenUrl,
      authorizeUrl: dropbox.authorizeUrl,
      revokeUrl: `${dropbox.apiUrl}/2/auth/token/revoke`,
      jwksUrl: null,
      clientId: dropbox.appKey,
      clientSecret: dropbox.appSecret,
    },
    box: box && { ...box, issuer: new URL(box.tokenUrl).origin, url: box.tokenUrl, jwksUrl: null },
    microsoft: microsoft && {
      ...microsoft,
      // https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      url: microsoft.tokenUrl,
      revokeUrl: null,
    },
  } satisfies OAuthEndpoints
}
