import { createGate } from '../api/gate.ts'
import { createLockouts } from '../api/lockouts.ts'
import { createRates } from '../api/rates.ts'
import type { Acts } from '../audit/acts.ts'
import type { ProtectionSettings } from '../config/protection.ts'
import type { Log } from '../log.ts'
import { createApiKeys } from '../records/api-keys.ts'
import type { Connections } from '../records/connections.ts'
import type { Owners } from '../records/owner.ts'
import type { Sessions } from '../records/sessions.ts'
import { createSightings } from '../records/sightings.ts'
import { createAlarms } from '../run/alarms.ts'
import type { Freezing } from '../run/freezing.ts'
import { createGoogleEvents } from '../run/google-events.ts'
import { createWatch } from '../run/watch.ts'
import type { Store } from '../store/store.ts'

/** @returns what keeps strangers out and notices them: API keys, limits, alarms, and what Google reports. */
export function createProtection(
  { trustedProxies, countryHeader, alarm, limits }: ProtectionSettings,
  deps: {
    readonly store: Store
    readonly owners: Owners
    readonly acts: Acts
    readonly connections: Connections
    readonly sessions: Sessions
    readonly freezing: Freezing
    readonly log: Log
    readonly now: () => number
    readonly random: (bytes: number) => Uint8Array
  },
) {
  const { acts } = deps
  const alarms = createAlarms({ ...deps, response: alarm })
  const watch = createWatch({ sightings: createSightings(deps), alarms, now: deps.now })
  const apiKeys = createApiKeys({ ...deps, leaf: async (user, act) => acts.leaf(user, act) })
  return {
    apiKeys,
    gate: createGate({
      limits: limits ? { rates: createRates(), lockouts: createLockouts() } : null,
      watch,
      alarms,
      trustedProxies,
      countryHeader,
    }),
    googleEvents: createGoogleEvents({ ...deps, alarms, apiKeys }),
  }
}
