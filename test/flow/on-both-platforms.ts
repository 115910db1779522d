import { describe } from '@jest/globals'
import { describeWithFirestore } from '../platform/firestore.ts'
import { startUnderTest } from '../waybill-under-test.ts'
import type { UnderTest, UnderTestOptions } from '../waybill-under-test.ts'

type Start = (options?: Omit<UnderTestOptions, 'firestore'>) => Promise<UnderTest>

/** Declares the same tests on one machine and in Google Cloud; there they are skipped, by name, without an emulator. */
export function onBothPlatforms(name: string, declare: (start: Start) => void): void {
  describe(`${name}, on one machine`, () => {
    declare(startUnderTest)
  })
  describeWithFirestore(`${name}, in Google Cloud`, (firestore) =>
    declare(async (options = {}) => startUnderTest({ ...options, firestore })),
  )
}
