import { createHash } from 'node:crypto'

/**
 * Our own id for a person. A provider's `sub` is never reused and never changes; an e-mail address does both.
 *
 * Google writes its issuer with and without `https://`; both are the same person.
 *
 * @param issuer the token's `iss`
 * @param sub the token's `sub`
 * @returns 22 characters of base64url: 132 bits of SHA-256
 */
export function userIdOf(issuer: string, sub: string): string {
  const canonical = issuer.includes('://') ? issuer : `https://${issuer}`
  return createHash('sha256')
    .update(`waybill-user-v1\0${canonical}\0${sub}`)
    .digest('base64url')
    .slice(0, 22)
}
