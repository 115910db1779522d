import type { Answer, Call } from '../call.ts'
import { invalidParameter, sharedDriveNotFound } from './errors.ts'
import { checkMask, inside, masked, parseFieldMask, wants } from './field-mask.ts'
import type { FieldMask } from './field-mask.ts'
import type { Item } from './item.ts'
import { flag, isRoot, numberParameter, supportsAllDrives } from './listing.ts'
import { defaultFileFields, fileFields, renderFile } from './render-file.ts'
import type { RenderContext } from './render-file.ts'
import type { DriveState } from './state.ts'

const listFields: ReadonlySet<string> = new Set([
  'kind',
  'nextPageToken',
  'newStartPageToken',
  'changes',
])
const changeFields: ReadonlySet<string> = new Set([
  'kind',
  'type',
  'changeType',
  'time',
  'removed',
  'fileId',
  'file',
  'driveId',
  'drive',
  'teamDriveId',
  'teamDrive',
])
const defaultMask: FieldMask = new Map([
  ['kind', null],
  ['nextPageToken', null],
  ['newStartPageToken', null],
  [
    'changes',
    new Map<string, FieldMask>([
      ...['kind', 'type', 'changeType', 'time', 'removed', 'fileId', 'driveId'].map(
        (name) => [name, null] as const,
      ),
      ['file', defaultFileFields],
    ]),
  ],
])

/** changes.getStartPageToken: where a reader of the log that begins now has to begin. */
export function startPageToken(call: Call, state: DriveState): Answer {
  driveAsked(call, state)
  return { json: { kind: 'drive#startPageToken', startPageToken: String(state.changes.next()) } }
}

/** changes.list: one log for the user and one for each shared drive; each item once, with its latest change. */
export async function listChanges(call: Call, context: RenderContext): Promise<Answer> {
  const { state } = context
  const { query } = call
  const size = numberParameter(query, 'pageSize', 100, 1000)
  const fields = query.get('fields')
  const mask = fields === null ? defaultMask : parseFieldMask(fields)
  checkMask(mask, listFields)
  const changeMask = inside(mask, 'changes')
  checkMask(changeMask, changeFields)
  checkMask(inside(changeMask, 'file'), fileFields)
  const driveId = driveAsked(call, state)
  const token = query.get('pageToken')
  if (token === null)
    throw invalidParameter('pageToken', 'Required parameter: pageToken', 'required')
  const from = /^[1-9]\d{0,15}$/.test(token) ? Number(token) : 0
  if (from < 1 || from > state.changes.next()) throw invalidParameter('pageToken')

  const others =
    supportsAllDrives(query) && flag(query, 'includeItemsFromAllDrives', 'includeTeamDriveItems')
  const onlyMyDrive = flag(query, 'restrictToMyDrive')
  const removals = query.get('includeRemoved') !== 'false'
  const changes: unknown[] = []
  let next: number | null = null
  for (const change of state.changes.from(from)) {
    if (
      driveId === null
        ? change.driveId !== null && (!others || onlyMyDrive)
        : change.driveId !== driveId
    )
      continue
    const item = state.get(change.fileId)
    if (
      item === undefined
        ? !removals
        : isRoot(state, item) || (onlyMyDrive && !inMyDrive(state, item))
    )
      continue
    if (changes.length === size) {
      next = change.number
      break
    }
    const facts = {
      kind: 'drive#change',
      type: 'file',
      changeType: 'file',
      time: new Date(change.time).toISOString(),
      removed: item === undefined,
      fileId: change.fileId,
      ...(change.driveId === null ? {} : { driveId: change.driveId, teamDriveId: change.driveId }),
    }
    const file =
      item !== undefined && wants(changeMask, 'file')
        ? { file: await renderFile(item, inside(changeMask, 'file'), context) }
        : {}
    changes.push({ ...masked(facts, changeMask), ...file })
  }
  const top = {
    kind: 'drive#changeList',
    ...(next === null
      ? { newStartPageToken: String(state.changes.next()) }
      : { nextPageToken: String(next) }),
  }
  return {
    json: { ...masked(top, mask), ...(wants(mask, 'changes') ? { changes } : {}) },
  }
}

function driveAsked(call: Call, state: DriveState): string | null {
  const driveId = call.query.get('driveId') ?? call.query.get('teamDriveId')
  if (driveId === null) return null
  if (!supportsAllDrives(call.query))
    throw invalidParameter('driveId', 'The driveId parameter requires supportsAllDrives.')
  if (!state.sharedDrives.has(driveId)) throw sharedDriveNotFound(driveId)
  return driveId
}

function inMyDrive(state: DriveState, item: Item): boolean {
  let above: Item | undefined = item
  while (above !== undefined && above.parent !== null) above = state.get(above.parent)
  return above?.id === state.rootId
}
