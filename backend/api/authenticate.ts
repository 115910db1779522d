import type { Arrival } from '../connect/arriving.ts'
import { refusal, verifyIdToken, type IdTokenCheck, type IdTokenRules } from './id-token.ts'
import { userIdOf } from './user-id.ts'

/**
 * Who is asking: takes the values of the request's `Authorization` header and returns our own id for the person.
 * Throws `unauthenticated` for anything but one good token, `unavailable` if that cannot be told at the moment.
 */
export type Authenticate = (authorization: readonly string[] | undefined) => Promise<string>

/** `audiences` are OAuth client ids, which `aud` and `azp` may name. */
export interface TokenRules extends IdTokenRules {
  /** Workspace domains that `hd` must be one of; an empty list admits every account. */
  readonly hostedDomains: readonly string[]
}

/** Checks the ID tokens of people, which the sidebar sends. */
export function createAuthenticate(
  options: IdTokenCheck & {
    readonly rules: TokenRules
    /** Told of everybody whose token is good, before they are served. */
    readonly arrived?: (arrival: Arrival) => Promise<void>
  },
): Authenticate {
  const { rules, arrived } = options
  return async (authorization) => {
    const who = await verifyIdToken(authorization, rules, options)
    if (who.azp === undefined || !rules.audiences.includes(who.azp)) throw refusal()
    if (rules.hostedDomains.length > 0 && !rules.hostedDomains.includes(who.hd ?? ''))
      throw refusal()
    const user = userIdOf(who.iss, who.sub)
    await arrived?.({ user, sub: who.sub, domain: who.hd ?? null, address: who.email ?? null })
    return user
  }
}
