import { describe } from '@jest/globals'
import { describeDownloads } from './source-downloads.ts'
import { describeItems } from './source-items.ts'
import { describeListings } from './source-listings.ts'
import type { StartSource } from './source-under-test.ts'

/** Declares the suite of the `Source` contract: one test for each of its sentences. */
export function describeSource(name: string, start: StartSource): void {
  describe(`source contract: ${name}`, () => {
    describeItems(start)
    describeListings(start)
    describeDownloads(start)
  })
}
