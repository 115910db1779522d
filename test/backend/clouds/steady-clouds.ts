import type { Destination, Source } from '../../../backend/clouds/cloud.ts'
import { counted } from '../../../backend/clouds/counted.ts'
import { createPace } from '../../../backend/clouds/pace.ts'
import type { RetryOptions } from '../../../backend/clouds/retried.ts'
import { steadyDestination } from '../../../backend/clouds/steady-destination.ts'
import { steadySource } from '../../../backend/clouds/steady-source.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { seededRandom } from '../../clouds/random.ts'
import { createVirtualTime } from './virtual-time.ts'

const HOUR_MS = 3_600_000

function unused(): never {
  throw new Error('This method is not part of the test.')
}

export const idleSource: Source = {
  provider: 'google-drive',
  capabilities: { foldersPerListing: 1, hashes: [] },
  account: unused,
  ownDrive: unused,
  sharedDrives: unused,
  get: unused,
  list: unused,
  changesToken: unused,
  changes: unused,
  open: unused,
}

const idleDestination: Destination = {
  provider: 'dropbox',
  capabilities: {
    hashes: ['contentHash'],
    largestFile: 1,
    chunk: { align: 1, largest: 1 },
    needsSize: false,
    foldersPerCall: 1,
    commitsPerCall: 10,
    commitLanes: 1,
    stage: null,
    names: {
      forbidden: '/',
      forbiddenAtEnd: '',
      reserved: [],
      longest: 255,
      foldsCase: true,
      composes: true,
    },
    timeResolutionMs: null,
    keepsVersionsDays: null,
  },
  openFolder: unused,
  ensureFolders: unused,
  begin: unused,
  append: unused,
  commit: unused,
  find: unused,
  move: unused,
  open: unused,
  changesSince: unused,
  account: unused,
}

/** An error of a code, for a cloud to throw. */
export function failure(code: ErrorCode, retryAfterMs?: number): WaybillError {
  return new WaybillError(code, 'For the test.', retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** Gives one outcome after the other: throws errors, returns anything else. */
export function inTurn<T>(...outcomes: readonly (T | WaybillError)[]): () => Promise<T> {
  let at = 0
  return () => {
    const outcome = outcomes[at++]
    if (outcome === undefined) throw new Error('One call more than the test expects.')
    return outcome instanceof WaybillError ? Promise.reject(outcome) : Promise.resolve(outcome)
  }
}

/** Steady clouds in virtual time, over clouds of which each test brings the methods that it is about. */
export function steadied(options: Partial<RetryOptions> = {}) {
  const time = createVirtualTime()
  const random = seededRandom('steady')
  const pace = counted(createPace({ clock: time.clock, random, sleep: time.sleep }))
  const retry: RetryOptions = { pace: pace.cloud, random, sleep: time.sleep, ...options }
  return {
    time,
    pace,
    source: (parts: Partial<Source>) => {
      const { cloud, calls } = counted<Source>({ ...idleSource, ...parts })
      return { source: steadySource(cloud, retry), calls }
    },
    destination: (parts: Partial<Destination>) => {
      const { cloud, calls } = counted<Destination>({ ...idleDestination, ...parts })
      return { destination: steadyDestination(cloud, retry), calls }
    },
    /** How a call ends, after as much virtual time as it takes. */
    end: async <T>(call: Promise<T>): Promise<T | WaybillError> => {
      const ended = call.catch((error: unknown) => {
        if (error instanceof WaybillError) return error
        throw error
      })
      await time.runUntil(time.clock() + HOUR_MS)
      return ended
    },
  }
}
