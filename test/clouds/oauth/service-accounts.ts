import { compactVerify, decodeJwt, exportPKCS8, generateKeyPair } from 'jose'
import { errors } from 'jose'
import type { CryptoKey, JWTPayload } from 'jose'
import type { Answer } from '../call.ts'
import { opaqueId } from '../random.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { oauthError, scopeList } from './provider.ts'
import type { FurtherGrant } from './token-route.ts'

/** A service account's key file, as Google's console hands it out. */
export interface ServiceAccountKey {
  readonly type: 'service_account'
  readonly client_email: string
  /** What an administrator enters for domain-wide delegation. */
  readonly client_id: string
  readonly private_key_id: string
  /** PKCS #8, PEM. */
  readonly private_key: string
}

/** Service accounts, and what administrators have allowed them. */
export interface ServiceAccounts {
  /** A new service account, or a new key for one that exists. */
  addServiceAccount(email: string): Promise<ServiceAccountKey>
  /** Domain-wide delegation: the client may act for everybody in the domain, with these scopes. Replaces what was said before. */
  delegate(domain: string, clientId: string, scopes: readonly string[]): void
}

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const wrongTimes =
  'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.'

/**
 * The JWT bearer grant, https://developers.google.com/identity/protocols/oauth2/service-account#httprest, with `sub`
 * where an administrator has delegated.
 */
export function createServiceAccounts(
  server: AuthorizationServer,
): ServiceAccounts & { readonly grant: FurtherGrant } {
  const accounts = new Map<string, { readonly clientId: string; readonly key: CryptoKey }>()
  const delegated = new Map<string, readonly string[]>()

  async function grant(form: URLSearchParams, tokenUrl: string): Promise<Answer> {
    const assertion = form.get('assertion') ?? ''
    const claims = decoded(assertion)
    if (claims === null) return oauthError(400, 'invalid_grant', 'Invalid JWT: could not be parsed')
    const account = accounts.get(claims.iss ?? '')
    if (account === undefined)
      return oauthError(400, 'invalid_grant', 'Invalid grant: account not found')
    if (!(await isSignedBy(assertion, account.key)))
      return oauthError(400, 'invalid_grant', 'Invalid JWT Signature.')
    const now = server.now() / 1000
    const { iat = Infinity, exp = Infinity } = claims
    // Clocks may differ by five minutes.
    if (iat > now + 300 || exp <= now - 300 || exp - iat > 3600)
      return oauthError(400, 'invalid_grant', wrongTimes)
    if (![tokenUrl, 'https://oauth2.googleapis.com/token'].includes(String(claims.aud)))
      return oauthError(400, 'invalid_grant', 'Invalid JWT: Failed audience check.')
    const asked = claims['scope']
    const scopes = scopeList(typeof asked === 'string' ? asked : null)
    if (scopes.length === 0)
      return oauthError(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
    const whose = personFor(claims, account.clientId, scopes)
    return typeof whose === 'string' ? issue(account.clientId, whose, scopes) : whose
  }

  /** The id of the account that the token will act for, or why there is none. */
  function personFor(
    { sub, iss }: JWTPayload,
    clientId: string,
    scopes: readonly string[],
  ): string | Answer {
    if (sub === undefined || sub === iss) return iss ?? ''
    const person = server.people.find(sub)
    if (person === undefined) return oauthError(400, 'invalid_grant', 'Invalid email or User ID')
    const may = delegated.get(`${person.organization ?? ''} ${clientId}`) ?? []
    if (!scopes.every((scope) => may.includes(scope)))
      return oauthError(
        401,
        'unauthorized_client',
        'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
      )
    return person.isSuspended === true ? server.provider.refuseToken('person-suspended') : person.id
  }

  function issue(clientId: string, personId: string, scopes: readonly string[]): Answer {
    const allowed = server.grants.grant(clientId, personId, scopes, false)
    const expires = server.now() + server.lifetimes.access * 1000
    const { token } = server.grants.addAccess({ grant: allowed, scopes, expires })
    server.issued++
    return {
      json: { access_token: token, expires_in: server.lifetimes.access, token_type: 'Bearer' },
    }
  }

  return {
    grant: (form, call) => grant(form, `${call.baseUrl}${server.provider.tokenPath}`),
    async addServiceAccount(email) {
      const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
      const digits = Buffer.from(opaqueId(email, 20)).readBigUInt64BE()
      const clientId = accounts.get(email)?.clientId ?? `1${digits}`
      accounts.set(email, { clientId, key: publicKey })
      return {
        type: 'service_account',
        client_email: email,
        client_id: clientId,
        private_key_id: opaqueId(`${email} ${accounts.size}`, 40),
        private_key: await exportPKCS8(privateKey),
      }
    },
    delegate: (domain, clientId, scopes) => void delegated.set(`${domain} ${clientId}`, scopes),
  }
}

function decoded(assertion: string): JWTPayload | null {
  try {
    return decodeJwt(assertion)
  } catch (error) {
    if (error instanceof errors.JWTInvalid) return null
    throw error
  }
}

async function isSignedBy(assertion: string, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(assertion, key, { algorithms: ['RS256'] })
    return true
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}
