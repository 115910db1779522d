import type { Content } from '../content.ts'
import { createJournal } from './journal.ts'
import type { Journal, JournalRecord } from './journal.ts'
import { lowerName } from './paths.ts'
import type { Path } from './paths.ts'

/** What one revision of a file holds. */
export interface FileData {
  readonly content: Content
  /** Lower-case hexadecimal. */
  readonly contentHash: string
  /** Whole seconds, such as `2026-11-20T08:00:00Z`. */
  readonly clientModified: string
  readonly serverModified: string
}

/** A stored revision of a file, which can be read after the file changed. */
export interface Revision {
  readonly rev: string
  readonly id: string
  readonly name: string
  readonly lower: string
  readonly display: string
  readonly data: FileData
}

/** A file at its present path. */
export interface FileEntry {
  readonly kind: 'file'
  readonly id: string
  name: string
  parent: FolderEntry
  rev: string
  data: FileData
  /** Null only before it has a place in the tree. */
  record: JournalRecord | null
}

/** A folder at its present path. */
export interface FolderEntry {
  readonly kind: 'folder'
  readonly id: string
  name: string
  /** Null for the root only. */
  parent: FolderEntry | null
  /** By lower-case name. */
  readonly children: Map<string, Entry>
  readOnly: boolean
  /** Null for the root only. */
  record: JournalRecord | null
}

export type Entry = FileEntry | FolderEntry

/** A path where something used to be. */
export interface Ghost {
  readonly name: string
  readonly lower: string
  readonly display: string
  readonly deletedAt: string
}

/** The files and folders of one namespace, without rules about who may change what. */
export interface Tree {
  readonly root: FolderEntry
  readonly journal: Journal
  /** Bytes of all files. */
  used(): number
  find(path: Path): Entry | undefined
  byId(id: string): Entry | undefined
  revision(rev: string): Revision | undefined
  /** The revisions that were written at this path, newest first. */
  revisionsAt(lower: string): readonly Revision[]
  /** The revisions of the file with this id, newest first. */
  revisionsOf(id: string): readonly Revision[]
  /** What used to be somewhere and is not there any more, by lower-case path. */
  ghosts(): ReadonlyMap<string, Ghost>
  addFolder(parent: FolderEntry, name: string): FolderEntry
  addFile(parent: FolderEntry, name: string, data: FileData): FileEntry
  replace(file: FileEntry, data: FileData): void
  remove(entry: Entry, when: string): void
  move(entry: Entry, parent: FolderEntry, name: string, when: string): void
}

/** An empty namespace. `newId` gives a new `id:…` each time. */
export function createTree(newId: () => string): Tree {
  const journal = createJournal()
  const ids = new Map<string, Entry>()
  const revisions = new Map<string, Revision>()
  const byPath = new Map<string, Revision[]>()
  const ghosts = new Map<string, Ghost>()
  const root: FolderEntry = {
    kind: 'folder',
    id: newId(),
    name: '',
    parent: null,
    children: new Map(),
    readOnly: false,
    record: null,
  }
  let used = 0
  let revs = 0

  // Revs are hexadecimal with at least 9 digits; the real ones also end in the namespace.
  const newRev = (): string => `01${(++revs).toString(16).padStart(13, '0')}00000001`

  /** Notes in the journal that the entry is where it is, and as it is. */
  function note<T extends Entry>(entry: T, parent: FolderEntry): T {
    const above = placeOf(parent)
    const lower = `${above.lower}/${lowerName(entry.name)}`
    const display = `${above.display}/${entry.name}`
    entry.record = journal.written(lower, display, entry)
    ghosts.delete(lower)
    if (entry.kind === 'file') keepRevision(entry, entry.record)
    return entry
  }

  function keepRevision(file: FileEntry, { lower, display }: JournalRecord): void {
    const { rev, id, name, data } = file
    const revision = { rev, id, name, lower, display, data }
    revisions.set(rev, revision)
    const before = byPath.get(lower)
    if (before === undefined) byPath.set(lower, [revision])
    else before.unshift(revision)
  }

  function attach<T extends Entry>(entry: T, parent: FolderEntry): T {
    parent.children.set(lowerName(entry.name), entry)
    return note(entry, parent)
  }

  /** Takes the entry out of its folder; its own record and all below it are void. */
  function detach(entry: Entry, when: string): void {
    const { record, parent } = entry
    if (record === null || parent === null) throw new Error('the root stays where it is')
    parent.children.delete(lowerName(entry.name))
    forEachBelow(entry, (below) => {
      if (below.record === null) return
      below.record.dropped = true
      const { lower, display } = below.record
      ghosts.set(lower, { name: below.name, lower, display, deletedAt: when })
    })
    journal.removed(record.lower, record.display, entry.kind)
  }

  return {
    root,
    journal,
    used: () => used,
    ghosts: () => ghosts,
    byId: (id) => ids.get(id),
    revision: (rev) => revisions.get(rev),
    revisionsAt: (lower) => byPath.get(lower) ?? [],
    revisionsOf: (id) => [...revisions.values()].filter((row) => row.id === id).toReversed(),
    find(path) {
      let entry: Entry | undefined = root
      for (const name of path.names) {
        if (entry?.kind !== 'folder') return undefined
        entry = entry.children.get(lowerName(name))
      }
      return entry
    },
    addFolder(parent, name) {
      const id = newId()
      const folder: FolderEntry = {
        kind: 'folder',
        id,
        name,
        parent,
        children: new Map(),
        readOnly: false,
        record: null,
      }
      ids.set(id, folder)
      return attach(folder, parent)
    },
    addFile(parent, name, data) {
      const id = newId()
      const file: FileEntry = { kind: 'file', id, name, parent, rev: newRev(), data, record: null }
      ids.set(id, file)
      used += data.content.size
      return attach(file, parent)
    },
    replace(file, data) {
      used += data.content.size - file.data.content.size
      file.data = data
      file.rev = newRev()
      note(file, file.parent)
    },
    remove(entry, when) {
      detach(entry, when)
      forEachBelow(entry, (below) => {
        ids.delete(below.id)
        if (below.kind === 'file') used -= below.data.content.size
      })
    },
    move(entry, parent, name, when) {
      detach(entry, when)
      entry.name = name
      entry.parent = parent
      parent.children.set(lowerName(name), entry)
      forEachBelow(entry, (below) => {
        if (below.kind === 'file') below.rev = newRev()
        if (below.parent !== null) note(below, below.parent)
      })
    },
  }
}

/** The path of an entry in lower case and as it is shown; both empty for the root. */
export function placeOf(entry: Entry): { readonly lower: string; readonly display: string } {
  return entry.record ?? { lower: '', display: '' }
}

/** Calls `visit` for the entry and all below it, parents first. */
export function forEachBelow(entry: Entry, visit: (below: Entry) => void): void {
  visit(entry)
  if (entry.kind === 'folder')
    for (const child of entry.children.values()) forEachBelow(child, visit)
}
