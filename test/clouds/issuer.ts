import { createCallLog } from './call-log.ts'
import type { CallLog } from './call-log.ts'
import { serve } from './http-server.ts'
import { createSigningKeys } from './oauth/signing-keys.ts'
import type { SigningKeys } from './oauth/signing-keys.ts'

/** What an ID token says. Every claim can be replaced, also by something wrong. */
interface IdTokenClaims {
  readonly sub: string
  readonly aud: string
  readonly email?: string
  /** The Workspace domain. */
  readonly hd?: string
  readonly emailVerified?: boolean
  /** Seconds from now, 3600 unless given; negative for a token that has expired. */
  readonly expiresIn?: number
  /** `https://accounts.google.com` unless given. */
  readonly iss?: string
  /** Signs with a key that the JWKS does not have. */
  readonly foreignKey?: boolean
  /** Further claims, which win over all others. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** A stand-in for Google's OpenID issuer. */
export interface Issuer {
  readonly url: string
  /** Where the public keys are, as a JWK set. */
  readonly jwksUrl: string
  readonly calls: CallLog
  readonly keys: SigningKeys
  /** Signs an ID token with RS256. */
  mintIdToken(claims: IdTokenClaims): Promise<string>
  /** From now on, tokens are signed with a new key; the JWK set has both. */
  rotate(): void
  close(): Promise<void>
}

/** What an issuer is started with. */
export interface IssuerOptions {
  readonly port?: number
  /** Milliseconds since 1970; the machine's clock unless given. */
  readonly now?: () => number
}

/** Starts the issuer: `/oauth2/v3/certs` and `/.well-known/openid-configuration`, as Google has them. */
export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  const { now = Date.now } = options
  const iss = 'https://accounts.google.com'
  const calls = createCallLog()
  const keys = createSigningKeys()

  const server = await serve({
    port: options.port ?? 0,
    calls,
    routes: [
      {
        name: 'google.certs',
        kind: 'read',
        method: 'GET',
        path: '/oauth2/v3/certs',
        handle: async () => ({
          headers: { 'cache-control': 'public, max-age=300' },
          json: { keys: await keys.publicKeys() },
        }),
      },
      {
        name: 'google.openid-configuration',
        kind: 'read',
        method: 'GET',
        path: '/.well-known/openid-configuration',
        handle: (call) => ({ json: { issuer: iss, jwks_uri: `${call.baseUrl}/oauth2/v3/certs` } }),
      },
    ],
  })

  return {
    url: server.url,
    jwksUrl: `${server.url}/oauth2/v3/certs`,
    calls,
    keys,
    mintIdToken(claims) {
      const seconds = Math.floor(now() / 1000)
      const payload = {
        iss: claims.iss ?? iss,
        sub: claims.sub,
        aud: claims.aud,
        azp: claims.aud,
        iat: seconds,
        exp: seconds + (claims.expiresIn ?? 3600),
        ...(claims.hd === undefined ? {} : { hd: claims.hd }),
        ...(claims.email === undefined
          ? {}
          : { email: claims.email, email_verified: claims.emailVerified ?? true }),
        ...claims.more,
      }
      return keys.sign(payload, claims.foreignKey)
    },
    rotate: () => keys.rotate(),
    close: () => server.close(),
  }
}
