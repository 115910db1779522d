import type { Handler, Queue } from '../dispatch/queue.ts'
import type { Store } from '../store/store.ts'
import type { RotatingKeyWrapper } from '../vault/key-wrapper.ts'
import type { Signer } from '../vault/signer.ts'

/** What Waybill stands on. Nothing above it knows which one it is. */
export interface Platform {
  readonly store: Store
  readonly queue: Queue
  readonly wrapper: RotatingKeyWrapper
  /** Signs the heads of audit logs. */
  readonly signer: Signer
  /**
   * Begins to hand tasks to `handle` in this process. Null where the queue calls the runner over HTTP instead.
   *
   * @param tick what wakes runs that stopped; `alone` whether every lease is that of a dead worker
   * @returns what ends it: resolves when the tasks under way have ended. Throws `store_in_use` when another process
   *   works on this store.
   */
  readonly deliver:
    | ((
        handle: Handler,
        tick: (alone: boolean) => Promise<unknown>,
      ) => Promise<() => Promise<void>>)
    | null
  close(): Promise<void>
}

/** Says that something went wrong beside everything else. */
export type Report = (event: string, error: unknown) => void
