import { describe } from '@jest/globals'
import { describeCommits } from './destination-commits.ts'
import { describeFolders } from './destination-folders.ts'
import { describeReading } from './destination-reading.ts'
import type { StartDestination } from './destination-under-test.ts'
import { describeUploads } from './destination-uploads.ts'

/** Declares the suite of the `Destination` contract: one test for each of its sentences. */
export function describeDestination(name: string, start: StartDestination): void {
  describe(`destination contract: ${name}`, () => {
    describeFolders(start)
    describeUploads(start)
    describeCommits(start)
    describeReading(start)
  })
}
