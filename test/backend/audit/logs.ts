import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createActs } from '../../../backend/audit/acts.ts'
import { createAuditLog } from '../../../backend/audit/read-log.ts'
import { sequence } from '../../../backend/audit/sequence.ts'
import { createOwners } from '../../../backend/records/owner.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import type { Store } from '../../../backend/store/store.ts'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import type { KeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import type { Signer } from '../../../backend/vault/signer.ts'
import { createWalletSigner } from '../../../backend/vault/wallet-signer.ts'

export const host = 'waybill.example'

/** @returns a signer with a key of its own. */
export function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519')
  return createWalletSigner({ signKeys: [{ id: 'one', key: privateKey, created: '' }] })
}

/** Wraps nothing: for tests of what comes after the keys. */
const openWrapper: KeyWrapper = {
  wrap: async (dek) => ({ kekId: 'none', wrapped: Uint8Array.from(dek) }),
  unwrap: async ({ wrapped }) => Uint8Array.from(wrapped),
}

/** @returns users' keys in a store, with a cache of their own. */
function ownersIn(store: Store, now: () => number): Owners {
  const cache = createDekCache({ wrapper: openWrapper, random: randomBytes, now })
  return createOwners({ store, wrapper: openWrapper, cache, env: 'test', random: randomBytes, now })
}

/** A clock that never shows the same time twice: acts of one millisecond are in no order. */
function everLater(): () => number {
  let last = 0
  return () => (last = Math.max(Date.now(), last + 1))
}

/** What acts, sequencers and readers do on one store. */
export function logsIn(
  store: Store,
  { now = everLater(), signer = newSigner() }: { now?: () => number; signer?: Signer } = {},
) {
  const owners = ownersIn(store, now)
  const acts = createActs({ store, owners, now, random: randomBytes })
  const log = createAuditLog({ store, owners })
  return {
    store,
    owners,
    acts,
    log,
    signer,
    /** Does something as a user. */
    act: async (user: string, job = 'job-1') =>
      acts.record(user, { act: 'job_paused', target: job, details: { job } }),
    sequence: async (through: { store?: Store; signer?: Signer } = {}) =>
      sequence({ store, signer, host, ...through }),
    exported: async (user: string): Promise<readonly string[]> => {
      const texts: string[] = []
      for await (const text of log.export(user)) texts.push(text)
      return texts
    },
  }
}

export type Logs = ReturnType<typeof logsIn>
