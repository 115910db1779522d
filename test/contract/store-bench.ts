import type { Store } from '../../backend/store/store.ts'

/** An empty store with the means to test it. */
export interface StoreBench {
  readonly store: Store
  /** A second store on the same documents, as another process would have it. */
  another(): Promise<Store>
  /** A third, which nothing reaches that keeps these documents: the network is away, or the disk fails. */
  cutOff(): Promise<Store>
  /** Milliseconds since 1970, by the clock that both stores were given. */
  now(): number
  /** Moves that clock forward by so many milliseconds. */
  pass(ms: number): void
  close(): Promise<void>
}

/**
 * @param openStore opens another store on the same documents, with the clock given
 * @param openCutOff opens one that cannot reach them
 * @returns a bench of such stores
 */
export function storeBench(
  openStore: (clock: () => number) => Store,
  openCutOff: (clock: () => number) => Promise<Store>,
): StoreBench {
  let now = 1_700_000_000_000
  const stores: Store[] = []
  const openOne = (): Store => {
    const store = openStore(() => now)
    stores.push(store)
    return store
  }
  return {
    store: openOne(),
    another: async () => openOne(),
    cutOff: async () => openCutOff(() => now),
    now: () => now,
    pass: (ms) => {
      now += ms
    },
    close: async () => {
      for (const store of stores) store.close()
    },
  }
}
