import { describe, expect, it } from '@jest/globals'
import { readAhead } from '../../../backend/plan/read-ahead.ts'
import type { Listing, Page, Source } from '../../../backend/clouds/cloud.ts'
import { WaybillError } from '../../../shared/errors.ts'

const one: Listing = { kind: 'children', of: ['one'] }
const other: Listing = { kind: 'children', of: ['other'] }

/** A source whose listings have three pages, each with the same cursors. */
async function within(
  act: (
    source: Pick<Source, 'list'>,
    asked: readonly string[],
    fail: (next: string) => void,
  ) => Promise<void>,
): Promise<void> {
  const asked: string[] = []
  let failing = ''
  const pageOf = (cursor: string | null): Page => ({
    items: [],
    cursor: cursor === null ? '1' : cursor === '1' ? '2' : null,
    complete: true,
  })
  const list: Source['list'] = async (what, cursor) => {
    const name = `${what.kind === 'children' ? what.of.join() : ''} ${cursor}`
    asked.push(name)
    if (name === failing) {
      failing = ''
      throw new WaybillError('unavailable', 'For the test.')
    }
    return pageOf(cursor)
  }
  await act({ list: readAhead(list) }, asked, (next) => (failing = next))
}

describe('a listing that is read ahead', () => {
  it('has its next page on its way while one is worked on, and asks for none twice', async () =>
    within(async (source, asked) => {
      const first = await source.list(one, null)
      expect(asked).toEqual(['one null', 'one 1'])
      const second = await source.list(one, first.cursor)
      expect(asked).toEqual(['one null', 'one 1', 'one 2'])
      expect((await source.list(one, second.cursor)).cursor).toBeNull()
      expect(asked).toHaveLength(3)
    }))

  it('is not taken for another one with the same cursors', async () =>
    within(async (source, asked) => {
      await source.list(one, null)
      await source.list(other, '1')
      expect(asked).toEqual(['one null', 'one 1', 'other 1', 'other 2'])
    }))

  it('fails where it is asked for, and is asked for anew', async () =>
    within(async (source, asked, fail) => {
      fail('one 1')
      await source.list(one, null)
      await new Promise((resolve) => setImmediate(resolve))
      await expect(source.list(one, '1')).rejects.toMatchObject({ code: 'unavailable' })
      expect((await source.list(one, '1')).cursor).toBe('2')
      expect(asked).toEqual(['one null', 'one 1', 'one 1', 'one 2'])
    }))
})
