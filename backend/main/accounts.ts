import { accountProviders } from '../../shared/account.ts'
import type { DriveTier } from '../../shared/account.ts'
import type { Attempt } from '../api/pages/failure-pages.ts'
import type { Settings } from '../config.ts'
import type { AddingDeps } from '../connect/add-connection.ts'
import { createConnecting } from '../connect/connecting.ts'
import { createConnectionViews } from '../connect/connections-view.ts'
import { createDisconnecting } from '../connect/disconnect.ts'
import { createPicking } from '../connect/picking.ts'
import { createSigningIn } from '../connect/signing-in.ts'
import type { Tokens } from '../connect/tokens.ts'
import type { Owners } from '../records/owner.ts'
import { createPicks } from '../records/picks.ts'
import { createRevocations } from '../records/revocations.ts'
import { createSessions } from '../records/sessions.ts'
import type { Store } from '../store/store.ts'
import type { endpointsOf } from './endpoints.ts'

export type Accounts = ReturnType<typeof createAccounts>

/**
 * What people do with their accounts, from everywhere they can.
 *
 * @param port where this process listens, once it does
 */
export function createAccounts(
  settings: Settings,
  deps: Omit<AddingDeps, 'endpoints'> & {
    readonly endpoints: ReturnType<typeof endpointsOf>
    readonly store: Store
    readonly owners: Owners
    readonly tokens: Tokens
    readonly port: () => number
  },
) {
  const { store, owners, connections, endpoints, acts, now } = deps
  const revocations = createRevocations(store, owners, now)
  const publicUrl = (): string => settings.publicUrl ?? `http://localhost:${deps.port()}`
  const isWholeAllowed = settings.wholeDrive
  const tiers: readonly DriveTier[] = isWholeAllowed ? ['picked', 'whole'] : ['picked']
  const { operator, picker } = settings.pages
  return {
    publicUrl,
    connections: createConnectionViews(connections),
    connecting: createConnecting({ ...deps, revocations, publicUrl, isWholeAllowed }),
    disconnecting: createDisconnecting({ connections, revocations, acts, endpoints, now }),
    signingIn: createSigningIn({ ...deps, endpoint: endpoints['google-drive'], publicUrl }),
    sessions: createSessions({ ...deps, leaf: async (user, act) => acts.leaf(user, act) }),
    picking: createPicking({ ...deps, picks: createPicks(deps), picker, publicUrl }),
    /** What the pages offer to connect. */
    offers: accountProviders
      .filter((provider) => endpoints[provider] !== null)
      .flatMap((provider): readonly Attempt[] =>
        provider === 'google-drive'
          ? tiers.map((tier) => ({ provider, tier }))
          : [{ provider, tier: null }],
      ),
    operator,
  }
}
