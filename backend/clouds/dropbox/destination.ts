import { setTimeout as sleepFor } from 'node:timers/promises'
import { hasCode } from '../../../shared/errors.ts'
import type { Hashes } from '../../../shared/item.ts'
import type {
  Destination,
  DestinationCapabilities,
  DestinationChange,
  Place,
  TokenSource,
} from '../cloud.ts'
import { contentHash, contentHashBlock } from '../content-hash.ts'
import { createHttp } from '../http.ts'
import type { HttpOptions } from '../http.ts'
import { strangeAnswer } from '../http-errors.ts'
import { createDropboxClient } from './client.ts'
import type { Ask } from './client.ts'
import { createCommit, pathOf } from './commit.ts'
import { createDropboxContent } from './content.ts'
import type { DropboxContent } from './content.ts'
import { correctOffset, tagsOf } from './errors.ts'
import { createFolders } from './folders.ts'
import { dropboxNames } from './names.ts'
import { bodiesPerBatch, createStaging, largestRequest } from './sessions.ts'

export interface DropboxOptions extends HttpOptions {
  readonly token: TokenSource
  /** Where the control routes are; Dropbox unless given. */
  readonly apiUrl?: string
  /** Where the content routes are; Dropbox unless given. */
  readonly contentUrl?: string
  /** Milliseconds since 1970; the machine's clock unless given. */
  readonly now?: () => number
  /** Resolves after so many milliseconds; a timer unless given. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

const capabilities: DestinationCapabilities = {
  hashes: ['contentHash'],
  largestFile: 2 ** 41 - 2 ** 22,
  // Any length would do for Dropbox; whole blocks let the checksum be kept between two appends.
  chunk: {
    align: contentHashBlock,
    largest: Math.floor(largestRequest / contentHashBlock) * contentHashBlock,
  },
  needsSize: false,
  foldersPerCall: 1000,
  commitsPerCall: 1000,
  // Dropbox locks the account while it commits: a second call at once is refused.
  commitLanes: 1,
  stage: { bodies: bodiesPerBatch, bytes: largestRequest },
  names: dropboxNames,
  timeResolutionMs: 1000,
  // 30 days with the smallest plan, a year with the largest: https://help.dropbox.com/delete-restore/version-history-overview
  keepsVersionsDays: 30,
}

/**
 * Dropbox, write side. https://www.dropbox.com/developers/documentation/http/documentation
 *
 * @returns a destination. It needs the scopes `account_info.read files.metadata.read files.content.read
 * files.content.write`.
 */
export function createDropbox(options: DropboxOptions): Destination {
  const {
    token,
    apiUrl = 'https://api.dropboxapi.com',
    contentUrl = 'https://content.dropboxapi.com',
    now = Date.now,
    sleep = (ms) => sleepFor(ms),
  } = options
  const endpoint = { token, apiUrl, contentUrl, http: createHttp(options), now }
  const ask = createDropboxClient(endpoint)
  const content = createDropboxContent(endpoint)
  const folders = createFolders({ ask, sleep })

  return {
    provider: 'dropbox',
    capabilities,
    ...folders,
    stage: createStaging({ ask, content, now }),
    begin: (bytes, last, hashes) => begin(content, bytes, last, hashes),
    append: (session, offset, bytes, last, hashes) =>
      append(content, { session_id: session, offset }, bytes, last, hashes),
    commit: createCommit(ask),
    move: (from, to) => move(ask, folders.find, from, to),
    open: ({ id }, { from, signal }) => content.download(id, from, signal),
    changesSince: ({ path }, cursor) => changesSince(ask, path, cursor),
    async account() {
      const account = await ask('account', (api) => api.usersGetCurrentAccount())
      return { id: account.account_id, label: account.email }
    },
  }
}

async function begin(
  content: DropboxContent,
  bytes: Uint8Array,
  last: boolean,
  hashes: Hashes = {},
): Promise<string> {
  const argument = { close: last, content_hash: hashes.contentHash ?? contentHash(bytes) }
  const answer = await content.upload('upload_session/start', argument, [bytes])
  const id = answer['session_id']
  if (typeof id !== 'string') throw strangeAnswer()
  return id
}

async function append(
  content: DropboxContent,
  cursor: { readonly session_id: string; readonly offset: number },
  bytes: Uint8Array,
  last: boolean,
  hashes: Hashes = {},
): Promise<number> {
  const end = cursor.offset + bytes.byteLength
  const argument = { cursor, close: last, content_hash: hashes.contentHash ?? contentHash(bytes) }
  try {
    await content.upload('upload_session/append_v2', argument, [bytes])
    return end
  } catch (error) {
    if (!hasCode(error, 'session_lost')) throw error
    // Only the last append closes a session: that one landed, and its answer was lost.
    if (last && tagsOf(error.cause).at(-1) === 'closed') return end
    const held = correctOffset(error.cause)
    if (held === null) throw error
    return held
  }
}

async function move(
  ask: Ask,
  find: Destination['find'],
  from: { readonly id: string; readonly path: string },
  to: Place,
): ReturnType<Destination['move']> {
  try {
    const { metadata } = await ask('move', (api) =>
      // By its id: what lies at the path by now may be something else.
      api.filesMoveV2({ from_path: from.id, to_path: pathOf(to), autorename: false }),
    )
    return {
      id: 'id' in metadata ? metadata.id : from.id,
      path: metadata.path_display ?? pathOf(to),
      version: 'rev' in metadata ? metadata.rev : null,
    }
  } catch (error) {
    if (!hasCode(error, 'name_taken')) throw error
    // What is in the way may be the thing itself, if an earlier answer was lost.
    const there = await find(to)
    if (there !== null && 'file' in there && there.file.id === from.id)
      return { id: from.id, path: there.file.path, version: there.file.version }
    if (there !== null && 'folder' in there && there.folder.id === from.id)
      return { id: from.id, path: there.folder.path, version: null }
    throw error
  }
}

async function changesSince(
  ask: Ask,
  path: string,
  cursor: string | null,
): ReturnType<Destination['changesSince']> {
  const page = await ask('changes', (api) =>
    cursor === null
      ? api.filesListFolder({ path, recursive: true, limit: 2000 })
      : api.filesListFolderContinue({ cursor }),
  )
  return {
    changes: page.entries.map((entry): DestinationChange => ({
      path: entry.path_lower ?? '',
      gone: entry['.tag'] === 'deleted',
      id: 'id' in entry ? entry.id : null,
      version: 'rev' in entry ? entry.rev : null,
    })),
    cursor: page.cursor,
    more: page.has_more,
  }
}
