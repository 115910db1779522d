import type { drive_v3 } from 'googleapis/build/src/apis/drive/index.js'
import type { Hashes, Item } from '../../../shared/item.ts'
import { strangeAnswer } from '../http-errors.ts'
import { exportForms, isGoogleType } from './exports.ts'

/** The id of the corpus that is nobody's shared drive. */
export const myDrive = 'my-drive'

const folderType = 'application/vnd.google-apps.folder'
const shortcutType = 'application/vnd.google-apps.shortcut'

/** The fields of a file that `toItem` reads, as a field mask. */
export const itemFields = [
  'id,name,mimeType,parents,driveId,size,md5Checksum,sha256Checksum,version,modifiedTime,trashed',
  'ownedByMe,exportLinks,shortcutDetails/targetId,capabilities/canDownload',
].join(',')

/**
 * @param file a file as Drive describes it, with `itemFields`
 * @returns the item
 *
 * `version` is the checksum where there is one: it changes with the bytes, and neither with the name nor when somebody
 * uploads the same bytes again. For documents it is the time of the last change: Drive's own `version` also
 * counts views and shares, and each would cost an export.
 */
export function toItem(file: drive_v3.Schema$File): Item {
  const mimeType = file.mimeType ?? 'application/octet-stream'
  const hashes = hashesOf(file)
  const kind = kindOf(mimeType, hashes)
  const modifiedAt = toMilliseconds(file.modifiedTime)
  return {
    id: said(file.id),
    kind,
    name: said(file.name),
    parentId: file.parents?.[0] ?? null,
    mimeType,
    // Drive also gives a size for documents: the storage they take up.
    size: kind === 'file' && typeof file.size === 'string' ? Number(file.size) : null,
    modifiedAt,
    version:
      kind === 'file' ? (hashes.sha256 ?? hashes.md5 ?? file.version ?? modifiedAt) : modifiedAt,
    hashes,
    exports: kind === 'document' ? exportForms(mimeType, file.exportLinks) : [],
    targetId: file.shortcutDetails?.targetId ?? null,
    // Drive says false for what cannot be downloaded at all.
    canDownload:
      kind === 'folder' || kind === 'shortcut' || (file.capabilities?.canDownload ?? true),
    // Absent for what lies in a shared drive, which belongs to nobody.
    ownedByMe: file.ownedByMe ?? false,
    trashed: file.trashed ?? false,
    corpus: file.driveId ?? myDrive,
  }
}

function kindOf(mimeType: string, hashes: Hashes): Item['kind'] {
  if (mimeType === folderType) return 'folder'
  if (mimeType === shortcutType) return 'shortcut'
  // A few of Google's types (photo, video) have bytes, and then a checksum.
  return isGoogleType(mimeType) && hashes.md5 === undefined ? 'document' : 'file'
}

function hashesOf({ md5Checksum, sha256Checksum }: drive_v3.Schema$File): Hashes {
  return {
    ...(md5Checksum ? { md5: md5Checksum } : {}),
    ...(sha256Checksum ? { sha256: sha256Checksum } : {}),
  }
}

function toMilliseconds(time: string | null | undefined): string {
  if (time?.length === 24 && time.endsWith('Z')) return time
  return new Date(time ?? 0).toISOString()
}

function said(value: string | null | undefined): string {
  if (typeof value !== 'string') throw strangeAnswer()
  return value
}
