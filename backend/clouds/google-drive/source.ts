import type { drive_v3 } from 'googleapis/build/src/apis/drive/index.js'
import { hasCode } from '../../../shared/errors.ts'
import type { ChangesPage, Corpus, Listing, Page, Source, TokenSource } from '../cloud.ts'
import { createHttp } from '../http.ts'
import { strangeAnswer } from '../http-errors.ts'
import type { HttpOptions } from '../http.ts'
import { createDriveClient, googleRootUrl } from './client.ts'
import type { DriveClient } from './client.ts'
import { createDriveDownload } from './download.ts'
import { loopingListing } from './errors.ts'
import { itemFields, myDrive, toItem } from './item.ts'

export interface DriveSourceOptions extends HttpOptions {
  readonly token: TokenSource
  /** Where Drive is, with a slash at the end; Google unless given. */
  readonly rootUrl?: string
  /** Milliseconds since 1970; the machine's clock unless given. */
  readonly now?: () => number
}

/**
 * Google Drive, read side. https://developers.google.com/workspace/drive/api/reference/rest/v3
 *
 * @returns a source. It needs the scope `drive.readonly`, or `drive.file` for items that were picked.
 */
export function createDriveSource(options: DriveSourceOptions): Source {
  const { token, rootUrl = googleRootUrl, now = Date.now } = options
  const http = createHttp(options)
  const client = createDriveClient({ token, rootUrl, http, now })

  return {
    provider: 'google-drive',
    capabilities: { foldersPerListing: 50, hashes: ['md5', 'sha256'] },

    async account() {
      const { user } = await client.about('user(permissionId,emailAddress)')
      return { id: said(user?.permissionId), label: said(user?.emailAddress) }
    },

    async ownDrive() {
      const root = await client.get('root', 'id')
      return { id: myDrive, name: 'My Drive', rootId: said(root.id) }
    },

    sharedDrives: () => listDrives(client),

    async get(id) {
      try {
        return toItem(await client.get(id, itemFields))
      } catch (error) {
        if (hasCode(error, 'gone')) return null
        throw error
      }
    },

    list: (listing, cursor) => list(client, listing, cursor),

    async changesToken(corpus) {
      const { startPageToken } = await client.startPageToken(
        corpus === myDrive
          ? { supportsAllDrives: true }
          : { driveId: corpus, supportsAllDrives: true },
      )
      return said(startPageToken)
    },

    changes: (corpus, pageToken) => changes(client, corpus, pageToken),

    open: createDriveDownload({ token, rootUrl, http, now }),
  }
}

async function listDrives(client: DriveClient): Promise<readonly Corpus[]> {
  const found: Corpus[] = []
  let pageToken: string | undefined
  do {
    // The next page needs the token of this one.
    // oxlint-disable-next-line no-await-in-loop
    const page = await client.drives({
      pageSize: 100,
      fields: 'kind,nextPageToken,drives(id,name)',
      ...(pageToken === undefined ? {} : { pageToken }),
    })
    sure(page.kind, 'drive#driveList')
    for (const { id, name } of page.drives ?? [])
      // A shared drive's top-level items have the drive's own id as their parent.
      if (typeof id === 'string') found.push({ id, name: name ?? '', rootId: id })
    const next = page.nextPageToken ?? undefined
    if (next !== undefined && next === pageToken) throw loopingListing('list')
    pageToken = next
  } while (pageToken !== undefined)
  return found
}

async function list(client: DriveClient, listing: Listing, cursor: string | null): Promise<Page> {
  const on = cursor === null ? {} : { pageToken: cursor }
  const kind = listing.kind === 'children' ? 'children' : 'list'
  const page = await client.list(cursor === null ? kind : `${kind}-on`, {
    ...scopeOf(listing),
    ...on,
    pageSize: 1000,
    fields: `kind,nextPageToken,incompleteSearch,files(${itemFields})`,
    supportsAllDrives: true,
  })
  sure(page.kind, 'drive#fileList')
  const next = page.nextPageToken ?? null
  if (next !== null && next === cursor) throw loopingListing('list')
  return {
    items: (page.files ?? []).map(toItem),
    cursor: next,
    complete: page.incompleteSearch !== true,
  }
}

function scopeOf(listing: Listing): drive_v3.Params$Resource$Files$List {
  // No `corpora`: for a query by parents Drive looks where the parents are, whosever drive that is.
  if (listing.kind === 'children')
    return { q: childrenOf(listing.of), includeItemsFromAllDrives: true }
  const q = 'trashed=false'
  // The user corpus is what they own and what was shared with them, in a folder of theirs or in none.
  if (listing.corpus === myDrive) return { q, corpora: 'user' }
  return { q, corpora: 'drive', driveId: listing.corpus, includeItemsFromAllDrives: true }
}

/** https://developers.google.com/workspace/drive/api/guides/ref-search-terms */
function childrenOf(folders: readonly string[]): string {
  const parents = folders.map((id) => `'${id.replaceAll(/['\\]/g, '\\$&')}' in parents`)
  return `(${parents.join(' or ')}) and trashed=false`
}

async function changes(
  client: DriveClient,
  corpus: string,
  pageToken: string,
): Promise<ChangesPage> {
  const page = await client.changes({
    pageToken,
    pageSize: 1000,
    fields: `kind,nextPageToken,newStartPageToken,changes(changeType,fileId,removed,file(${itemFields}))`,
    supportsAllDrives: true,
    includeRemoved: true,
    ...(corpus === myDrive
      ? // Not `restrictToMyDrive`: that hides what is shared with the person and lies in no folder of theirs.
        // An item that went to a shared drive comes as it is there, not as if it were gone.
        { includeItemsFromAllDrives: false, includeCorpusRemovals: true }
      : { driveId: corpus, includeItemsFromAllDrives: true, includeCorpusRemovals: true }),
  })
  sure(page.kind, 'drive#changeList')
  const next = page.nextPageToken ?? null
  if (next !== null && next === pageToken) throw loopingListing('changes')
  return {
    changes: (page.changes ?? []).flatMap(({ changeType, fileId, removed, file }) =>
      // Changes of shared drives themselves, such as their names, have no file.
      changeType === 'drive'
        ? []
        : [{ id: said(fileId), item: removed === true ? null : toItem(file ?? {}) }],
    ),
    token: next ?? said(page.newStartPageToken),
    more: next !== null,
  }
}

/** An answer without what it must hold is not an answer: least of all one that says "nothing". */
function said(value: string | null | undefined): string {
  if (typeof value !== 'string' || value === '') throw strangeAnswer()
  return value
}

function sure(kind: string | null | undefined, expected: string): void {
  if (kind !== expected) throw strangeAnswer()
}
