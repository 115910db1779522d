import type { Provider, TokenRefusal } from './provider.ts'
import { errorPage, oauthError, scopeList } from './provider.ts'

const day = 24 * 3600
const issuer = 'https://accounts.google.com'
const profile = 'https://www.googleapis.com/auth/userinfo.profile'
const email = 'https://www.googleapis.com/auth/userinfo.email'

const refusals: Readonly<Record<TokenRefusal, readonly [number, string, string]>> = {
  'client-unknown': [401, 'invalid_client', 'The OAuth client was not found.'],
  'secret-wrong': [401, 'invalid_client', 'The provided client secret is invalid.'],
  'secret-missing': [400, 'invalid_request', 'client_secret is missing.'],
  'client-twice': [400, 'invalid_request', 'Bad Request'],
  'grant-type': [400, 'unsupported_grant_type', 'Invalid grant_type'],
  'code-unknown': [400, 'invalid_grant', 'Malformed auth code.'],
  'code-used': [400, 'invalid_grant', 'Bad Request'],
  'code-expired': [400, 'invalid_grant', 'Bad Request'],
  'redirect-uri': [400, 'redirect_uri_mismatch', 'Bad Request'],
  'verifier-missing': [400, 'invalid_grant', 'Missing code verifier.'],
  'verifier-wrong': [400, 'invalid_grant', 'Invalid code verifier.'],
  'verifier-unasked': [400, 'invalid_grant', 'code_verifier or verifier is not needed.'],
  'refresh-unknown': [400, 'invalid_grant', 'Bad Request'],
  'refresh-revoked': [400, 'invalid_grant', 'Token has been expired or revoked.'],
  'refresh-expired': [400, 'invalid_grant', 'Token has been expired or revoked.'],
  'refresh-used': [400, 'invalid_grant', 'Token has been expired or revoked.'],
  'person-suspended': [400, 'invalid_grant', 'Account has been deleted'],
  'scope-not-granted': [400, 'invalid_scope', 'Bad Request'],
}

/** Google, https://developers.google.com/identity/protocols/oauth2/web-server and …/openid-connect/reference. */
export const google: Provider = {
  name: 'google',
  title: 'Google',
  authorizePath: '/o/oauth2/v2/auth',
  tokenPath: '/token',
  tokenType: 'Bearer',
  // A refresh token that is not used for six months is dead.
  lifetimes: { code: 600, access: 3599, refresh: 183 * day },
  refreshing: 'kept',
  lifeStartsAgain: true,
  oneGrant: true,
  mostRefreshTokens: 100,
  secretOptionalWithPkce: false,
  refreshTokenNeedsConsent: true,
  granular: true,
  readScopes: (scope) =>
    scopeList(scope).map((each) => {
      if (each === 'email') return email
      return each === 'profile' ? profile : each
    }),
  isNeeded: (scope) => [email, profile, 'openid'].includes(scope),
  isOffline: (query) => query.get('access_type') === 'offline',
  // A hint for the page alone: a visitor can take it out of the address, so clients check the ID token's `hd`.
  admits({ organization }, { query }) {
    const domain = query.get('hd')
    return (
      domain === null || (domain === '*' ? organization !== undefined : domain === organization)
    )
  },
  callback: ({ organization }, scopes, call) => ({
    scope: scopes.join(' '),
    authuser: '0',
    ...(organization === undefined ? {} : { hd: organization }),
    prompt: call.query.get('prompt') ?? 'none',
  }),
  callbackIssuer: issuer,
  answer: (_person, scopes) => ({ scope: scopes.join(' ') }),
  idToken: (person, grant, scopes) =>
    scopes.includes('openid')
      ? {
          iss: issuer,
          azp: grant.clientId,
          sub: person.id,
          ...(person.organization === undefined ? {} : { hd: person.organization }),
          ...(scopes.includes(email) ? { email: person.email, email_verified: true } : {}),
          ...(scopes.includes(profile) ? { name: person.name } : {}),
        }
      : null,
  refuseToken: (reason) => oauthError(...refusals[reason]),
  refusePage: (reason) =>
    reason === 'client-unknown'
      ? errorPage(401, 'Access blocked', 'Error 401: invalid_client')
      : errorPage(400, 'Access blocked', 'Error 400: redirect_uri_mismatch'),
  refuseCallback: (reason) => ({ error: callbackErrors[reason] }),
}

const callbackErrors = {
  'response-type': 'unsupported_response_type',
  'scope-missing': 'invalid_request',
  'challenge-method': 'invalid_request',
  denied: 'access_denied',
  'login-required': 'login_required',
  'consent-required': 'interaction_required',
} as const
