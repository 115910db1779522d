import { expect } from '@jest/globals'
import { buffer } from 'node:stream/consumers'
import type { Body, Change, Listing, Page, Source } from '../../backend/clouds/cloud.ts'
import type { Item } from '../../shared/item.ts'

/** A source to be tested, and what its provider lets happen behind its back. */
export interface SourceUnderTest {
  readonly source: Source
  /** An item of the person's own, in a folder or at the top; returns its id. */
  addFile(name: string, bytes: Buffer, folder?: string): string
  addFolder(name: string, folder?: string): string
  /** A document without bytes, which can be exported. */
  addDocument(name: string): string
  /** A document that cannot be had in any form. */
  addUnexportable(name: string): string
  addShortcut(name: string, target: string): string
  /** A file of somebody else's, in no folder of the person's. */
  addShared(name: string, bytes: Buffer): string
  addSharedDrive(name: string): string
  rename(id: string, name: string): void
  move(id: string, folder: string): void
  write(id: string, bytes: Buffer): void
  trash(id: string): void
  remove(id: string): void
  forbidDownload(id: string): void
  /** Cursors and tokens handed out so far are refused from now on. */
  forgetCursors(): void
  /** The next listing says that it did not look everywhere. */
  makeIncomplete(): void
  /** How many items one page holds at most. */
  readonly pageSize: number
  /** The access token in use is refused from now on. Returns the tokens that were rejected since. */
  refuseToken(): () => readonly string[]
  setOffline(offline: boolean): void
  close(): Promise<void>
}

/** Starts a provider of its own for each test. */
export type StartSource = () => Promise<SourceUnderTest>

/** What each test gets: a provider of its own. */
export interface GivenSource {
  readonly cloud: SourceUnderTest
  readonly source: Source
}

/** Declares a test of a source. */
export type ItSource = (sentence: string, test: (given: GivenSource) => Promise<void>) => void

/** What a failure with this code looks like. */
export const failsWith = (code: string): unknown =>
  expect.objectContaining({ name: 'WaybillError', code })

/** The item of this id, which must be there. */
export async function itemOf(source: Source, id: string): Promise<Item> {
  const item = await source.get(id)
  if (item === null) throw new Error('the item should be there')
  return item
}

/** Every item of a listing, page by page. */
export async function listAll(source: Source, listing: Listing): Promise<readonly Item[]> {
  const items: Item[] = []
  let page: Page | null = null
  do {
    // oxlint-disable-next-line no-await-in-loop
    page = await source.list(listing, page?.cursor ?? null)
    items.push(...page.items)
  } while (page.cursor !== null)
  return items
}

/** The changes since a token, which must be one page, by id. */
export async function changesSince(
  source: Source,
  corpus: string,
  token: string,
): Promise<ReadonlyMap<string, Change['item']>> {
  const page = await source.changes(corpus, token)
  expect(page.more).toBe(false)
  return new Map(page.changes.map(({ id, item }) => [id, item]))
}

/** Their ids in order, to compare. */
export function idsOf(items: readonly Item[]): readonly string[] {
  return items.map(({ id }) => id).toSorted()
}

/** All bytes of a body. */
export function read(body: Body): Promise<Buffer> {
  return buffer(body.stream)
}
