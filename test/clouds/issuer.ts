import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { createCallLog } from './call-log.ts'
import type { CallLog } from './call-log.ts'
import { serve } from './http-server.ts'

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
  /** Signs an ID token with RS256. */
  mintIdToken(claims: IdTokenClaims): Promise<string>
  /** From now on, tokens are signed with a new key; the JWK set has both. */
  rotate(): Promise<void>
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
  const foreign = await createKey('foreign')
  const keys = [await createKey('key-1')]

  const server = await serve({
    port: options.port ?? 0,
    calls,
    routes: [
      {
        name: 'google.certs',
        kind: 'read',
        method: 'GET',
        path: '/oauth2/v3/certs',
        handle: () => ({
          headers: { 'cache-control': 'public, max-age=300' },
          json: { keys: keys.map((key) => key.publicJwk) },
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
    async mintIdToken(claims) {
      const key = claims.foreignKey === true ? foreign : (keys.at(-1) ?? foreign)
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
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'JWT' })
        .sign(key.privateKey)
    },
    async rotate() {
      keys.push(await createKey(`key-${keys.length + 1}`))
    },
    close: () => server.close(),
  }
}

async function createKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  return {
    kid,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
  }
}
