import { createHash } from 'node:crypto'
import type { Provider, TokenRefusal } from './provider.ts'
import { errorPage, scopeList } from './provider.ts'

const day = 24 * 3600
/** The tenant of all private accounts. */
export const privateTenant = '9188040d-6c67-4c5b-b112-36a304b66dad'

type Row = readonly [status: number, error: string, code: number, text: string, suberror?: string]

const refusals: Readonly<Record<TokenRefusal, Row>> = {
  'client-unknown': [
    400,
    'unauthorized_client',
    700016,
    'Application was not found in the directory.',
  ],
  'secret-wrong': [401, 'invalid_client', 7000215, 'Invalid client secret provided.'],
  'secret-missing': [
    401,
    'invalid_client',
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
  'client-twice': [400, 'invalid_request', 900144, 'The request is not valid.'],
  'grant-type': [
    400,
    'unsupported_grant_type',
    70003,
    'The app returned an unsupported grant type.',
  ],
  'code-unknown': [
    400,
    'invalid_grant',
    9002313,
    'Invalid request. Request is malformed or invalid.',
  ],
  'code-used': [
    400,
    'invalid_grant',
    54005,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code.',
  ],
  'code-expired': [400, 'invalid_grant', 70008, 'The provided authorization code has expired.'],
  'redirect-uri': [
    400,
    'invalid_client',
    50011,
    'The redirect URI specified in the request does not match.',
  ],
  'verifier-missing': [
    400,
    'invalid_grant',
    501481,
    'The Code_Verifier does not match the code_challenge.',
  ],
  'verifier-wrong': [
    400,
    'invalid_grant',
    501481,
    'The Code_Verifier does not match the code_challenge.',
  ],
  'verifier-unasked': [
    400,
    'invalid_grant',
    501481,
    'The Code_Verifier does not match the code_challenge.',
  ],
  'refresh-unknown': [
    400,
    'invalid_grant',
    9002313,
    'Invalid request. Request is malformed or invalid.',
  ],
  'refresh-revoked': [
    400,
    'invalid_grant',
    50173,
    'The provided grant has been revoked.',
    'bad_token',
  ],
  'refresh-expired': [
    400,
    'invalid_grant',
    700082,
    'The refresh token has expired due to inactivity.',
    'bad_token',
  ],
  'refresh-used': [
    400,
    'invalid_grant',
    50173,
    'The provided grant has been revoked.',
    'bad_token',
  ],
  'person-suspended': [400, 'invalid_grant', 50057, 'The user account is disabled.'],
  'scope-not-granted': [
    400,
    'invalid_grant',
    65001,
    'The user or administrator has not consented to use the application.',
    'consent_required',
  ],
}

const callbacks = {
  'response-type': ['unsupported_response_type', 'AADSTS700054: response_type is not enabled.'],
  'scope-missing': ['invalid_request', "AADSTS900144: The request must contain 'scope'."],
  'challenge-method': [
    'invalid_request',
    'AADSTS501491: Invalid size of Code_Challenge parameter.',
  ],
  denied: ['access_denied', 'AADSTS65004: User declined to consent to access the app.'],
  'login-required': ['login_required', 'AADSTS50058: The user is not signed in.'],
  'consent-required': ['interaction_required', 'AADSTS65001: The user has not consented.'],
} as const

/** Sign-in scopes, which are of no use at Graph. `offline_access` is not repeated in answers. */
const ownScopes = ['openid', 'profile', 'email', 'offline_access']

/** Microsoft, https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow. */
export const microsoft: Provider = {
  name: 'microsoft',
  title: 'Microsoft',
  authorizePath: '/{tenant}/oauth2/v2.0/authorize',
  tokenPath: '/{tenant}/oauth2/v2.0/token',
  tokenType: 'Bearer',
  // Between 60 and 90 minutes, chosen by the provider.
  lifetimes: { code: 600, access: 4711, refresh: 90 * day },
  refreshing: 'added',
  lifeStartsAgain: false,
  oneGrant: false,
  mostRefreshTokens: Infinity,
  secretOptionalWithPkce: false,
  refreshTokenNeedsConsent: false,
  granular: false,
  readScopes: (scope) =>
    scopeList(scope).map((each) => each.replace(/^https:\/\/graph\.microsoft\.com\//, '')),
  isNeeded: (scope) => ownScopes.includes(scope),
  isOffline: (_query, scopes) => scopes.includes('offline_access'),
  admits({ organization }, { params }) {
    const tenant = params['tenant'] ?? 'common'
    if (tenant === 'common') return true
    if (tenant === 'organizations') return organization !== undefined
    if (tenant === 'consumers' || tenant === privateTenant) return organization === undefined
    return tenant === organization
  },
  callback: (person) => ({ session_state: guidOf(`session ${person.id}`) }),
  // https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc: no RFC 9207.
  callbackIssuer: null,
  answer: (_person, scopes) => ({
    scope: scopes.filter((scope) => scope !== 'offline_access').join(' '),
    ext_expires_in: 4711,
  }),
  idToken(person, grant, scopes) {
    if (!scopes.includes('openid')) return null
    const tenant = person.organization ?? privateTenant
    return {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      // Another one for each client: only `oid` with `tid` is the same everywhere.
      sub: createHash('sha256').update(`${person.id} ${grant.clientId}`).digest('base64url'),
      oid: person.id,
      tid: tenant,
      ver: '2.0',
      ...(scopes.includes('profile')
        ? { name: person.name, preferred_username: person.email }
        : {}),
      ...(scopes.includes('email') ? { email: person.email } : {}),
    }
  },
  refuseToken(reason) {
    const [status, error, code, text, suberror] = refusals[reason]
    return { status, json: aadError(error, code, text, suberror) }
  },
  refusePage: (reason) =>
    errorPage(
      400,
      'Sorry, but we’re having trouble signing you in.',
      reason === 'client-unknown'
        ? 'AADSTS700016: Application was not found in the directory.'
        : 'AADSTS50011: The redirect URI specified in the request does not match.',
    ),
  refuseCallback(reason) {
    const [error, description] = callbacks[reason]
    return { error, error_description: description }
  },
}

/** Microsoft's error document of the token endpoint. */
function aadError(error: string, code: number, text: string, suberror?: string): object {
  const trace = guidOf(`${error} ${code}`)
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${trace} Correlation ID: ${trace}`,
    error_codes: [code],
    trace_id: trace,
    correlation_id: trace,
    ...(suberror === undefined ? {} : { suberror }),
  }
}

/** An id in the form of a GUID that depends only on `text`. */
export function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}
