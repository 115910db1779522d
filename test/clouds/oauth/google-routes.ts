import type { Answer, Call, Route } from '../call.ts'
import { bearerOf } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { oauthError } from './provider.ts'

/** What Google has beside the endpoints for authorization and tokens: revocation, keys, discovery, userinfo. */
export function googleRoutes(server: AuthorizationServer): readonly Route[] {
  return [
    {
      name: 'google.revoke',
      kind: 'token',
      method: 'POST',
      path: '/revoke',
      handle: (call) => revoke(server, call),
    },
    {
      name: 'google.certs',
      kind: 'token',
      method: 'GET',
      path: '/oauth2/v3/certs',
      handle: async () => ({
        headers: { 'cache-control': 'public, max-age=300' },
        json: { keys: await server.keys.publicKeys() },
      }),
    },
    {
      name: 'google.openid-configuration',
      kind: 'token',
      method: 'GET',
      path: '/.well-known/openid-configuration',
      handle: ({ baseUrl }) => ({ json: discovery(baseUrl) }),
    },
    {
      name: 'google.userinfo',
      kind: 'token',
      method: 'GET',
      path: '/oauth2/v3/userinfo',
      handle: (call) => userInfo(server, call),
    },
  ]
}

/** Either token ends the whole grant, https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke. */
async function revoke(server: AuthorizationServer, call: Call): Promise<Answer> {
  const form = new URLSearchParams((await call.body(65_536)).toString())
  const token = form.get('token') ?? call.query.get('token') ?? ''
  const found = server.grants.refresh(token) ?? server.grants.access(token)
  if (found === undefined || found.revoked)
    return oauthError(400, 'invalid_token', 'Token expired or revoked')
  server.grants.end(found.grant)
  return { json: {} }
}

function userInfo(server: AuthorizationServer, call: Call): Answer {
  const found = bearerOf(server, call.headers.authorization)
  if (found === null)
    return {
      ...oauthError(401, 'invalid_request', 'Invalid Credentials'),
      headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' },
    }
  const { person, scopes } = found
  const may = (scope: string): boolean =>
    scopes.includes(`https://www.googleapis.com/auth/userinfo.${scope}`)
  return {
    json: {
      sub: person.id,
      ...(may('profile') ? { name: person.name } : {}),
      ...(may('email') ? { email: person.email, email_verified: true } : {}),
      ...(may('email') && person.organization !== undefined ? { hd: person.organization } : {}),
    },
  }
}

function discovery(baseUrl: string): object {
  return {
    issuer: 'https://accounts.google.com',
    authorization_endpoint: `${baseUrl}/o/oauth2/v2/auth`,
    token_endpoint: `${baseUrl}/token`,
    userinfo_endpoint: `${baseUrl}/oauth2/v3/userinfo`,
    revocation_endpoint: `${baseUrl}/revoke`,
    jwks_uri: `${baseUrl}/oauth2/v3/certs`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
}
