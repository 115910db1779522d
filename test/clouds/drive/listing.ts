import { googleRefusal, invalidParameter, sharedDriveNotFound } from './errors.ts'
import type { Item } from './item.ts'
import type { DriveState } from './state.ts'

/** Which items a listing or a change log shows to the caller. */
export interface Corpus {
  readonly driveId: string | null
  /** True when no shared drive was asked for by name: `incompleteSearch` can only happen then. */
  readonly allDrives: boolean
  shows(item: Item): boolean
}

/** A whole number from a parameter. Throws the refusal with status 400 when it is out of range. */
export function numberParameter(
  query: URLSearchParams,
  name: string,
  fallback: number,
  most: number,
): number {
  const text = query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw invalidParameter(
      name,
      `Invalid value '${text}'. Values must be within the range: [1, ${most}]`,
      'invalidParameter',
    )
  return value
}

/** A flag from a parameter, under its name or its old one. */
export function flag(query: URLSearchParams, name: string, oldName?: string): boolean {
  return query.get(name) === 'true' || (oldName !== undefined && query.get(oldName) === 'true')
}

/** Whether the caller said that it knows about shared drives. */
export function supportsAllDrives(query: URLSearchParams): boolean {
  return flag(query, 'supportsAllDrives', 'supportsTeamDrives')
}

/**
 * The corpus of a files.list, https://developers.google.com/workspace/drive/api/guides/enable-shareddrives.
 * `parents` are those that the query names: a folder of a shared drive brings its drive with it.
 */
export function listCorpus(
  state: DriveState,
  query: URLSearchParams,
  parents: readonly string[] | null,
): Corpus {
  const supported = supportsAllDrives(query)
  const included = flag(query, 'includeItemsFromAllDrives', 'includeTeamDriveItems')
  const corpora = query.get('corpora') ?? 'user'
  const driveId = query.get('driveId') ?? query.get('teamDriveId')
  if (included && !supported)
    throw invalidParameter(
      'includeItemsFromAllDrives',
      'The includeItemsFromAllDrives parameter requires supportsAllDrives.',
    )
  if (driveId !== null && corpora !== 'drive')
    throw invalidParameter(
      'corpora',
      'The driveId parameter must be specified if and only if corpora is set to drive.',
      'teamDrivesParentLimit',
    )
  switch (corpora) {
    case 'user':
    case 'domain': {
      const named = new Set((parents ?? []).map((id) => state.get(id)?.driveId ?? null))
      return {
        driveId: null,
        allDrives: false,
        shows: (item) => item.driveId === null || (included && named.has(item.driveId)),
      }
    }
    case 'allDrives':
      if (!included) throw needsAllDrives()
      return { driveId: null, allDrives: true, shows: () => true }
    case 'drive': {
      if (driveId === null)
        throw invalidParameter(
          'driveId',
          'The driveId parameter is required when corpora is drive.',
          'required',
        )
      if (!included) throw needsAllDrives()
      if (!state.sharedDrives.has(driveId)) throw sharedDriveNotFound(driveId)
      return { driveId, allDrives: false, shows: (item) => item.driveId === driveId }
    }
    default:
      throw invalidParameter('corpora')
  }
}

function needsAllDrives(): Error {
  const message =
    'Both includeItemsFromAllDrives and supportsAllDrives must be true for this corpus.'
  return googleRefusal(403, 'teamDriveDomainUsersOnlyRestriction', message)
}

/** Whether an item is a root, which no listing shows. */
export function isRoot(state: DriveState, item: Item): boolean {
  return item.id === state.rootId || item.id === item.driveId
}
