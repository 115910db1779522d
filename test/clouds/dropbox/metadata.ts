import type { files } from 'dropbox'
import { placeOf } from './tree.ts'
import type { Entry, FileEntry, FolderEntry, Ghost, Revision } from './tree.ts'

/** The metadata of a file, as it is sent where only a file can be meant. */
export function fileMetadata(file: FileEntry): files.FileMetadata {
  const { lower, display } = placeOf(file)
  return revisionMetadata({ ...file, lower, display })
}

/** The metadata of a stored revision. */
export function revisionMetadata(revision: Revision): files.FileMetadata {
  const { name, lower, display, id, rev, data } = revision
  return {
    name,
    path_lower: lower,
    path_display: display,
    id,
    client_modified: data.clientModified,
    server_modified: data.serverModified,
    rev,
    size: data.content.size,
    is_downloadable: true,
    content_hash: data.contentHash,
  }
}

/** The metadata of a folder below the root. */
export function folderMetadata(folder: FolderEntry): files.FolderMetadata {
  return {
    name: folder.name,
    path_lower: placeOf(folder).lower,
    path_display: placeOf(folder).display,
    id: folder.id,
  }
}

/** The metadata of an entry with its `.tag`, as it is sent where anything can be meant. */
export function entryMetadata(
  entry: Entry,
): files.FileMetadataReference | files.FolderMetadataReference {
  return entry.kind === 'file'
    ? { '.tag': 'file', ...fileMetadata(entry) }
    : { '.tag': 'folder', ...folderMetadata(entry) }
}

/** That something used to be at a path. */
export function deletedMetadata(
  gone: Pick<Ghost, 'lower' | 'display'>,
): files.DeletedMetadataReference {
  const name = gone.display.slice(gone.display.lastIndexOf('/') + 1)
  return { '.tag': 'deleted', name, path_lower: gone.lower, path_display: gone.display }
}
