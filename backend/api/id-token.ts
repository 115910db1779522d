import { jwtVerify } from 'jose'
import { z } from 'zod'
import { hasCode, WaybillError } from '../../shared/errors.ts'
import type { TokenKeys } from './google-keys.ts'
import { parseStrictJson } from './strict-json.ts'

/** Whose tokens are taken, and for whom they must have been made. */
export interface IdTokenRules {
  /** The issuer's names, as they stand in `iss`. */
  readonly issuers: readonly string[]
  /** What `aud` may name. */
  readonly audiences: readonly string[]
}

/** What tokens are checked with. */
export interface IdTokenCheck {
  readonly keys: TokenKeys
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

const longest = 4_096
const skew = 60
const longestLife = 3_600

const header = z.looseObject({
  alg: z.literal('RS256'),
  kid: z.string().min(1).max(200),
  typ: z.string().optional(),
})

// A token that brings its own key, or asks for rules that we do not know, is refused and not merely left unread.
const foreign = ['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'crit', 'b64', 'zip']

const claims = z
  .looseObject({
    iss: z.string(),
    sub: z.string().regex(/^[\x21-\x7e]{1,255}$/),
    aud: z.string(),
    azp: z.string().optional(),
    exp: z.int(),
    iat: z.int(),
    nbf: z.int().optional(),
    email: z.string().optional(),
    email_verified: z.unknown().optional(),
    hd: z.string().optional(),
  })
  .refine((token) => token.exp > token.iat && token.exp - token.iat <= longestLife)
  .refine((token) => token.email === undefined || token.email_verified === true)

/** What a good token says. An address in it is verified. */
export type IdToken = z.output<typeof claims>

/**
 * Checks one of Google's ID tokens, sent as `Authorization: Bearer …` (OpenID Connect Core §3.1.3.7, RFC 8725). What
 * jose checks is checked by jose; before it stand one spelling per token, so that a token cannot be varied, and after it
 * the claims that a general library leaves alone. Who the token speaks for is for the caller to judge.
 *
 * No part of a token is in what this throws, not even as a cause.
 *
 * @param authorization the values of the request's `Authorization` header
 * @throws WaybillError `unauthenticated` for anything but one good token, `unavailable` if that cannot be told at the
 * moment
 */
export async function verifyIdToken(
  authorization: readonly string[] | undefined,
  rules: IdTokenRules,
  { keys, clock }: IdTokenCheck,
): Promise<IdToken> {
  try {
    const token = bearer(authorization)
    const kid = checkShape(token, ['JWT'])
    const now = clock()
    const { payload } = await jwtVerify(token, await keys.holding(kid), {
      algorithms: ['RS256'],
      issuer: [...rules.issuers],
      audience: [...rules.audiences],
      requiredClaims: ['sub', 'exp', 'iat'],
      clockTolerance: skew,
      currentDate: new Date(now),
    })
    const who = claims.parse(payload)
    if (who.iat > now / 1_000 + skew) throw refusal()
    return who
  } catch (error) {
    if (hasCode(error, 'unavailable')) throw error
    throw refusal()
  }
}

/** @returns what whoever brings no good token is told, whatever is wrong with it. */
export function refusal(): WaybillError {
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

/**
 * @param types what `typ` may say, if it says anything
 * @returns the id of the key that the token says it is signed with
 */
export function checkShape(token: string, types: readonly string[]): string {
  const segments = token.split('.')
  const [first, second, third] = segments.map(decode)
  if (segments.length !== 3 || first === undefined || second === undefined || !third?.length)
    throw refusal()
  const names = header.parse(parseStrictJson(first))
  if (names.typ !== undefined && !types.includes(names.typ)) throw refusal()
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
