import { describe, it } from '@jest/globals'
import { describeDownloads } from './source-downloads.ts'
import { describeItems } from './source-items.ts'
import { describeListings } from './source-listings.ts'
import type { ItSource, StartSource } from './source-under-test.ts'

/** Declares the suite of the `Source` contract: one test for each of its sentences. */
export function describeSource(name: string, start: StartSource): void {
  describe(`source contract: ${name}`, () => {
    const itSource: ItSource = (sentence, test) => {
      // oxlint-disable-next-line jest/expect-expect, jest/valid-title -- the suites below say both
      it(sentence, async () => {
        const cloud = await start()
        try {
          await test({ cloud, source: cloud.source })
        } finally {
          await cloud.close()
        }
      })
    }
    describeItems(itSource)
    describeListings(itSource)
    describeDownloads(itSource)
  })
}
