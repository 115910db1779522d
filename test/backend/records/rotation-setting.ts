import { expect } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Query, Store } from '../../../backend/store/store.ts'
import { keepSecrets, plant, readBack } from './kept-secrets.ts'
import type { KeptSecrets, Size } from './kept-secrets.ts'

export interface Clock {
  time: number
}

/** A store that is opened for one test. */
export interface OpenedStore {
  readonly store: Store
  readonly close: () => void
}

/** Users with something of every kind, whose keys are to be replaced. */
export interface RotationSetting {
  readonly store: Store
  readonly secrets: KeptSecrets
  readonly clock: Clock
  plantAll(users: readonly string[], size?: Size): Promise<void>
  readAll(users: readonly string[], size?: Size): Promise<void>
  /** Fails unless nothing is under any DEK but those that these users seal with; returns their ids. */
  expectNothingLeft(users: readonly string[]): Promise<readonly string[]>
  close(): void
}

export function createSetting(open: (clock: Clock) => OpenedStore = openFile): RotationSetting {
  const clock = { time: 1_800_000_000_000 }
  const { store, close } = open(clock)
  const secrets = keepSecrets(store, clock)
  return {
    store,
    secrets,
    clock,
    plantAll: async (users, size = {}) => {
      const { owners } = secrets.another()
      for (const user of users) await plant(store, owners, user, { now: clock.time, ...size })
      clock.time += 1_000
    },
    readAll: async (users, size = {}) => {
      const { owners } = secrets.another()
      for (const user of users) await readBack(store, owners, user, size)
    },
    expectNothingLeft: async (users) => {
      const { current, other } = await secrets.deksKept()
      expect(other).toEqual([])
      expect(current).toHaveLength(users.length)
      expect([...(await secrets.deksInUse())].toSorted()).toEqual(current.toSorted())
      expect(await store.get('keys', 'rotation')).toBeNull()
      return current
    },
    close,
  }
}

/** A store whose lists are heard. */
export function listened(
  store: Store,
  heard: (when: 'before' | 'after', query: Query) => void,
): Store {
  return {
    ...store,
    list: async (query) => {
      heard('before', query)
      const found = await store.list(query)
      heard('after', query)
      return found
    },
  }
}

function openFile(clock: Clock): OpenedStore {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-rotate-'))
  const store = createSqliteStore(openStoreFile(join(folder, 'waybill.db')), {
    clock: () => clock.time,
  })
  const close = (): void => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { store, close }
}
