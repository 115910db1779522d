import type { Answer, Call, Route } from '../call.ts'
import { checkBearer } from './authorization-server.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { guidOf, privateTenant } from './microsoft.ts'
import type { Person } from './people.ts'

/** Microsoft's keys and discovery, and whose account a token is for. There is no revocation endpoint. */
export function graphRoutes(server: AuthorizationServer): readonly Route[] {
  return [
    {
      name: 'microsoft.keys',
      kind: 'token',
      method: 'GET',
      path: '/{tenant}/discovery/v2.0/keys',
      handle: async () => ({
        headers: { 'cache-control': 'max-age=86400, private' },
        json: { keys: await server.keys.publicKeys() },
      }),
    },
    {
      name: 'microsoft.openid-configuration',
      kind: 'token',
      method: 'GET',
      path: '/{tenant}/v2.0/.well-known/openid-configuration',
      handle: ({ baseUrl, params }) => ({ json: discovery(baseUrl, params['tenant'] ?? 'common') }),
    },
    {
      name: 'graph.me',
      kind: 'read',
      method: 'GET',
      path: '/v1.0/me',
      handle: (call) =>
        forPerson(server, call, 'User.Read', (person) => ({
          '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users/$entity',
          id: person.id,
          displayName: person.name,
          mail: person.email,
          userPrincipalName: person.email,
        })),
    },
    {
      name: 'graph.me.drive',
      kind: 'read',
      method: 'GET',
      path: '/v1.0/me/drive',
      handle: (call) =>
        forPerson(server, call, 'Files.', (person) => ({
          '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#drives/$entity',
          id: `b!${guidOf(`drive ${person.id}`).replaceAll('-', '')}`,
          driveType: person.organization === undefined ? 'personal' : 'business',
          owner: { user: { id: person.id, displayName: person.name, email: person.email } },
        })),
    },
  ]
}

function forPerson(
  server: AuthorizationServer,
  { headers }: Call,
  scope: string,
  answer: (person: Person) => object,
): Answer {
  const check = checkBearer(server, headers.authorization)
  if (check.state !== 'valid') {
    const message =
      check.state === 'expired'
        ? 'Lifetime validation failed, the token is expired.'
        : 'IDX14100: JWT is not well formed.'
    return {
      ...graphError(401, 'InvalidAuthenticationToken', message),
      headers: {
        'www-authenticate':
          'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
      },
    }
  }
  if (!check.scopes.some((each) => each.startsWith(scope)))
    return graphError(403, 'accessDenied', 'Insufficient privileges to complete the operation.')
  const person = server.people.byId(check.accountId)
  return person === undefined
    ? graphError(404, 'Request_ResourceNotFound', 'The resource does not exist.')
    : { json: answer(person) }
}

/** https://learn.microsoft.com/graph/errors */
function graphError(status: number, code: string, message: string): Answer {
  return { status, json: { error: { code, message, innerError: { 'request-id': guidOf(code) } } } }
}

function discovery(baseUrl: string, tenant: string): object {
  // The real document has this very placeholder for the tenants that stand for several.
  const ids = { common: '{tenantid}', organizations: '{tenantid}', consumers: privateTenant }
  const id = new Map(Object.entries(ids)).get(tenant) ?? tenant
  return {
    issuer: `https://login.microsoftonline.com/${id}/v2.0`,
    authorization_endpoint: `${baseUrl}/${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${baseUrl}/${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${baseUrl}/${tenant}/discovery/v2.0/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
  }
}
