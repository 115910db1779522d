import type { Settings } from '../config.ts'
import { createLocalQueue } from '../dispatch/local-queue.ts'
import { holdStore, openStoreFile } from '../store/sqlite-file.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import { createWalletSigner } from '../vault/wallet-signer.ts'
import { createWalletWrapper } from '../vault/wallet-wrapper.ts'
import type { Wallet } from '../vault/wallet.ts'
import type { Platform, Report } from './platform.ts'

const TICK_MS = 15_000
/** Runs worked on at the same time in one process. */
const RUNS_AT_ONCE = 4

/**
 * Everything on one machine: store and queue in one SQLite file, the KEKs and the signing key in a wallet.
 *
 * @param wallet opened: its keys live in this process's memory only
 * @throws WaybillError `store_newer`, `not_a_store` and what else is wrong with the file
 */
export function openOneMachine(
  settings: Pick<Settings, 'store'>,
  wallet: Pick<Wallet, 'keks' | 'signKeys'>,
  {
    now,
    random,
    report,
  }: {
    readonly now: () => number
    readonly random: (bytes: number) => Uint8Array
    readonly report: Report
  },
): Platform {
  const db = openStoreFile(settings.store)
  const store = createSqliteStore(db, { clock: now })
  const queue = createLocalQueue(db, {
    clock: now,
    random: Math.random,
    onError: (error) => report('delivery_failed', error),
  })
  return {
    store,
    queue,
    wrapper: createWalletWrapper(wallet, random),
    signer: createWalletSigner(wallet),
    deliver: async (handle, tick) => {
      const hold = holdStore(settings.store)
      // Nobody else can be at work on this store: what is leased is leased to the dead.
      await tick(true)
      queue.start(handle, RUNS_AT_ONCE)
      const ticking = setInterval(() => {
        tick(false).catch((error: unknown) => report('tick_failed', error))
      }, TICK_MS)
      return async () => {
        clearInterval(ticking)
        await queue.stop()
        hold.release()
      }
    },
    close: async () => store.close(),
  }
}
