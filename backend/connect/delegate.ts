import * as oauth from 'oauth4webapi'
import { WaybillError } from '../../shared/errors.ts'
import { clientOf, requestOptions, serverOf } from './oauth-server.ts'
import type { OAuthEndpoint } from './oauth-server.ts'
import { inTrouble, isInTrouble } from './refresh.ts'

/**
 * The service account to which administrators delegate their domains:
 * https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority
 */
export interface ServiceAccount {
  /** Its address. */
  readonly email: string
  /** What administrators enter in their console. */
  readonly clientId: string
  /** Signs the claims as a JWT with RS256, with a key of the account. Throws `unavailable`. */
  sign(claims: Readonly<Record<string, string | number>>): Promise<string>
}

/** What Waybill may do for the people of a domain, once it is delegated. */
export const delegatedScopes = {
  /** Whose account a token acts for. */
  identity: 'https://www.googleapis.com/auth/userinfo.email',
  /** Who is an administrator, and who an address belongs to. */
  directory: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
  /** To read what is to be copied. */
  drive: 'https://www.googleapis.com/auth/drive.readonly',
} as const

export type DelegatedAnswer =
  | { readonly kind: 'granted'; readonly accessToken: string; readonly expiresIn: number }
  /** The domain has not delegated to this client, or not one of the scopes. */
  | { readonly kind: 'not_delegated' }
  /** Nobody has this address, or they are suspended. */
  | { readonly kind: 'nobody' }

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
// Google takes an hour at most; the assertion is used at once.
const ASSERTION_S = 600
const SHORTEST_LIFE_S = 300

/**
 * Asks for a token that acts for somebody of a domain (RFC 7523 §2.1, with `sub`).
 *
 * @param whose their address
 * @param now milliseconds since 1970
 * @throws WaybillError `unavailable` when the token endpoint cannot be reached, and as `ServiceAccount.sign`
 */
export async function requestDelegated(
  endpoint: OAuthEndpoint,
  account: ServiceAccount,
  { whose, scopes }: { readonly whose: string; readonly scopes: readonly string[] },
  now: number,
  signal: AbortSignal,
): Promise<Response> {
  const iat = Math.floor(now / 1_000)
  const assertion = await account.sign({
    iss: account.email,
    sub: whose,
    scope: scopes.join(' '),
    aud: endpoint.url,
    iat,
    exp: iat + ASSERTION_S,
  })
  try {
    return await oauth.genericTokenEndpointRequest(
      serverOf(endpoint),
      clientOf(endpoint),
      // The assertion says who asks (RFC 7523 §3.1).
      () => undefined,
      jwtBearer,
      { assertion },
      requestOptions(endpoint, signal),
    )
  } catch (error) {
    throw new WaybillError('unavailable', 'The provider’s token endpoint cannot be reached.', {
      cause: error,
    })
  }
}

/**
 * Checks the answer.
 *
 * @throws WaybillError `unavailable` when the provider is in trouble, `settings_invalid` when it refuses the service
 *   account itself
 */
export async function processDelegated(
  endpoint: OAuthEndpoint,
  response: Response,
): Promise<DelegatedAnswer> {
  if (isInTrouble(response)) throw inTrouble()
  try {
    const answer = await oauth.processGenericTokenEndpointResponse(
      serverOf(endpoint),
      clientOf(endpoint),
      response,
    )
    const { access_token: accessToken, expires_in: expiresIn = SHORTEST_LIFE_S } = answer
    return { kind: 'granted', accessToken, expiresIn }
  } catch (error) {
    return refusedAs(error)
  }
}

/** Google says in words alone whether it does not know the person or the service account. */
const aboutUs = /account not found|invalid jwt/i

function refusedAs(error: unknown): DelegatedAnswer {
  if (!(error instanceof oauth.ResponseBodyError))
    throw new WaybillError('unavailable', 'The provider’s answer cannot be read.', { cause: error })
  const { error: code, error_description: words = '' } = error
  if (code === 'unauthorized_client' || code === 'access_denied') return { kind: 'not_delegated' }
  if (code === 'invalid_grant' && !aboutUs.test(words)) return { kind: 'nobody' }
  throw new WaybillError(
    'settings_invalid',
    'Google refuses the service account of this Waybill: check its key.',
    { cause: error },
  )
}
