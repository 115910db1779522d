import type { files } from 'dropbox'
import { z } from 'zod'
import { deletedMetadata, entryMetadata } from './metadata.ts'
import type { JournalRecord } from './journal.ts'
import { placeOf } from './tree.ts'
import type { Entry, FolderEntry, Tree } from './tree.ts'

const cursorShape = z.strictObject({
  account: z.string(),
  /** Cursors of an earlier generation are answered with `reset`. */
  generation: z.int(),
  /** The listed folder: its path in lower case, or its id. */
  folder: z.string(),
  recursive: z.boolean(),
  limit: z.int(),
  includeDeleted: z.boolean(),
  /** The first listing shows the tree as it was before this record; what follows are changes. */
  snapshot: z.int(),
  /** The next record to look at. */
  position: z.int(),
})

/** Where a listing stands. Clients get it as an opaque text. */
export type Cursor = Readonly<z.output<typeof cursorShape>>

/** One page of a listing. */
export interface Page {
  readonly entries: readonly MetadataReference[]
  readonly position: number
  readonly hasMore: boolean
}

type MetadataReference =
  | files.FileMetadataReference
  | files.FolderMetadataReference
  | files.DeletedMetadataReference

/** The next page after `cursor` of what is in, or has changed in, this folder. */
export function nextPage(tree: Tree, folder: FolderEntry, cursor: Cursor): Page {
  if (cursor.position >= cursor.snapshot) return changesPage(tree, folder, cursor)
  const page = cursor.recursive ? deepPage(tree, folder, cursor) : flatPage(folder, cursor)
  if (page.hasMore || !cursor.includeDeleted) return page
  const scope = scopeOf(folder)
  const gone = [...tree.ghosts().values()].filter((ghost) =>
    isInside(ghost.lower, scope, cursor.recursive),
  )
  return { ...page, entries: [...page.entries, ...gone.map(deletedMetadata)] }
}

/** The text of a cursor. */
export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** The cursor of a text, or null when this account never got such a cursor. */
export function readCursor(text: string, account: string): Cursor | null {
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  const cursor = cursorShape.safeParse(read)
  return cursor.success && cursor.data.account === account ? cursor.data : null
}

/** All entries below a folder, and the folder itself, in the order of their last change. */
function deepPage(tree: Tree, folder: FolderEntry, cursor: Cursor): Page {
  const scope = scopeOf(folder)
  return scan(tree, cursor.position, cursor.snapshot, cursor.limit, ({ entry, lower }) => {
    if (entry === null) return null
    return isInside(lower, scope, true) || lower === scope ? entryMetadata(entry) : null
  })
}

function flatPage(folder: FolderEntry, cursor: Cursor): Page {
  const rows: { readonly number: number; readonly entry: Entry }[] = []
  for (const entry of folder.children.values()) {
    const number = entry.record?.number ?? -1
    if (number >= cursor.position && number < cursor.snapshot) rows.push({ number, entry })
  }
  rows.sort((a, b) => a.number - b.number)
  const page = rows.slice(0, cursor.limit)
  const next = rows[cursor.limit]
  return {
    entries: page.map(({ entry }) => entryMetadata(entry)),
    position: next?.number ?? cursor.snapshot,
    hasMore: next !== undefined,
  }
}

function changesPage(tree: Tree, folder: FolderEntry, cursor: Cursor): Page {
  const scope = scopeOf(folder)
  return scan(tree, cursor.position, tree.journal.head(), cursor.limit, (record) => {
    const inside = isInside(record.lower, scope, cursor.recursive)
    if (record.entry !== null) return inside ? entryMetadata(record.entry) : null
    if (inside) return deletedMetadata(record)
    // The folder was removed, perhaps with folders above it, and there is a new one now.
    const { lower, display } = placeOf(folder)
    const gone = scope === record.lower || scope.startsWith(`${record.lower}/`)
    return gone ? deletedMetadata({ lower, display }) : null
  })
}

function scan(
  tree: Tree,
  from: number,
  to: number,
  limit: number,
  pick: (record: JournalRecord) => MetadataReference | null,
): Page {
  const entries: MetadataReference[] = []
  for (let position = from; position < to; position++) {
    const record = tree.journal.at(position)
    if (record === undefined || record.dropped) continue
    const picked = pick(record)
    if (picked === null) continue
    if (entries.length === limit) return { entries, position, hasMore: true }
    entries.push(picked)
  }
  return { entries, position: to, hasMore: false }
}

function scopeOf(folder: FolderEntry): string {
  return placeOf(folder).lower
}

function isInside(lower: string, scope: string, recursive: boolean): boolean {
  if (!lower.startsWith(`${scope}/`)) return false
  return recursive || !lower.includes('/', scope.length + 1)
}
