import type { Store } from '../../../backend/store/store.ts'

/** Thrown out of every call of a process to its store from the moment at which it is killed. */
export class Killed extends Error {}

/**
 * @returns the store of a process that is killed before or after its nth call, and whether it was
 */
export function mortalStore(
  store: Store,
  dies: number,
  when: 'before' | 'after',
): { readonly store: Store; wasKilled(): boolean } {
  let calls = 0
  const step = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1
    const mine = calls
    if (mine > dies || (mine === dies && when === 'before')) throw new Killed()
    const done = await call()
    if (mine === dies) throw new Killed()
    return done
  }
  return {
    store: {
      ...store,
      get: async (...asked) => step(async () => store.get(...asked)),
      list: async (...asked) => step(async () => store.list(...asked)),
      transact: async (change) => step(async () => store.transact(change)),
    },
    wasKilled: () => calls >= dies,
  }
}
