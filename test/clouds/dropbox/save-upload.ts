import type { files } from 'dropbox'
import type { CommitArgument } from './arguments.ts'
import type { AccountState } from './account-state.ts'
import { timestamp } from './account-state.ts'
import { locate } from './locate.ts'
import { fileMetadata } from './metadata.ts'
import type { Session, Uploaded } from './upload-sessions.ts'
import { commitFile, malformedPath } from './write-rules.ts'
import type { WriteError } from './write-rules.ts'

/** What saving came to: the file, or why not. */
export type Saved = { readonly file: files.FileMetadata } | { readonly error: WriteError }

/**
 * Saves the bytes of a session at a path; from then on the session is closed for ever. When the path
 * cannot be written (or `injected` says so), the session keeps its bytes. To be called with the
 * namespace locked.
 */
export function saveSession(
  account: AccountState,
  session: Session,
  commit: CommitArgument,
  now: number,
  injected: WriteError | null = null,
): Saved {
  const { upload } = session
  if (upload === null) throw new Error('a saved session cannot be saved again')
  if (injected !== null) return { error: injected }
  const uploaded = upload.complete()
  const saved = saveContent(account, uploaded, commit, now)
  if ('error' in saved) return saved
  session.upload = null
  // Identical content was there already: what was uploaded is not needed.
  if (!saved.used) void upload.discard()
  return { file: saved.file }
}

/** Saves content at a path by the rules of its commit. */
export function saveContent(
  account: AccountState,
  { content, contentHash }: Uploaded,
  commit: CommitArgument,
  now: number,
): { readonly file: files.FileMetadata; readonly used: boolean } | { readonly error: WriteError } {
  const { tree, namespace, allocated } = account
  const located = locate(tree, namespace, commit.path)
  if (!('path' in located)) return { error: malformedPath }
  const serverModified = timestamp(now)
  const clientModified = commit.client_modified ?? serverModified
  const written = commitFile(
    tree,
    {
      path: located.path,
      mode: commit.mode,
      autorename: commit.autorename,
      strictConflict: commit.strict_conflict,
    },
    { content, contentHash, clientModified, serverModified },
    allocated,
  )
  if ('error' in written) return written
  return { file: fileMetadata(written.entry), used: written.entry.data.content === content }
}
