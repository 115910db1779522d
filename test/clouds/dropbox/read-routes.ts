import type { files } from 'dropbox'
import { byteRange } from '../byte-range.ts'
import type { Answer, Call, Route } from '../call.ts'
import { refusal } from '../call.ts'
import type { AccountState } from './account-state.ts'
import { argument } from './arguments.ts'
import { badCall, endpointError } from './endpoint-error.ts'
import { downloadRoutes, rpcRoute } from './endpoint.ts'
import type { Dropbox } from './endpoint.ts'
import { nextPage, readCursor, writeCursor } from './listing.ts'
import type { Cursor } from './listing.ts'
import { locate } from './locate.ts'
import { deletedMetadata, entryMetadata, fileMetadata, revisionMetadata } from './metadata.ts'
import { placeOf } from './tree.ts'
import type { FileData, FolderEntry } from './tree.ts'

type ListArgument = (typeof argument.listFolder)['_output']

/** Routes that list, describe and download. */
export function readRoutes(dropbox: Dropbox): readonly Route[] {
  const { limits } = dropbox

  function firstCursor(account: AccountState, value: ListArgument): Cursor {
    const folder = folderAt(account, value.path)
    return {
      account: account.id,
      generation: account.generation,
      folder: value.path.startsWith('id:') ? folder.id : placeOf(folder).lower,
      recursive: value.recursive,
      limit: value.limit ?? limits.page,
      includeDeleted: value.include_deleted,
      snapshot: account.tree.journal.head(),
      position: 0,
    }
  }

  return [
    rpcRoute(dropbox, 'files/list_folder', 'list', argument.listFolder, (account, value) =>
      page(account, firstCursor(account, value)),
    ),

    rpcRoute(
      dropbox,
      'files/list_folder/continue',
      'list',
      argument.listContinue,
      (account, { cursor: text }) => {
        const cursor = readCursor(text, account.id)
        if (cursor === null) {
          const reason = 'Invalid "cursor" parameter'
          throw refusal(badCall('files/list_folder/continue', reason))
        }
        if (cursor.generation !== account.generation) throw endpointError({ '.tag': 'reset' })
        return page(account, cursor)
      },
    ),

    rpcRoute(
      dropbox,
      'files/list_folder/get_latest_cursor',
      'list',
      argument.listFolder,
      (account, value) => {
        const cursor = firstCursor(account, value)
        return { cursor: writeCursor({ ...cursor, position: cursor.snapshot }) }
      },
    ),

    rpcRoute(dropbox, 'files/get_metadata', 'read', argument.getMetadata, (account, value) => {
      const { tree, namespace } = account
      const located = locate(tree, namespace, value.path)
      if ('failure' in located) throw lookupError(located.failure)
      if ('revision' in located) return { '.tag': 'file', ...revisionMetadata(located.revision) }
      const entry = tree.find(located.path)
      if (entry !== undefined && entry !== tree.root) return entryMetadata(entry)
      const ghost = tree.ghosts().get(located.path.lower)
      if (ghost !== undefined && value.include_deleted) return deletedMetadata(ghost)
      throw lookupError('not_found')
    }),

    rpcRoute(dropbox, 'files/list_revisions', 'read', argument.listRevisions, listRevisions),

    ...downloadRoutes(dropbox, 'files/download', argument.download, (account, value, call) => {
      const path = value.rev ? `rev:${value.rev}` : value.path
      const located = locate(account.tree, account.namespace, path)
      if ('failure' in located) throw lookupError(located.failure)
      if ('revision' in located)
        return download(call, revisionMetadata(located.revision), located.revision.data)
      const entry = account.tree.find(located.path)
      if (entry === undefined) throw lookupError('not_found')
      if (entry.kind === 'folder') throw lookupError('not_file')
      return download(call, fileMetadata(entry), entry.data)
    }),
  ]
}

function page(account: AccountState, cursor: Cursor): files.ListFolderResult {
  const folder = folderAt(account, cursor.folder)
  const { entries, position, hasMore } = nextPage(account.tree, folder, cursor)
  return {
    entries: [...entries],
    cursor: writeCursor({ ...cursor, position }),
    has_more: hasMore,
  }
}

function listRevisions(
  account: AccountState,
  value: (typeof argument.listRevisions)['_output'],
): files.ListRevisionsResult {
  const { tree, namespace } = account
  const located = locate(tree, namespace, value.path)
  if (!('path' in located)) throw lookupError('failure' in located ? located.failure : 'not_found')
  const entry = tree.find(located.path)
  if (entry?.kind === 'folder') throw lookupError('not_file')
  const { lower } = located.path
  const atPath = tree.revisionsAt(lower)
  const all = value.mode === 'path' ? atPath : tree.revisionsOf(entry?.id ?? atPath[0]?.id ?? '')
  if (all.length === 0) throw lookupError('not_found')
  if (value.before_rev && value.mode === 'id')
    throw endpointError({ '.tag': 'before_rev_not_supported' })
  const before = value.before_rev ? all.findIndex((row) => row.rev === value.before_rev) : -1
  if (value.before_rev && before < 0) throw endpointError({ '.tag': 'invalid_before_rev' })
  const rows = all.slice(before + 1)
  const deletedAt = entry === undefined ? tree.ghosts().get(lower)?.deletedAt : undefined
  return {
    is_deleted: entry === undefined,
    ...(deletedAt === undefined ? {} : { server_deleted: deletedAt }),
    entries: rows.slice(0, value.limit).map(revisionMetadata),
    has_more: rows.length > value.limit,
  }
}

function download(call: Call, metadata: files.FileMetadata, { content }: FileData): Answer {
  const { size } = content
  const headers = {
    'dropbox-api-result': asciiJson(metadata),
    etag: `W/"${metadata.rev}"`,
    'accept-ranges': 'bytes',
    'original-content-length': String(size),
  }
  const range = byteRange(call.headers.range, size)
  if (range === 'unsatisfiable')
    return { status: 416, headers: { 'content-range': `bytes */${size}` } }
  if (range === 'whole') return { headers, content: { content, from: 0, to: size } }
  const { from, to } = range
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${from}-${to - 1}/${size}` },
    content: { content, from, to },
  }
}

function folderAt(account: AccountState, path: string): FolderEntry {
  const located = locate(account.tree, account.namespace, path)
  if (!('path' in located)) throw lookupError('failure' in located ? located.failure : 'not_found')
  const entry = account.tree.find(located.path)
  if (entry === undefined) throw lookupError('not_found')
  if (entry.kind === 'file') throw lookupError('not_folder')
  return entry
}

function lookupError(
  tag: 'malformed_path' | 'not_found' | 'not_file' | 'not_folder',
): ReturnType<typeof endpointError> {
  return endpointError({ '.tag': 'path', path: { '.tag': tag } })
}

/** JSON in a header: everything above ASCII, and DEL, as an escape. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
