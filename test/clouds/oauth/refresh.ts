import type { AuthorizationServer } from './authorization-server.ts'
import type { RefreshToken } from './grants.ts'
import type { TokenRefusal } from './provider.ts'

/**
 * Uses a refresh token in the provider's way.
 *
 * @returns the token that is good from now on, which may be the same one, or why it is refused
 */
export function useRefreshToken(
  server: AuthorizationServer,
  old: RefreshToken,
): RefreshToken | TokenRefusal {
  const { provider, grants, lifetimes } = server
  const expires = server.now() + lifetimes.refresh * 1000
  const next = (): RefreshToken =>
    grants.addRefresh(
      { grant: old.grant, scopes: old.scopes, code: old.code, expires },
      old.withoutSecret,
    )

  if (old.revoked) return 'refresh-revoked'
  if (old.expires <= server.now()) return 'refresh-expired'
  if (server.people.byId(old.grant.personId)?.isSuspended === true) return 'person-suspended'
  const { successor } = old
  if (successor !== null) {
    const isLost = server.replacing.oldToken !== 'dead' && !successor.touched
    if (!isLost) {
      if (server.replacing.reuse === 'ends-the-grant') grants.end(old.grant)
      return 'refresh-used'
    }
    // The answer with the successor got lost: it is replaced in turn.
    successor.revoked = true
  }
  old.touched = true
  if (provider.refreshing === 'kept') {
    if (provider.lifeStartsAgain) old.expires = expires
    return old
  }
  const added = next()
  if (provider.refreshing === 'replaced') old.successor = added
  return added
}
