import { afterAll, beforeAll, describe } from '@jest/globals'
import type { Firestore } from '@google-cloud/firestore'
import { randomBytes } from 'node:crypto'
import { openFirestore } from '../../backend/store/firestore-client.ts'
import { findEmulator, startEmulator } from './firestore-emulator.ts'
import type { RunningEmulator } from './firestore-emulator.ts'

const variable = 'FIRESTORE_EMULATOR_HOST'

/** Google's emulator, as one test file has it. */
export interface FirestoreUnderTest {
  /** Host and port, once the tests run. */
  host(): string
  /** A project that no other test file has. */
  readonly project: string
  /** A client of a database that is there, and empty, as soon as it is named; of `host`, or of what stands before it. */
  open(database: string, host?: string): Firestore
}

/**
 * Declares tests that need Firestore: on the emulator that `FIRESTORE_EMULATOR_HOST` names, else on one that is started
 * for them from the Google Cloud CLI and stopped after them. Where there is neither they are skipped, and say why.
 */
export function describeWithFirestore(
  name: string,
  declare: (firestore: FirestoreUnderTest) => void,
): void {
  const found = findEmulator(process.env)
  const title = found.kind === 'none' ? `${name} (${found.why})` : name
  let emulator: RunningEmulator | undefined
  const project = `waybill-test-${randomBytes(4).toString('hex')}`
  const host = (): string => {
    if (emulator === undefined) throw new Error('the emulator has not been started')
    return emulator.host
  }
  ;(found.kind === 'none' ? describe.skip : describe)(title, () => {
    beforeAll(async () => {
      if (found.kind !== 'none') emulator = await startEmulator(found)
    })
    afterAll(async () => emulator?.stop())
    declare({ host, project, open: (database, at = host()) => openAt(at, project, database) })
  })
}

// The client takes the host from the environment only, when it is made.
function openAt(host: string, project: string, database: string): Firestore {
  const before = process.env[variable]
  process.env[variable] = host
  try {
    return openFirestore({ project, database })
  } finally {
    if (before === undefined) delete process.env[variable]
    else process.env[variable] = before
  }
}
