import { jwtVerify } from 'jose'
import { z } from 'zod'
import { hasCode, WaybillError } from '../../shared/errors.ts'
import type { TokenKeys } from './google-keys.ts'
import { parseStrictJson } from './strict-json.ts'
import { userIdOf } from './user-id.ts'

/**
 * Who is asking: takes the values of the request's `Authorization` header and returns our own id for the person.
 * Throws `unauthenticated` for anything but one good token, `unavailable` if that cannot be told at the moment.
 */
export type Authenticate = (authorization: readonly string[] | undefined) => Promise<string>

export interface TokenRules {
  /** The issuer's names, as they stand in `iss`. */
  readonly issuers: readonly string[]
  /** OAuth client ids that `aud` and `azp` may name. */
  readonly audiences: readonly string[]
  /** Workspace domains that `hd` must be one of; an empty list admits every account. */
  readonly hostedDomains: readonly string[]
}

const longest = 4_096
const skew = 60
const longestLife = 3_600

const header = z.looseObject({
  alg: z.literal('RS256'),
  kid: z.string().min(1).max(200),
  typ: z.literal('JWT').optional(),
})

// A token that brings its own key, or asks for rules that we do not know, is refused and not merely left unread.
const foreign = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'crit', 'b64', 'zip']

const claims = z
  .looseObject({
    iss: z.string(),
    sub: z.string().regex(/^[\x21-\x7e]{1,255}$/),
    aud: z.string(),
    azp: z.string(),
    exp: z.int(),
    iat: z.int(),
    nbf: z.int().optional(),
    email: z.string().optional(),
    email_verified: z.unknown().optional(),
    hd: z.string().optional(),
  })
  .refine((token) => token.exp > token.iat && token.exp - token.iat <= longestLife)
  .refine((token) => token.email === undefined || token.email_verified === true)

/**
 * Checks Google's ID tokens, which the sidebar sends as `Authorization: Bearer …` (OpenID Connect Core §3.1.3.7,
 * RFC 8725). What jose checks is checked by jose; before it stand one spelling per token, so that a token cannot be
 * varied, and after it the claims that a general library leaves alone.
 *
 * No part of a token is in what this throws, not even as a cause.
 *
 * @param options.clock milliseconds since 1970
 */
export function createAuthenticate(options: {
  readonly rules: TokenRules
  readonly keys: TokenKeys
  readonly clock: () => number
}): Authenticate {
  const { rules, keys, clock } = options

  return async (authorization) => {
    try {
      const token = bearer(authorization)
      const kid = checkShape(token)
      const now = clock()
      const { payload } = await jwtVerify(token, await keys.holding(kid), {
        algorithms: ['RS256'],
        issuer: [...rules.issuers],
        audience: [...rules.audiences],
        requiredClaims: ['sub', 'azp', 'exp', 'iat'],
        clockTolerance: skew,
        currentDate: new Date(now),
      })
      const who = claims.parse(payload)
      if (who.iat > now / 1_000 + skew) throw refusal()
      if (!rules.audiences.includes(who.azp)) throw refusal()
      if (rules.hostedDomains.length > 0 && !rules.hostedDomains.includes(who.hd ?? ''))
        throw refusal()
      return userIdOf(who.iss, who.sub)
    } catch (error) {
      if (hasCode(error, 'unavailable')) throw error
      throw refusal()
    }
  }
}

function refusal(): WaybillError {
  return new WaybillError('unauthenticated', 'Sign in again.')
}

function bearer(authorization: readonly string[] | undefined): string {
  const [value, ...more] = authorization ?? []
  if (value === undefined || more.length > 0 || value.length > 'Bearer '.length + longest)
    throw refusal()
  const token = /^Bearer ([A-Za-z0-9._-]+)$/i.exec(value)?.[1]
  if (token === undefined) throw refusal()
  return token
}

/** @returns the id of the key that the token says it is signed with. */
function checkShape(token: string): string {
  const segments = token.split('.')
  const [first, second, third] = segments.map(decode)
  if (segments.length !== 3 || first === undefined || second === undefined || !third?.length)
    throw refusal()
  const names = header.parse(parseStrictJson(first))
  if (foreign.some((name) => Object.hasOwn(names, name))) throw refusal()
  parseStrictJson(second)
  return names.kid
}

/** Base64url in its one canonical spelling (RFC 4648 §3.5): no padding, no stray bits at the end. */
function decode(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  if (bytes.toString('base64url') !== segment) throw refusal()
  return bytes
}
