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
  { googleCloud, auditHost }: Pick<Settings, 'googleCloud' | 'auditHost'>,
  deps: Omit<RightsDeps, 'certify' | 'revokes'> & {
    readonly signer: Signer
    readonly endpoints: ReturnType<typeof endpointsOf>
  },
): Rights {
  const { store, signer, endpoints } = deps
  const copies =
    googleCloud === null
      ? ({ keys: 'inside', lingerMs: 0 } as const)
      : ({ keys: 'apart', lingerMs: HOUR_MS } as const)
  return createRights({
    ...deps,
    revokes: (provider) => endpoints[provider]?.revokeUrl !== null,
    certify: async (erasure) => certifyErasure({ store, signer, host: auditHost, copies }, erasure),
  })
}
