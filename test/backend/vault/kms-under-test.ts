import { createKmsWrapper } from '../../../backend/vault/kms-wrapper.ts'
import type { KmsWrapperOptions } from '../../../backend/vault/kms-wrapper.ts'
import type { RotatingKeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { startKms } from '../../platform/kms.ts'
import type { StartedKms } from '../../platform/kms.ts'

const ring = 'projects/p/locations/europe-west1/keyRings/waybill'
/** The name of the key. */
export const key = `${ring}/cryptoKeys/keks`

/** A stand-in with one key, and a clock that stands still unless it is moved. */
export interface KmsUnderTest extends StartedKms {
  /** @returns the name of a version of the key. */
  version(n: number): string
  /** @returns a wrapper over the key, with a client of its own unless told. */
  wrapper(options?: Partial<KmsWrapperOptions>): RotatingKeyWrapper
  /** Makes a version and has it wrap from now on; returns its name. */
  rotate(): string
  pass(ms: number): void
}

export async function startKmsUnderTest(): Promise<KmsUnderTest> {
  let time = 0
  const now = (): number => time
  const kms = await startKms({ now })
  kms.keys.createRing(ring)
  kms.keys.createKey(ring, 'keks')
  return {
    ...kms,
    version: (n) => `${key}/cryptoKeyVersions/${n}`,
    wrapper: (options = {}) => {
      const client = kms.client()
      return createKmsWrapper({ key, open: () => client, now, ...options })
    },
    rotate: () => {
      const { name } = kms.keys.createVersion(key)
      kms.keys.setPrimary(key, name.split('/').at(-1) ?? '')
      return name
    },
    pass: (ms) => {
      time += ms
    },
  }
}

/** @returns what an attempt failed with; throws if it did not, or with anything but a WaybillError. */
export async function failureOf(attempt: Promise<unknown>): Promise<WaybillError> {
  const outcome: unknown = await attempt.then(
    () => 'no failure',
    (error: unknown) => error,
  )
  if (outcome instanceof WaybillError) return outcome
  throw new Error('It did not fail as it should', { cause: outcome })
}
