import type { files } from 'dropbox'
import { asWaybillError, hasCode, WaybillError } from '../../../shared/errors.ts'
import type { Copy, Folder, Place, Result } from '../cloud.ts'
import { strangeAnswer } from '../http-errors.ts'
import type { Ask } from './client.ts'
import { pathOf, toCopy } from './commit.ts'
import { entryError, tagsOf } from './errors.ts'

type Found = { readonly file: Copy } | { readonly folder: Folder }

export interface FoldersOptions {
  readonly ask: Ask
  /** Resolves after so many milliseconds. */
  readonly sleep: (ms: number) => Promise<unknown>
}

/** @returns the members of the destination that make and find folders. */
export function createFolders({ ask, sleep }: FoldersOptions) {
  async function findPath(path: string): Promise<Found | null> {
    try {
      const found = await ask('read', (api) => api.filesGetMetadata({ path }))
      if (found['.tag'] === 'file') return { file: toCopy(found) }
      if (found['.tag'] === 'folder') return { folder: toFolder(found) }
      return null
    } catch (error) {
      if (hasCode(error, 'gone')) return null
      throw error
    }
  }

  /** The folder that was in the way of making it. */
  async function adopt(path: string): Promise<Folder> {
    const found = await findPath(path)
    if (found !== null && 'folder' in found) return found.folder
    // Not there: it went away in between, and the next try makes it.
    if (found === null) throw new WaybillError('busy', 'A folder in Dropbox is being changed.')
    throw new WaybillError('name_taken', 'A file in Dropbox has the name of a folder.')
  }

  async function makeMany(paths: readonly string[]) {
    const launch = await ask('write', (api) =>
      api.filesCreateFolderBatch({ paths: [...paths], autorename: false, force_async: false }),
    )
    if (launch['.tag'] === 'complete') return launch.entries
    if (launch['.tag'] !== 'async_job_id') throw strangeAnswer()
    // Many folders are made after the answer. The one place where the adapter waits: there is nothing to try again.
    for (
      let waited = 0, pause = 250;
      waited < 60_000;
      waited += pause, pause = Math.min(pause * 2, 4000)
    ) {
      // oxlint-disable-next-line no-await-in-loop
      await sleep(pause)
      // oxlint-disable-next-line no-await-in-loop
      const status = await ask('write', (api) =>
        api.filesCreateFolderBatchCheck({ async_job_id: launch.async_job_id }),
      )
      if (status['.tag'] === 'complete') return status.entries
      if (status['.tag'] === 'failed') throw entryError('write', status.failed)
    }
    throw new WaybillError('unavailable', 'Dropbox takes long to make the folders.')
  }

  async function toResult(
    path: string,
    entry: files.CreateFolderBatchResultEntry,
  ): Promise<Result<Folder>> {
    if (entry['.tag'] === 'success') return { ok: toFolder(entry.metadata) }
    if (!isFolderInTheWay(entry.failure)) return { error: entryError('write', entry.failure) }
    try {
      return { ok: await adopt(path) }
    } catch (error) {
      return { error: asWaybillError(error) }
    }
  }

  return {
    find: (place: Place): Promise<Found | null> => findPath(pathOf(place)),

    async openFolder(path: string): Promise<Folder> {
      // The top of the account always is, and has no metadata.
      if (path === '' || path === '/') return { id: '', path: '' }
      try {
        const made = await ask('write', (api) =>
          api.filesCreateFolderV2({ path, autorename: false }),
        )
        return toFolder(made.metadata)
      } catch (error) {
        if (hasCode(error, 'name_taken') && isFolderInTheWay(error.cause)) return await adopt(path)
        throw error
      }
    },

    async ensureFolders(places: readonly Place[]): Promise<readonly Result<Folder>[]> {
      if (places.length === 0) return []
      const paths = places.map(pathOf)
      const entries = await makeMany(paths)
      if (entries.length !== paths.length) throw strangeAnswer()
      const results: Result<Folder>[] = []
      for (let from = 0; from < entries.length; from += adoptedAtOnce) {
        const some = entries.slice(from, from + adoptedAtOnce)
        results.push(
          // oxlint-disable-next-line no-await-in-loop
          ...(await Promise.all(some.map((entry, at) => toResult(paths[from + at] ?? '', entry)))),
        )
      }
      return results
    },
  }
}

const adoptedAtOnce = 8

function isFolderInTheWay(error: unknown): boolean {
  const tags = tagsOf(error)
  return tags.includes('conflict') && tags.at(-1) === 'folder'
}

function toFolder(folder: files.FolderMetadata): Folder {
  return { id: folder.id, path: folder.path_display ?? folder.path_lower ?? '' }
}
