import { certifyErasure } from '../audit/certify-erasure.ts'
import type { Settings } from '../config.ts'
import { createRights } from '../rights/rights.ts'
import type { Rights, RightsDeps } from '../rights/rights.ts'
import type { Signer } from '../vault/signer.ts'
import type { endpointsOf } from './endpoints.ts'

// Firestore shows versions of the last hour: https://cloud.google.com/firestore/docs/pitr
const HOUR_MS = 60 * 60_000

/** @returns people's rights, as far as they depend on what Waybill stands on. */
export function rightsOf(
  { googleCloud }: Pick<Settings, 'googleCloud'>,
  deps: Omit<RightsDeps, 'certify' | 'revokes'> & {
    readonly signer: Signer
    /** In front of the names of audit logs. */
    readonly host: () => string
    readonly endpoints: ReturnType<typeof endpointsOf>
  },
): Rights {
  const { store, signer, host, endpoints } = deps
  const copies =
    googleCloud === null
      ? ({ keys: 'inside', lingerMs: 0 } as const)
      : ({ keys: 'apart', lingerMs: HOUR_MS } as const)
  return createRights({
    ...deps,
    revokes: (provider) => endpoints[provider]?.revokeUrl !== null,
    certify: async (erasure) => certifyErasure({ store, signer, host: host(), copies }, erasure),
  })
}
