import type { CatalogueFault, FaultAct } from './fault-catalogue.ts'

function refused(status: number, error: string, description: string, more: object = {}): FaultAct {
  return { kind: 'answer', status, body: { error, error_description: description, ...more } }
}

function aad(status: number, error: string, code: number, text: string, suberror?: string) {
  return refused(status, error, `AADSTS${code}: ${text}`, {
    error_codes: [code],
    ...(suberror === undefined ? {} : { suberror }),
  })
}

const box = { provider: 'box', routes: ['box.token'], transient: false } as const
const microsoft = { provider: 'microsoft', routes: ['microsoft.token'], transient: false } as const

/** Failures of the token endpoints of Box and Microsoft. */
export const signInFaults: readonly CatalogueFault[] = [
  {
    ...box,
    id: 'box.refresh_reused',
    act: refused(400, 'invalid_grant', 'Refresh token has expired'),
  },
  // The token is replaced, and nobody is told the new one.
  { ...box, id: 'box.refresh_lost', transient: true, act: { kind: 'lost' } },
  {
    ...microsoft,
    id: 'msgraph.invalid_grant',
    act: aad(
      400,
      'invalid_grant',
      700082,
      'The refresh token has expired due to inactivity.',
      'bad_token',
    ),
  },
  {
    ...microsoft,
    id: 'msgraph.interaction_required',
    act: aad(400, 'interaction_required', 50076, 'You must use multi-factor authentication.'),
  },
  {
    ...microsoft,
    id: 'msgraph.consent',
    act: aad(
      400,
      'invalid_grant',
      65001,
      'The user or administrator has not consented to use the application.',
      'consent_required',
    ),
  },
]

const any = { provider: 'net', routes: ['@token'], transient: false } as const

/**
 * What no provider is known to do, and what a client must withstand all the same: only by plan. The ones that begin
 * with `oidc.` make the next ID token of a token endpoint wrong, and `oauth.wrong_state`, `oauth.wrong_iss` and
 * `oauth.no_iss` the next callback of an authorization endpoint.
 */
export const hostileFaults: readonly CatalogueFault[] = [
  { ...any, id: 'oauth.500', act: refused(500, 'server_error', 'Internal error') },
  {
    ...any,
    id: 'oauth.429',
    act: {
      kind: 'answer',
      status: 429,
      headers: { 'retry-after': '1' },
      body: { error: 'rate_limit_exceeded', error_description: 'Too many requests' },
    },
  },
  { ...any, id: 'oauth.slow', act: { kind: 'slow', ms: 1500 } },
  {
    ...any,
    id: 'oauth.malformed_json',
    act: { kind: 'garbled', body: '{"access_token":"' },
  },
  ...[
    'oidc.wrong_issuer',
    'oidc.wrong_audience',
    'oidc.wrong_nonce',
    'oidc.wrong_subject',
    'oidc.expired',
    'oidc.foreign_key',
    'oauth.wrong_state',
    'oauth.wrong_iss',
    'oauth.no_iss',
  ].map((id): CatalogueFault => ({ ...any, id, act: { kind: 'inside' } })),
]
