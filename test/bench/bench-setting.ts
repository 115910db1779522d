import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobRequest, Selection } from '../../shared/job.ts'
import { forkClouds } from '../clouds/fork.ts'
import type { ForkedClouds, ForkOptions } from '../clouds/fork.ts'
import { startIssuer } from '../clouds/issuer.ts'
import type { FirestoreUnderTest } from '../platform/firestore.ts'
import { startFirestoreProxy } from '../platform/firestore-proxy.ts'
import { startGoogleCloud } from '../platform/google-cloud.ts'
import type { GoogleCloud } from '../platform/google-cloud.ts'
import { startBackend } from './backend-process.ts'
import type { Backend, BackendOptions } from './backend-process.ts'
import type { Watched } from './backend-worker.ts'

/** Rounds of scrypt for wallets whose opening is not what is measured: 2^10 instead of 2^18. */
const quickWallet = 10

export interface SettingOptions extends ForkOptions {
  /** Base-2 logarithm of the wallet's rounds of scrypt; null for the real ones. */
  readonly workFactor?: number | null
  /** How long a killed worker keeps the next one waiting in Google Cloud; a minute unless told. */
  readonly leaseMs?: number
  /** What the first backend's node is started with. */
  readonly flags?: readonly string[]
  /** With it, the backend is in Google Cloud: this Firestore, and stand-ins for queue and keys. */
  readonly firestore?: Pick<FirestoreUnderTest, 'host' | 'project'>
}

/** Simulated clouds in one process, and a backend in another. */
export interface Setting {
  readonly clouds: ForkedClouds
  /** Null on one machine. */
  readonly googleCloud: GoogleCloud | null
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
  const { workFactor = quickWallet, leaseMs = null, flags = [], firestore } = options
  const clouds = await forkClouds(options)
  const cloud = firestore === undefined ? null : await cloudFor(firestore)
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bench-'))
  const startOne = async (own: Pick<BackendOptions, 'flags'> = {}): Promise<Backend> => {
    const variables = { ...cloud?.variables }
    if (firestore === undefined) return startBackend(clouds, folder, { ...own, variables })
    // A way to Firestore of its own: what it has locked when it is killed is not locked for a minute.
    const proxy = await startFirestoreProxy(firestore.host())
    variables['FIRESTORE_EMULATOR_HOST'] = proxy.host
    const started = await startBackend(clouds, folder, { ...own, variables })
    return {
      ...started,
      end: async () => {
        await started.end()
        await proxy.close()
      },
      kill: async () => {
        await started.kill()
        await proxy.close()
      },
    }
  }
  let backend = await startOne({ flags })
  let source = ''
  let destination = ''
  return {
    clouds,
    googleCloud: cloud,
    backend: () => backend,
    begin: async () => {
      const { control } = backend
      await control.open(workFactor, leaseMs)
      source = await control.connect('google-drive', clouds.drive.refreshToken)
      destination = await control.connect('dropbox', clouds.dropbox.refreshToken)
      await control.work()
    },
    replace: async () => {
      await backend.kill()
      backend = await startOne()
    },
    goOn: async () => {
      await backend.control.open(workFactor, leaseMs)
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
      await cloud?.close()
      await clouds.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Google Cloud around a backend in another process, whose people and queue sign in with one issuer. */
async function cloudFor(
  firestore: Pick<FirestoreUnderTest, 'host' | 'project'>,
): Promise<GoogleCloud> {
  const issuer = await startIssuer()
  const project = `${firestore.project}-${randomBytes(4).toString('hex')}`
  const cloud = await startGoogleCloud({ project, firestoreHost: firestore.host(), issuer })
  return {
    ...cloud,
    variables: { ...cloud.variables, GOOGLE_JWKS_URL: issuer.jwksUrl },
    close: async () => {
      await cloud.close()
      await issuer.close()
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
