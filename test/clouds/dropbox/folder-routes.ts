import type { Route } from '../call.ts'
import { refusal } from '../call.ts'
import { opaqueId } from '../random.ts'
import type { AccountState } from './account-state.ts'
import { timestamp } from './account-state.ts'
import { argument } from './arguments.ts'
import { endpointError, rateLimited } from './endpoint-error.ts'
import { rpcRoute } from './endpoint.ts'
import type { Dropbox } from './endpoint.ts'
import { locate } from './locate.ts'
import { entryMetadata, folderMetadata } from './metadata.ts'
import { forEachBelow, placeOf } from './tree.ts'
import type { Entry, FolderEntry } from './tree.ts'
import { createFolder, isReadOnly, malformedPath, moveEntry } from './write-rules.ts'
import type { WriteError, Written } from './write-rules.ts'

/** How many items one move may involve. */
const mostMoved = 10_000

/** Routes that change folders, and move or delete anything. */
export function folderRoutes(dropbox: Dropbox): readonly Route[] {
  const { limits, now } = dropbox

  return [
    rpcRoute(
      dropbox,
      'files/create_folder_v2',
      'write',
      argument.createFolder,
      async (account, { path, autorename }) => {
        const made = await account.lock.hold(limits.writeMs, () =>
          newFolder(account, path, autorename),
        )
        if ('error' in made) throw endpointError({ '.tag': 'path', path: made.error })
        return { metadata: folderMetadata(made.entry) }
      },
    ),

    rpcRoute(
      dropbox,
      'files/create_folder_batch',
      'write',
      argument.createFolderBatch,
      async (account, { paths, autorename, force_async: forced }) => {
        const { lock, jobs } = account
        const later = forced || paths.length >= limits.asyncFolders
        const result = await lock.hold(limits.writeMs + limits.writeEntryMs * paths.length, () =>
          newFolders(account, paths, autorename),
        )
        if (!later) return { '.tag': 'complete', ...result }
        const job = `dbjid:${opaqueId(`${account.id} job ${jobs.size}`, 43)}`
        jobs.set(job, { result, checks: limits.jobChecks })
        return { '.tag': 'async_job_id', async_job_id: job }
      },
    ),

    rpcRoute(
      dropbox,
      'files/create_folder_batch/check',
      'read',
      argument.poll,
      ({ jobs }, { async_job_id: id }) => {
        const job = jobs.get(id)
        if (job === undefined) throw endpointError({ '.tag': 'invalid_async_job_id' })
        if (job.checks-- > 0) return { '.tag': 'in_progress' }
        return { '.tag': 'complete', ...job.result }
      },
    ),

    rpcRoute(dropbox, 'files/move_v2', 'write', argument.move, async (account, value) => {
      const { tree, lock } = account
      if (lock.held()) throw refusal(rateLimited('too_many_write_operations', 1))
      return lock.hold(limits.writeMs, () => {
        const from = entryAt(account, value.from_path)
        if ('failure' in from) throw moveError('from_lookup', { '.tag': from.failure })
        const to = locate(tree, account.namespace, value.to_path)
        if (!('path' in to)) throw moveError('to', malformedPath)
        const { entry } = from
        const { lower } = placeOf(entry)
        if (entry.kind === 'folder' && to.path.lower.startsWith(`${lower}/`))
          throw endpointError({ '.tag': 'cant_move_folder_into_itself' })
        if (isReadOnly(entry)) throw moveError('from_write', { '.tag': 'no_write_permission' })
        let items = 0
        forEachBelow(entry, () => items++)
        if (items > mostMoved) throw endpointError({ '.tag': 'too_many_files' })
        const moved = moveEntry(tree, entry, to.path, value.autorename, timestamp(now()))
        if ('error' in moved) throw moveError('to', moved.error)
        return { metadata: entryMetadata(moved.entry) }
      })
    }),

    rpcRoute(dropbox, 'files/delete_v2', 'write', argument.remove, async (account, value) =>
      account.lock.hold(limits.writeMs, () => {
        const found = entryAt(account, value.path)
        if ('failure' in found)
          throw endpointError({
            '.tag': 'path_lookup',
            path_lookup: { '.tag': found.failure },
          })
        const { entry } = found
        if (isReadOnly(entry)) throw deleteError({ '.tag': 'no_write_permission' })
        if (value.parent_rev && (entry.kind === 'folder' || entry.rev !== value.parent_rev))
          throw deleteError({ '.tag': 'conflict', conflict: { '.tag': entry.kind } })
        const metadata = entryMetadata(entry)
        account.tree.remove(entry, timestamp(now()))
        return { metadata }
      }),
    ),
  ]
}

function entryAt(
  account: AccountState,
  path: string,
): { readonly entry: Entry } | { readonly failure: 'not_found' | 'malformed_path' } {
  const located = locate(account.tree, account.namespace, path)
  if ('failure' in located) return located
  const entry = 'path' in located ? account.tree.find(located.path) : undefined
  if (entry === account.tree.root) return { failure: 'malformed_path' }
  return entry === undefined ? { failure: 'not_found' } : { entry }
}

function moveError(
  tag: 'from_lookup' | 'from_write' | 'to',
  error: WriteError | { readonly '.tag': 'not_found' | 'malformed_path' },
): ReturnType<typeof endpointError> {
  return endpointError({ '.tag': tag, [tag]: error })
}

function deleteError(error: WriteError): ReturnType<typeof endpointError> {
  return endpointError({ '.tag': 'path_write', path_write: error })
}

function newFolder(account: AccountState, path: string, rename: boolean): Written<FolderEntry> {
  const located = locate(account.tree, account.namespace, path)
  return 'path' in located
    ? createFolder(account.tree, located.path, rename)
    : { error: malformedPath }
}

function newFolders(account: AccountState, paths: readonly string[], rename: boolean): object {
  const seen = new Map<string, object>()
  const entries = paths.map((path) => {
    const key = path.normalize('NFC').toLowerCase()
    const before = seen.get(key)
    if (before !== undefined) return before
    const made = newFolder(account, path, rename)
    const result =
      'error' in made
        ? { '.tag': 'failure', failure: { '.tag': 'path', path: made.error } }
        : { '.tag': 'success', metadata: folderMetadata(made.entry) }
    seen.set(key, result)
    return result
  })
  return { entries }
}
