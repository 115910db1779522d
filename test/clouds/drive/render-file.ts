import type { drive_v3 } from 'googleapis'
import { createHash } from 'node:crypto'
import { exportLinks } from './export-formats.ts'
import { inside, maskedValue, wants } from './field-mask.ts'
import type { FieldMask } from './field-mask.ts'
import { isFolder, mime } from './item.ts'
import type { Item } from './item.ts'
import type { DriveState } from './state.ts'

/** What rendering needs beside the item. */
export interface RenderContext {
  readonly state: DriveState
  readonly email: string
  readonly baseUrl: string
}

type FileField = keyof drive_v3.Schema$File
type Renderer = (item: Item, context: RenderContext) => unknown

const time = (ms: number): string => new Date(ms).toISOString()
const opaque = (text: string): string => createHash('md5').update(text).digest('hex')
const onSharedDrive = (item: Item): boolean => item.driveId !== null
/** Docs editors report a size, which is no size of anything that can be downloaded. */
const sizeOf = (item: Item): string | undefined =>
  item.content !== null
    ? String(item.content.size)
    : isFolder(item) || item.targetId !== null
      ? undefined
      : '1024'

/** How each field of a file resource is made; undefined leaves it out, as Drive does. */
const renderers: Readonly<Partial<Record<FileField, Renderer>>> = {
  kind: () => 'drive#file',
  id: (item) => item.id,
  name: (item) => item.name,
  mimeType: (item) => item.mimeType,
  parents: (item) => (item.parent === null ? undefined : [item.parent]),
  driveId: (item) => item.driveId ?? undefined,
  teamDriveId: (item) => item.driveId ?? undefined,
  spaces: () => ['drive'],
  size: sizeOf,
  quotaBytesUsed: (item) => (item.driveId === null ? sizeOf(item) : undefined) ?? '0',
  md5Checksum: (item) => item.content?.hash('md5'),
  sha1Checksum: (item) => item.content?.hash('sha1'),
  sha256Checksum: (item) => item.content?.hash('sha256'),
  headRevisionId: (item) =>
    item.content === null ? undefined : opaque(`${item.id} ${item.revision}`),
  version: (item) => String(item.version),
  createdTime: (item) => time(item.createdTime),
  modifiedTime: (item) => time(item.modifiedTime),
  trashed: (item) => item.trashed,
  explicitlyTrashed: (item) => item.explicitlyTrashed,
  starred: (item) => item.starred,
  description: (item) => item.description ?? undefined,
  originalFilename: (item) => (item.content === null ? undefined : item.name),
  fileExtension: (item) =>
    item.content === null ? undefined : (/\.([^.]+)$/.exec(item.name)?.[1] ?? ''),
  fullFileExtension: (item) =>
    item.content === null ? undefined : (/\.([^.]+)$/.exec(item.name)?.[1] ?? ''),
  ownedByMe: (item) => (onSharedDrive(item) ? undefined : item.ownedByMe),
  shared: (item) => (onSharedDrive(item) ? undefined : item.sharedWithMe !== null),
  sharedWithMeTime: (item) => (item.sharedWithMe === null ? undefined : time(item.sharedWithMe)),
  owners: (item, { email }) =>
    onSharedDrive(item)
      ? undefined
      : [userResource(item.ownedByMe ? email : 'else@elsewhere.example', item.ownedByMe)],
  resourceKey: (item) => item.resourceKey ?? undefined,
  properties: (item) => item.properties ?? undefined,
  appProperties: (item) => item.appProperties ?? undefined,
  exportLinks: (item, { baseUrl }) => exportLinks(item, baseUrl),
  shortcutDetails(item, { state }) {
    if (item.targetId === null) return undefined
    const target = state.get(item.targetId)
    return {
      targetId: item.targetId,
      targetMimeType: target?.mimeType ?? 'application/octet-stream',
    }
  },
  copyRequiresWriterPermission: (item) => !item.canDownload,
  viewersCanCopyContent: (item) => item.canDownload,
  writersCanShare: () => true,
  viewedByMe: () => false,
  modifiedByMe: () => false,
  isAppAuthorized: () => true,
  hasThumbnail: () => false,
  thumbnailVersion: () => '0',
  inheritedPermissionsDisabled: () => false,
  permissionIds: () => undefined,
  iconLink: (item) => `https://drive-thirdparty.example/16/type/${item.mimeType}`,
  webViewLink: (item) => `https://drive.example/file/d/${item.id}/view`,
  webContentLink: (item) =>
    item.content === null ? undefined : `https://drive.example/uc?id=${item.id}&export=download`,
  folderColorRgb: (item) => (isFolder(item) ? '#8f8f8f' : undefined),
  capabilities: (item) => ({
    canDownload: item.canDownload && !isFolder(item) && item.mimeType !== mime.shortcut,
    canListChildren: isFolder(item),
    canAddChildren: isFolder(item),
    canCopy: item.canDownload && !isFolder(item),
    canEdit: item.ownedByMe || onSharedDrive(item),
    canRename: item.ownedByMe || onSharedDrive(item),
    canTrash: item.ownedByMe || onSharedDrive(item),
    canDelete: item.ownedByMe || onSharedDrive(item),
    canReadRevisions: item.content !== null && item.canDownload,
    canShare: item.ownedByMe || onSharedDrive(item),
  }),
}

/** Fields that exist in Google's contract and are never there in this simulation. */
const absent: readonly FileField[] = [
  'clientEncryptionDetails',
  'contentHints',
  'contentRestrictions',
  'downloadRestrictions',
  'hasAugmentedPermissions',
  'imageMediaMetadata',
  'labelInfo',
  'lastModifyingUser',
  'linkShareMetadata',
  'modifiedByMeTime',
  'permissions',
  'sharingUser',
  'thumbnailLink',
  'trashedTime',
  'trashingUser',
  'videoMediaMetadata',
  'viewedByMeTime',
]

const rendered = Object.entries(renderers)

/** Every name that a mask may use for a file. */
export const fileFields: ReadonlySet<string> = new Set([
  ...rendered.map(([name]) => name),
  ...absent,
])

/** What comes without a `fields` parameter. */
export const defaultFileFields: FieldMask = new Map(
  ['kind', 'id', 'name', 'mimeType'].map((name) => [name, null]),
)

/** The wanted fields of a file resource; checksums are computed when they are wanted. */
export async function renderFile(
  item: Item,
  mask: FieldMask,
  context: RenderContext,
): Promise<drive_v3.Schema$File> {
  const file: Record<string, unknown> = {}
  for (const [name, render] of rendered) {
    if (!wants(mask, name)) continue
    const made = render(item, context)
    const value = made instanceof Promise ? await made : made
    if (value !== undefined) file[name] = maskedValue(value, inside(mask, name))
  }
  return file
}

/** A person, as `about.user` and `owners` show one. */
export function userResource(email: string, me: boolean): drive_v3.Schema$User {
  const name = email.slice(0, email.indexOf('@'))
  return {
    kind: 'drive#user',
    displayName: name,
    me,
    permissionId: opaque(email),
    emailAddress: email,
  }
}
