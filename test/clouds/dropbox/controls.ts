import type { files } from 'dropbox'
import { bytesContent } from '../content.ts'
import type { Content } from '../content.ts'
import { timestamp } from './account-state.ts'
import type { AccountState } from './account-state.ts'
import { createContentHasher, joinDigests } from './content-hash.ts'
import { folderMetadata } from './metadata.ts'
import { parsePath } from './paths.ts'
import type { Path } from './paths.ts'
import { saveContent } from './save-upload.ts'
import type { Entry } from './tree.ts'
import { createFolder, moveEntry } from './write-rules.ts'
import type { WriteError } from './write-rules.ts'

/**
 * What a test can do to an account behind the API's back, as its owner in another client would. Paths
 * start with a slash. All throw when the rules of Dropbox do not allow the change.
 */
export interface DropboxControls {
  /** Writes a file, also over another one; parents are made. `modified` like `2026-11-20T08:00:00Z`. */
  put(
    path: string,
    content: Buffer | string | Content,
    modified?: string,
  ): Promise<files.FileMetadata>
  makeFolder(path: string): files.FolderMetadata
  remove(path: string): void
  move(from: string, to: string): void
  /** Sets how many bytes the account may use. */
  setSpace(bytes: number): void
  /** From now on nothing can be changed at or below this folder (through the API or here). */
  setReadOnly(path: string, readOnly?: boolean): void
  /** All cursors handed out so far are answered with `reset`. */
  resetCursors(): void
  /** How many upload sessions are neither saved nor over. */
  openSessions(): number
}

/** The controls of one account. */
export function createControls(account: AccountState, now: () => number): DropboxControls {
  const { tree } = account

  function existing(text: string): Entry {
    const entry = tree.find(wellFormed(text))
    if (entry === undefined) throw new Error(`there is nothing at ${text}`)
    return entry
  }

  return {
    async put(path, given, modified) {
      const content =
        typeof given === 'string' || Buffer.isBuffer(given) ? bytesContent(given) : given
      const hasher = createContentHasher()
      for await (const piece of content.pieces(0, content.size)) hasher.update(piece)
      const uploaded = { content, contentHash: joinDigests(hasher.digests()) }
      const saved = saveContent(
        account,
        uploaded,
        {
          path,
          mode: 'overwrite',
          autorename: false,
          client_modified: modified,
          mute: false,
          strict_conflict: false,
        },
        now(),
      )
      if ('error' in saved) throw notAllowed(path, saved.error)
      return saved.file
    },
    makeFolder(path) {
      const made = createFolder(tree, wellFormed(path), false)
      if ('error' in made) throw notAllowed(path, made.error)
      return folderMetadata(made.entry)
    },
    remove(path) {
      tree.remove(existing(path), timestamp(now()))
    },
    move(from, to) {
      const moved = moveEntry(tree, existing(from), wellFormed(to), false, timestamp(now()))
      if ('error' in moved) throw notAllowed(to, moved.error)
    },
    setSpace(bytes) {
      account.allocated = bytes
    },
    setReadOnly(path, readOnly = true) {
      const folder = existing(path)
      if (folder.kind !== 'folder') throw new Error(`there is no folder at ${path}`)
      folder.readOnly = readOnly
    },
    resetCursors() {
      account.generation++
    },
    openSessions: () => account.sessions.open(),
  }
}

function wellFormed(text: string): Path {
  const path = parsePath(text)
  if (path === null) throw new Error(`${text} is not a path`)
  return path
}

function notAllowed(path: string, error: WriteError): Error {
  return new Error(`Dropbox does not allow this at ${path}: ${error['.tag']}`)
}
