import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOwners } from '../../../backend/records/owner.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import { rotateKeys } from '../../../backend/records/rotate-keys.ts'
import type { RotateCounts } from '../../../backend/records/rotate-keys.ts'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Store } from '../../../backend/store/store.ts'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'

/** A real store in a file, with the keys that seal what is in it, and a clock that stands still unless it is moved. */
export interface KeptRecords {
  readonly store: Store
  readonly owners: Owners
  now(): number
  pass(ms: number): void
  /** Another process on the same file, with caches of its own. */
  another(): { readonly store: Store; readonly owners: Owners }
  /** Replaces everybody's keys, in another process. */
  rotateKeys(sleep: (ms: number) => Promise<void>): Promise<RotateCounts>
  close(): void
}

export function keepRecords(): KeptRecords {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-records-'))
  const kek = {
    id: 'test',
    key: createSecretKey(randomBytes(32)),
    created: '',
    state: 'active' as const,
  }
  let time = 1_800_000_000_000
  const now = (): number => time
  const stores: Store[] = []
  const open = () => {
    const store = createSqliteStore(openStoreFile(join(folder, 'waybill.db')), { clock: now })
    stores.push(store)
    const wrapper = createWalletWrapper({ keks: [kek] }, randomBytes)
    const cache = createDekCache({ wrapper, random: randomBytes, now })
    return {
      store,
      wrapper,
      cache,
      owners: createOwners({ store, wrapper, cache, env: 'test', random: randomBytes, now }),
    }
  }
  return {
    ...open(),
    now,
    pass: (ms) => {
      time += ms
    },
    another: open,
    rotateKeys: async (sleep) => {
      const { store, wrapper, cache } = open()
      const deps = { store, wrapper, cache, env: 'test', random: randomBytes, now, sleep }
      return rotateKeys(deps, new AbortController().signal)
    },
    close: () => {
      for (const store of stores) store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
