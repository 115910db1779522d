import type { Answer, Call, Route } from '../call.ts'
import { download, exportFile, exportLink, itemOf } from './download.ts'
import { invalidParameter, sharedDriveNotFound } from './errors.ts'
import { conversions } from './export-formats.ts'
import { opaqueId } from '../random.ts'
import { checkMask, masked, parseFieldMask } from './field-mask.ts'
import { listChanges, startPageToken } from './list-changes.ts'
import { listFiles } from './list-files.ts'
import type { ListingTrouble } from './list-files.ts'
import { numberParameter } from './listing.ts'
import { defaultFileFields, fileFields, renderFile, userResource } from './render-file.ts'
import type { RenderContext } from './render-file.ts'
import type { DriveState, SharedDrive } from './state.ts'

/** What the read side of the API needs. */
export interface ReadSide {
  readonly state: DriveState
  readonly email: string
  /** Whose token a call has. */
  personOf(call: Call): { readonly id: string; readonly email: string }
  readonly trouble: ListingTrouble
  /** Makes an export differ from an earlier one of the same document. */
  readonly exportSalt: () => string
}

const aboutFields: ReadonlySet<string> = new Set([
  'kind',
  'user',
  'storageQuota',
  'exportFormats',
  'importFormats',
  'maxImportSizes',
  'maxUploadSize',
  'appInstalled',
  'canCreateDrives',
  'canCreateTeamDrives',
  'driveThemes',
  'folderColorPalette',
  'teamDriveThemes',
])

/** The operations that change nothing. Prices: developers.google.com/workspace/drive/api/guides/limits. */
export function readRoutes(side: ReadSide): readonly Route[] {
  const { state } = side
  const context = (call: Call): RenderContext => ({
    state,
    email: side.email,
    baseUrl: call.baseUrl,
  })
  const media = (query: URLSearchParams): boolean => query.get('alt') === 'media'
  const link = (kind: string): Route => ({
    name: 'drive.exportLink',
    kind: 'download',
    method: 'GET',
    path: `/feeds/download/${kind}/Export`,
    handle: (call) => exportLink(call, state, side.exportSalt),
  })

  return [
    {
      name: 'drive.files.list',
      kind: 'list',
      method: 'GET',
      path: '/drive/v3/files',
      units: 100,
      handle: (call) => listFiles(call, context(call), side.trouble),
    },
    {
      name: 'drive.files.generateIds',
      kind: 'read',
      method: 'GET',
      path: '/drive/v3/files/generateIds',
      units: 5,
      handle: (call) => generateIds(call, state),
    },
    {
      name: (query) => (media(query) ? 'drive.files.download' : 'drive.files.get'),
      kind: (query) => (media(query) ? 'download' : 'read'),
      method: 'GET',
      path: '/drive/v3/files/{fileId}',
      units: (query) => (media(query) ? 200 : 5),
      handle: (call) => (media(call.query) ? download(call, state) : getFile(call, context(call))),
    },
    {
      name: 'drive.files.export',
      kind: 'download',
      method: 'GET',
      path: '/drive/v3/files/{fileId}/export',
      units: 200,
      handle: (call) => exportFile(call, state, side.exportSalt),
    },
    ...['documents', 'spreadsheets', 'presentations', 'drawings'].map(link),
    {
      name: 'drive.about.get',
      kind: 'read',
      method: 'GET',
      path: '/drive/v3/about',
      units: 5,
      handle: (call) => about(call, side),
    },
    {
      name: 'drive.changes.getStartPageToken',
      kind: 'read',
      method: 'GET',
      path: '/drive/v3/changes/startPageToken',
      units: 5,
      handle: (call) => startPageToken(call, state),
    },
    {
      name: 'drive.changes.list',
      kind: 'list',
      method: 'GET',
      path: '/drive/v3/changes',
      units: 100,
      handle: (call) => listChanges(call, context(call)),
    },
    {
      name: 'drive.drives.list',
      kind: 'list',
      method: 'GET',
      path: '/drive/v3/drives',
      units: 100,
      handle: (call) => listDrives(call, state),
    },
    {
      name: 'drive.drives.get',
      kind: 'read',
      method: 'GET',
      path: '/drive/v3/drives/{driveId}',
      units: 5,
      handle(call) {
        const drive = state.sharedDrives.get(call.params['driveId'] ?? '')
        if (drive === undefined) throw sharedDriveNotFound(call.params['driveId'] ?? '')
        return chosen(call, driveResource(drive))
      },
    },
  ]
}

async function getFile(call: Call, context: RenderContext): Promise<Answer> {
  const fields = call.query.get('fields')
  const mask = fields === null ? defaultFileFields : parseFieldMask(fields)
  checkMask(mask, fileFields)
  return { json: await renderFile(itemOf(call, context.state), mask, context) }
}

function generateIds(call: Call, state: DriveState): Answer {
  const count = numberParameter(call.query, 'count', 10, 1000)
  const ids = Array.from({ length: count }, () => state.newId())
  return { json: { kind: 'drive#generatedIds', space: call.query.get('space') ?? 'drive', ids } }
}

function about(call: Call, side: ReadSide): Answer {
  const fields = call.query.get('fields')
  if (fields === null)
    throw invalidParameter(
      'fields',
      "The 'fields' parameter is required for this method.",
      'required',
    )
  const mask = parseFieldMask(fields)
  checkMask(mask, aboutFields)
  let used = 0
  for (const item of side.state.items) used += item?.content?.size ?? 0
  const quota = {
    limit: '16106127360',
    usage: String(used),
    usageInDrive: String(used),
    usageInDriveTrash: '0',
  }
  const resource = {
    kind: 'drive#about',
    user: aboutUser(side.personOf(call)),
    storageQuota: quota,
    ...conversions(),
    maxImportSizes: { 'application/vnd.google-apps.document': '10485760' },
    maxUploadSize: '5497558138880',
    appInstalled: true,
    canCreateDrives: true,
  }
  return { json: masked(resource, mask) }
}

/** The id stays when the address changes. */
function aboutUser({ id, email }: { readonly id: string; readonly email: string }) {
  return { ...userResource(email, true), permissionId: opaqueId(`permission ${id}`, 20) }
}

function listDrives(call: Call, state: DriveState): Answer {
  const size = numberParameter(call.query, 'pageSize', 10, 100)
  const token = call.query.get('pageToken')
  const all = [...state.sharedDrives.values()]
  const start = token === null ? 0 : all.findIndex((drive) => drive.id === token)
  if (start < 0) throw invalidParameter('pageToken')
  const next = all[start + size]
  return chosen(call, {
    kind: 'drive#driveList',
    ...(next === undefined ? {} : { nextPageToken: next.id }),
    drives: all.slice(start, start + size).map(driveResource),
  })
}

function driveResource(drive: SharedDrive): Readonly<Record<string, unknown>> {
  return {
    kind: 'drive#drive',
    id: drive.id,
    name: drive.name,
    createdTime: new Date(drive.createdTime).toISOString(),
    hidden: false,
    capabilities: { canDownload: true, canListChildren: true, canAddChildren: true, canEdit: true },
  }
}

function chosen(call: Call, resource: object): Answer {
  const fields = call.query.get('fields')
  return { json: fields === null ? resource : masked(resource, parseFieldMask(fields)) }
}
