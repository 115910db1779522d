import type { files } from 'dropbox'
import { WaybillError } from '../../../shared/errors.ts'
import type { Commit, Copy, Place, Precondition, Result } from '../cloud.ts'
import { strangeAnswer } from '../http-errors.ts'
import type { Ask } from './client.ts'
import { entryError } from './errors.ts'

/**
 * Turns closed sessions into files with one call, also where it is only one: Dropbox locks the account for each call.
 *
 * @returns `commit` of the destination
 */
export function createCommit(ask: Ask) {
  return async (commits: readonly Commit[]): Promise<readonly Result<Copy>[]> => {
    const { entries } = await ask('session', (api) =>
      api.filesUploadSessionFinishBatchV2({ entries: commits.map(toEntry) }),
    )
    if (entries?.length !== commits.length) throw strangeAnswer()
    return commits.map((commit, at) => toResult(commit, entries[at]))
  }
}

/** @returns a file of Dropbox's as a copy. */
export function toCopy(file: files.FileMetadata): Copy {
  return {
    id: file.id,
    version: file.rev,
    path: file.path_display ?? file.path_lower ?? '',
    bytes: file.size,
    hashes: file.content_hash === undefined ? {} : { contentHash: file.content_hash },
  }
}

/** @returns the path of a place, as Dropbox writes paths. */
export function pathOf({ parent, name }: Place): string {
  return `${parent.path}/${name}`
}

function toEntry({ session, size, place, modifiedAt, precondition }: Commit) {
  return {
    cursor: { session_id: session, offset: size },
    commit: {
      path: pathOf(place),
      mode: modeOf(precondition),
      autorename: false,
      strict_conflict: false,
      mute: true,
      // Dropbox keeps whole seconds and refuses more.
      client_modified: `${modifiedAt.slice(0, 19)}Z`,
    },
  }
}

function modeOf(precondition: Precondition): files.WriteMode {
  return precondition.if === 'absent'
    ? { '.tag': 'add' }
    : { '.tag': 'update', update: precondition.version }
}

function toResult(
  commit: Commit,
  outcome: files.UploadSessionFinishBatchResultEntry | undefined,
): Result<Copy> {
  if (outcome?.['.tag'] !== 'success') return { error: entryError('session', outcome?.failure) }
  // The entries bear no mark of which session they were: an order that is not the one asked for would credit one
  // file's checksum to another.
  const path = outcome.path_display ?? outcome.path_lower ?? ''
  if (outcome.size !== commit.size || folded(path) !== folded(pathOf(commit.place)))
    return {
      error: new WaybillError('internal', 'Dropbox answered about another file.'),
    }
  return { ok: toCopy(outcome) }
}

function folded(path: string): string {
  return path.normalize('NFC').toLowerCase()
}
