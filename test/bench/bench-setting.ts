import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobRequest, Selection } from '../../shared/job.ts'
import { forkClouds } from '../clouds/fork.ts'
import type { ForkedClouds, ForkOptions } from '../clouds/fork.ts'
import { startBackend } from './backend-process.ts'
import type { Backend } from './backend-process.ts'
import type { Watched } from './backend-worker.ts'

/** Rounds of scrypt for wallets whose opening is not what is measured: 2^10 instead of 2^18. */
const quickWallet = 10

export interface SettingOptions extends ForkOptions {
  /** Base-2 logarithm of the wallet's rounds of scrypt; null for the real ones. */
  readonly workFactor?: number | null
  /** What the first backend's node is started with. */
  readonly flags?: readonly string[]
}

/** Simulated clouds in one process, and a backend in another. */
export interface Setting {
  readonly clouds: ForkedClouds
  /** The backend that runs now. */
  backend(): Backend
  /** Opens the wallet, connects both accounts and begins to work. */
  begin(): Promise<void>
  /** Kills the backend and starts the next one, whose wallet is not open yet. */
  replace(): Promise<void>
  /** Opens the next backend's wallet; it works on what the last one left. */
  goOn(): Promise<void>
  request(selection: Selection, folder?: string): JobRequest
  close(): Promise<void>
}

/** Starts both processes; the backend's wallet is not open yet. */
async function startSetting(options: SettingOptions = {}): Promise<Setting> {
  const { workFactor = quickWallet, flags = [] } = options
  const clouds = await forkClouds(options)
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
  let backend = await startBackend(clouds, folder, flags)
  let source = ''
  let destination = ''
  return {
    clouds,
    backend: () => backend,
    begin: async () => {
      const { control } = backend
      await control.open(workFactor)
      source = await control.connect('google-drive', clouds.drive.refreshToken)
      destination = await control.connect('dropbox', clouds.dropbox.refreshToken)
      await control.work()
    },
    replace: async () => {
      await backend.kill()
      backend = await startBackend(clouds, folder)
    },
    goOn: async () => {
      await backend.control.open(workFactor)
      await backend.control.work()
    },
    request: (selection, to = '/Backup') => ({
      kind: 'copy',
      source: { connection: source, selection },
      destination: { connection: destination, folder: to },
    }),
    close: async () => {
      await backend.control.close().catch(() => undefined)
      await backend.end()
      await clouds.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Gives `act` a setting and ends it afterwards, whatever comes of it.
 *
 * @returns what `act` returns
 */
export async function within<T>(
  options: SettingOptions,
  act: (setting: Setting) => Promise<T>,
): Promise<T> {
  const setting = await startSetting(options)
  try {
    return await act(setting)
  } finally {
    await setting.close()
  }
}

/** @returns the run if it is done with no item left behind; throws else: what it measures is then something else. */
export function complete(watched: Watched): Watched {
  const { state, reason, totals } = watched.job.run
  if (state !== 'done') throw new Error(`the run is ${state}: ${reason ?? 'no reason'}`)
  if (totals.failed + totals.skipped > 0)
    throw new Error(`the run left behind ${totals.failed + totals.skipped} items`)
  return watched
}
