import { describe, it } from '@jest/globals'
import { describeCommits } from './destination-commits.ts'
import { describeFolders } from './destination-folders.ts'
import { describeReading } from './destination-reading.ts'
import { openTop } from './destination-under-test.ts'
import type { ItDestination, StartDestination } from './destination-under-test.ts'
import { describeUploads } from './destination-uploads.ts'

/** Declares the suite of the `Destination` contract: one test for each of its sentences. */
export function describeDestination(name: string, start: StartDestination): void {
  describe(`destination contract: ${name}`, () => {
    const itDestination: ItDestination = (sentence, test) => {
      // oxlint-disable-next-line jest/expect-expect, jest/valid-title -- the suites below say both
      it(sentence, async () => {
        const cloud = await start()
        try {
          const { destination } = cloud
          const top = await openTop(destination)
          await test({
            cloud,
            destination,
            top,
            at: (own, parent = top) => ({ parent, name: own }),
          })
        } finally {
          await cloud.close()
        }
      })
    }
    describeFolders(itDestination)
    describeUploads(itDestination)
    describeCommits(itDestination)
    describeReading(itDestination)
  })
}
