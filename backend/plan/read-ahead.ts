import type { Listing, Page, Source } from '../clouds/cloud.ts'

/**
 * @returns a way to list that asks for the next page as soon as one is there: it is on its way while that one is worked
 *   on. Who does not go on has asked for one page in vain.
 */
export function readAhead(list: Source['list']): Source['list'] {
  let ahead: {
    readonly what: Listing
    readonly cursor: string
    readonly page: Promise<Page>
  } | null = null
  return async (what, cursor) => {
    // Cursors mean something within their own listing only.
    const asked = ahead?.what === what && ahead.cursor === cursor ? ahead.page : null
    ahead = null
    const page = await (asked ?? list(what, cursor))
    if (page.complete && page.cursor !== null) {
      const next = list(what, page.cursor)
      // Whether it failed matters to who asks for it.
      next.catch(() => undefined)
      ahead = { what, cursor: page.cursor, page: next }
    }
    return page
  }
}
