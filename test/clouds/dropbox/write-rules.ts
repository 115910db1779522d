import type { files } from 'dropbox'
import { conflictedName, isRefusedName, lowerName, numberedName } from './paths.ts'
import type { Path } from './paths.ts'
import type { Entry, FileData, FileEntry, FolderEntry, Tree } from './tree.ts'

/** Why something cannot be written. The SDK's type of `malformed_path` leaves out null, the usual value. */
export type WriteError =
  | Exclude<files.WriteError, files.WriteErrorMalformedPath>
  | { readonly '.tag': 'malformed_path'; readonly malformed_path: null }

/** The error of a path whose names cannot be. */
export const malformedPath: WriteError = { '.tag': 'malformed_path', malformed_path: null }

/** What a write came to. */
export type Written<T> = { readonly entry: T } | { readonly error: WriteError }

/** What a commit asks for. */
export interface Commit {
  readonly path: Path
  /** `add`, `overwrite`, or the rev that is to be replaced. */
  readonly mode: 'add' | 'overwrite' | { readonly rev: string }
  readonly autorename: boolean
  readonly strictConflict: boolean
}

/** Where something may be written: its folder exists or can be made. */
interface Place {
  readonly folder: FolderEntry
  /** Folders that are missing between `folder` and the name. */
  readonly missing: readonly string[]
  readonly name: string
  readonly occupant: Entry | undefined
}

/** Saves content at a path, by Dropbox's rules of conflict. `allocated` is the account's space in bytes. */
export function commitFile(
  tree: Tree,
  commit: Commit,
  data: FileData,
  allocated: number,
): Written<FileEntry> {
  const place = findPlace(tree, commit.path)
  if ('error' in place) return place
  const { occupant } = place
  const decision = decide(commit, occupant, data)
  if (decision === 'keep' && occupant?.kind === 'file') return { entry: occupant }
  if (decision === 'conflict' && !commit.autorename)
    return writeError({
      '.tag': 'conflict',
      conflict: { '.tag': occupant?.kind === 'folder' ? 'folder' : 'file' },
    })
  const replaced = decision === 'replace' && occupant?.kind === 'file' ? occupant : null
  const more = data.content.size - (replaced?.data.content.size ?? 0)
  if (more > 0 && tree.used() + more > allocated)
    return writeError({ '.tag': 'insufficient_space' })
  if (replaced !== null) {
    tree.replace(replaced, data)
    return { entry: replaced }
  }
  const folder = makeFolders(tree, place)
  const rename = typeof commit.mode === 'object' ? conflictedName : numberedName
  const name = decision === 'conflict' ? freeName(folder, place.name, rename) : place.name
  return { entry: tree.addFile(folder, name, data) }
}

/** Makes a folder and those above it. */
export function createFolder(tree: Tree, path: Path, autorename: boolean): Written<FolderEntry> {
  const target = freePlace(tree, path, autorename)
  return 'error' in target
    ? target
    : { entry: tree.addFolder(makeFolders(tree, target.place), target.name) }
}

/** Moves a file or folder to another path. The entry must exist and not be the root. */
export function moveEntry(
  tree: Tree,
  entry: Entry,
  to: Path,
  autorename: boolean,
  when: string,
): Written<Entry> {
  const target = freePlace(tree, to, autorename)
  if ('error' in target) return target
  tree.move(entry, makeFolders(tree, target.place), target.name, when)
  return { entry }
}

/** Whether nothing may be written at or below this entry. */
export function isReadOnly(entry: Entry): boolean {
  for (let at: Entry | null = entry; at !== null; at = at.parent)
    if (at.kind === 'folder' && at.readOnly) return true
  return false
}

function decide(
  commit: Commit,
  occupant: Entry | undefined,
  data: FileData,
): 'create' | 'replace' | 'keep' | 'conflict' {
  const { mode, strictConflict } = commit
  if (occupant === undefined)
    return typeof mode === 'object' && strictConflict ? 'conflict' : 'create'
  if (occupant.kind === 'folder') return 'conflict'
  if (!strictConflict && occupant.data.contentHash === data.contentHash) return 'keep'
  if (mode === 'overwrite') return 'replace'
  return mode !== 'add' && mode.rev === occupant.rev ? 'replace' : 'conflict'
}

function findPlace(tree: Tree, path: Path): Place | { readonly error: WriteError } {
  const name = path.names.at(-1)
  if (name === undefined) return writeError(malformedPath)
  if (path.names.some(isRefusedName)) return writeError({ '.tag': 'disallowed_name' })
  let folder = tree.root
  let depth = 0
  for (; depth < path.names.length - 1; depth++) {
    const below = folder.children.get(lowerName(path.names[depth] ?? ''))
    if (below === undefined) break
    if (below.kind === 'file')
      return writeError({ '.tag': 'conflict', conflict: { '.tag': 'file_ancestor' } })
    folder = below
  }
  if (isReadOnly(folder)) return writeError({ '.tag': 'no_write_permission' })
  const missing = path.names.slice(depth, -1)
  const occupant = missing.length === 0 ? folder.children.get(lowerName(name)) : undefined
  return { folder, missing, name, occupant }
}

function freePlace(
  tree: Tree,
  path: Path,
  autorename: boolean,
): { place: Place; name: string } | { readonly error: WriteError } {
  const place = findPlace(tree, path)
  if ('error' in place) return place
  const { occupant, folder, name } = place
  if (occupant === undefined) return { place, name }
  if (autorename) return { place, name: freeName(folder, name, numberedName) }
  return writeError({ '.tag': 'conflict', conflict: { '.tag': occupant.kind } })
}

function makeFolders(tree: Tree, place: Place): FolderEntry {
  return place.missing.reduce((folder, name) => tree.addFolder(folder, name), place.folder)
}

function freeName(
  folder: FolderEntry,
  name: string,
  rename: (name: string, number: number) => string,
): string {
  for (let number = rename === numberedName ? 2 : 1; ; number++) {
    const candidate = rename(name, number)
    if (!folder.children.has(lowerName(candidate))) return candidate
  }
}

function writeError(error: WriteError): { readonly error: WriteError } {
  return { error }
}
