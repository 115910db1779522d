import type { Provider, TokenRefusal } from './provider.ts'
import { errorPage, oauthError, scopeList } from './provider.ts'

/** What the simulated app may ask for; all of it unless it asks for less. */
export const dropboxScopes = [
  'account_info.read',
  'files.content.read',
  'files.content.write',
  'files.metadata.read',
  'files.metadata.write',
] as const

const refusals: Readonly<Record<TokenRefusal, readonly [number, string, string?]>> = {
  'client-unknown': [400, 'invalid_client: Invalid client_id or client_secret'],
  'secret-wrong': [400, 'invalid_client: Invalid client_id or client_secret'],
  'secret-missing': [400, 'invalid_request', 'No auth function available for given request'],
  'client-twice': [400, 'invalid_request', 'unknown field "client_id"'],
  'grant-type': [400, 'unsupported_grant_type', 'The grant type is not supported.'],
  'code-unknown': [400, 'invalid_grant', "code doesn't exist or has expired"],
  'code-used': [400, 'invalid_grant', "code doesn't exist or has expired"],
  'code-expired': [400, 'invalid_grant', "code doesn't exist or has expired"],
  'redirect-uri': [400, 'invalid_grant', 'redirect_uri mismatch'],
  'verifier-missing': [400, 'invalid_grant', 'code_verifier is required'],
  'verifier-wrong': [400, 'invalid_grant', 'invalid code verifier'],
  'verifier-unasked': [400, 'invalid_grant', 'invalid code verifier'],
  'refresh-unknown': [400, 'invalid_grant', 'refresh token is malformed'],
  'refresh-revoked': [400, 'invalid_grant', 'refresh token is invalid or revoked'],
  'refresh-expired': [400, 'invalid_grant', 'refresh token is invalid or revoked'],
  'refresh-used': [400, 'invalid_grant', 'refresh token is invalid or revoked'],
  'person-suspended': [400, 'invalid_grant', 'refresh token is invalid or revoked'],
  'scope-not-granted': [400, 'invalid_scope', 'scope was not granted'],
}

/** Dropbox, https://www.dropbox.com/developers/documentation/http/documentation#oauth2-authorize. */
export const dropbox: Provider = {
  name: 'dropbox',
  title: 'Dropbox',
  authorizePath: '/oauth2/authorize',
  tokenPath: '/oauth2/token',
  tokenType: 'bearer',
  lifetimes: { code: 600, access: 14_400, refresh: Infinity },
  refreshing: 'kept',
  lifeStartsAgain: false,
  oneGrant: false,
  mostRefreshTokens: Infinity,
  secretOptionalWithPkce: true,
  refreshTokenNeedsConsent: false,
  granular: false,
  readScopes: (scope) => (scope === null ? dropboxScopes : scopeList(scope)),
  isNeeded: () => true,
  isOffline: (query) => query.get('token_access_type') === 'offline',
  callback: () => ({}),
  callbackIssuer: null,
  answer: (person, scopes, on) =>
    on === 'refresh' ? {} : { scope: scopes.join(' '), uid: person.id, account_id: person.id },
  idToken: () => null,
  refuseToken: (reason) => oauthError(...refusals[reason]),
  refusePage: (reason) =>
    errorPage(
      400,
      'Error (400)',
      reason === 'client-unknown'
        ? 'Invalid client_id'
        : 'Invalid redirect_uri. It must exactly match one of the redirect URIs of the app.',
    ),
  refuseCallback: (reason) =>
    reason === 'denied'
      ? {
          error: 'access_denied',
          error_description: 'The user chose not to give your app access to their Dropbox account.',
        }
      : { error: reason === 'response-type' ? 'unsupported_response_type' : 'invalid_request' },
}
