import type { Route } from '../call.ts'
import { bearerOf } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { credentialsOf } from './clients.ts'
import type { Provider, TokenRefusal } from './provider.ts'
import { errorPage, oauthError, scopeList } from './provider.ts'

const day = 24 * 3600

const refusals: Readonly<Record<TokenRefusal, readonly [number, string, string]>> = {
  'client-unknown': [400, 'invalid_client', 'The client credentials are invalid'],
  'secret-wrong': [400, 'invalid_client', 'The client credentials are invalid'],
  'secret-missing': [400, 'invalid_client', 'The client credentials are invalid'],
  'client-twice': [400, 'invalid_request', 'Invalid client_id parameter or parameter missing'],
  'grant-type': [400, 'invalid_request', 'Invalid grant_type parameter or parameter missing'],
  'code-unknown': [400, 'invalid_grant', "Auth code doesn't exist or is invalid for the client"],
  'code-used': [400, 'invalid_grant', "Auth code doesn't exist or is invalid for the client"],
  'code-expired': [400, 'invalid_grant', 'The authorization code has expired'],
  'redirect-uri': [
    400,
    'redirect_uri_mismatch',
    'The redirect URI provided is missing or does not match',
  ],
  'verifier-missing': [400, 'invalid_grant', 'Invalid code verifier'],
  'verifier-wrong': [400, 'invalid_grant', 'Invalid code verifier'],
  'verifier-unasked': [400, 'invalid_grant', 'Invalid code verifier'],
  'refresh-unknown': [400, 'invalid_grant', 'Invalid refresh token'],
  'refresh-revoked': [400, 'invalid_grant', 'Invalid refresh token'],
  'refresh-expired': [400, 'invalid_grant', 'Refresh token has expired'],
  'refresh-used': [400, 'invalid_grant', 'Refresh token has expired'],
  'person-suspended': [400, 'unauthorized_client', 'The user is not active'],
  'scope-not-granted': [400, 'invalid_scope', 'The scope was not granted'],
}

/**
 * Box, https://developer.box.com/guides/authentication/oauth2/. PKCE is checked if it is used, which Box does not
 * promise: a client that does it right notices no difference.
 */
export const box: Provider = {
  name: 'box',
  title: 'Box',
  authorizePath: '/api/oauth2/authorize',
  tokenPath: '/oauth2/token',
  tokenType: 'bearer',
  lifetimes: { code: 30, access: 3600, refresh: 60 * day },
  refreshing: 'replaced',
  lifeStartsAgain: false,
  oneGrant: false,
  mostRefreshTokens: Infinity,
  secretOptionalWithPkce: false,
  refreshTokenNeedsConsent: false,
  granular: false,
  readScopes: (scope) => (scope === null ? ['root_readwrite'] : scopeList(scope)),
  isNeeded: () => true,
  // There is no other access.
  isOffline: () => true,
  callback: () => ({}),
  callbackIssuer: null,
  answer: () => ({ restricted_to: [] }),
  idToken: () => null,
  refuseToken: (reason) => oauthError(...refusals[reason]),
  refusePage: (reason) =>
    errorPage(
      400,
      'Error',
      reason === 'client-unknown' ? 'error=invalid_client' : 'error=redirect_uri_mismatch',
    ),
  refuseCallback: (reason) =>
    reason === 'denied'
      ? {
          error: 'access_denied',
          error_description: 'The user denied access to your application',
        }
      : { error: reason === 'response-type' ? 'unsupported_response_type' : 'invalid_request' },
}

/** Revocation, https://developer.box.com/reference/post-oauth2-revoke/, and whose account a token is for. */
export function boxRoutes(server: AuthorizationServer): readonly Route[] {
  return [
    {
      name: 'box.revoke',
      kind: 'token',
      method: 'POST',
      path: '/oauth2/revoke',
      async handle(call) {
        const form = new URLSearchParams((await call.body(65_536)).toString())
        const { id, secret } = credentialsOf(call, form)
        const client = server.clients.find(id ?? '')
        if (client === undefined || client.secret !== secret)
          return box.refuseToken('client-unknown')
        const token = form.get('token') ?? ''
        const found = server.grants.refresh(token) ?? server.grants.access(token)
        if (found === undefined || found.revoked || found.grant.clientId !== client.id)
          return oauthError(400, 'invalid_token', 'Invalid token')
        server.grants.end(found.grant)
        return { status: 200 }
      },
    },
    {
      name: 'box.users.me',
      kind: 'read',
      method: 'GET',
      path: '/2.0/users/me',
      handle({ headers }) {
        const found = bearerOf(server, headers.authorization)
        if (found === null)
          return {
            status: 401,
            headers: {
              'www-authenticate':
                'Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."',
            },
            json: { type: 'error', status: 401, code: 'unauthorized', message: 'Unauthorized' },
          }
        const { id, email, name } = found.person
        return { json: { type: 'user', id, name, login: email, status: 'active' } }
      },
    },
  ]
}
