import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import { WaybillError } from '../../shared/errors.ts'
import type { AccountProvider } from '../../shared/account.ts'

/** Where and as whom Waybill speaks to a provider's authorization server. */
export interface OAuthEndpoint {
  /**
   * The provider's issuer identifier; for a provider without one, the origin of its token endpoint. `{tenantid}` in it
   * stands for the tenant that an ID token names, as in Microsoft's own discovery document.
   */
  readonly issuer: string
  /** Of the token endpoint. */
  readonly url: string
  readonly authorizeUrl: string
  /** Null where tokens cannot be revoked one by one. */
  readonly revokeUrl: string | null
  /** Where the keys of ID tokens are; null for a provider without ID tokens. */
  readonly jwksUrl: string | null
  readonly clientId: string
  readonly clientSecret: string
}

/** Null for a provider at which this installation has no client. */
export type OAuthEndpoints = Readonly<Record<AccountProvider, OAuthEndpoint | null>>

/** @returns the provider's endpoint; throws `settings_invalid` where this installation has no client at it. */
export function endpointAt(endpoints: OAuthEndpoints, provider: AccountProvider): OAuthEndpoint {
  const endpoint = endpoints[provider]
  if (endpoint === null)
    throw new WaybillError(
      'settings_invalid',
      'Waybill is not set up for accounts at this provider.',
    )
  return endpoint
}

/** @returns the endpoint as the library wants it. */
export function serverOf(endpoint: OAuthEndpoint): oauth.AuthorizationServer {
  const { issuer, url, authorizeUrl, revokeUrl, jwksUrl } = endpoint
  return {
    issuer,
    token_endpoint: url,
    authorization_endpoint: authorizeUrl,
    ...(revokeUrl === null ? {} : { revocation_endpoint: revokeUrl }),
    ...(jwksUrl === null ? {} : { jwks_uri: jwksUrl }),
  }
}

export function clientOf({ clientId }: OAuthEndpoint): oauth.Client {
  return { client_id: clientId }
}

/** Settings allow plain http for loopback addresses only. */
export function requestOptions({ url }: OAuthEndpoint, signal: AbortSignal) {
  return { signal, [oauth.allowInsecureRequests]: new URL(url).protocol === 'http:' }
}

const tenant = z.string().regex(/^[0-9a-f-]{36}$/)

/**
 * @param response of the token endpoint, whose body is not read
 * @returns the server that the ID token in it has to be of. Where an issuer serves many tenants, the token's own `tid` is
 * put into its name (https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer); nothing else
 * of the token is believed before it is checked
 */
export async function serverFor(
  endpoint: OAuthEndpoint,
  response: Response,
): Promise<oauth.AuthorizationServer> {
  const server = serverOf(endpoint)
  if (!endpoint.issuer.includes('{tenantid}') || !response.ok) return server
  const tid = tenant.safeParse(payloadOf(await response.clone().text())['tid'])
  if (!tid.success) return server
  return { ...server, issuer: endpoint.issuer.replace('{tenantid}', tid.data) }
}

function payloadOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const { id_token: token } = z.object({ id_token: z.string() }).parse(JSON.parse(text))
    const [, payload = ''] = token.split('.')
    return z.looseObject({}).parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  } catch (error) {
    // Nothing that can be read: whoever checks the answer says what is wrong with it.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return {}
    throw error
  }
}

/**
 * @returns who a token answer says that its tokens are for, so that one answer can be compared with another: Google's
 * `sub`, Microsoft's tenant and `oid`, Dropbox's account; null if it does not say
 */
export function subjectIn(answer: oauth.TokenEndpointResponse): string | null {
  const claims = oauth.getValidatedIdTokenClaims(answer)
  if (claims !== undefined) {
    const { tid, oid, sub } = claims
    return typeof tid === 'string' && typeof oid === 'string' ? `${tid}/${oid}` : sub
  }
  const account = answer['account_id']
  return typeof account === 'string' ? account : null
}
