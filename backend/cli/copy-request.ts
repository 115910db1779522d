import { isDeepStrictEqual } from 'node:util'
import { accountNames } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { JobKind, JobRequest, ProviderId, Selection } from '../../shared/job.ts'
import { jobRequest } from '../api/schemas.ts'
import type { ConnectionView } from '../connect/connections-view.ts'

/** What the flags of `waybill copy` say about what is copied and where to. */
export interface CopyFlags {
  readonly from?: string
  readonly to?: string
  readonly sharedDrives?: true
  readonly source?: string
  readonly destination?: string
}

/**
 * Turns the flags of `waybill copy` and `waybill backup` into a request.
 *
 * @param connections all of the person's: one that is the only one of its provider need not be named
 * @throws WaybillError `invalid_request`, which says which flag is missing or wrong
 */
export function copyRequest(
  flags: CopyFlags & { readonly kind: JobKind },
  connections: readonly ConnectionView[],
): JobRequest {
  const { kind, from, to } = flags
  if (from === undefined || to === undefined)
    throw invalid(
      'Say what to copy and where to: --from drive --to /Folder. Or run a job again: --job ID.',
    )
  const request: JobRequest = {
    kind,
    source: {
      connection: connectionOf('google-drive', flags.source, '--source', connections),
      selection: selectionOf(from, flags.sharedDrives === true),
    },
    destination: {
      connection: connectionOf('dropbox', flags.destination, '--destination', connections),
      folder: to,
    },
  }
  const checked = jobRequest.safeParse(request)
  if (checked.success) return checked.data
  const isFolder = checked.error.issues.some(({ path }) => path.includes('folder'))
  throw isFolder
    ? invalid('--to must be a folder by its path from the top of the account, like /Backups/Drive.')
    : invalid(
        '--from holds an id that cannot be right: take the part of its link after /folders/ or /d/.',
      )
}

/**
 * Checks that flags given beside `--job` say what the job is about anyway.
 *
 * @throws WaybillError `invalid_request` when they say something else
 */
export function requireSame(flags: CopyFlags, { source, destination }: JobRequest): void {
  const { from } = flags
  const same =
    (from === undefined
      ? flags.sharedDrives === undefined
      : isDeepStrictEqual(selectionOf(from, flags.sharedDrives === true), source.selection)) &&
    (flags.to ?? destination.folder) === destination.folder &&
    (flags.source ?? source.connection) === source.connection &&
    (flags.destination ?? destination.connection) === destination.connection
  if (!same)
    throw invalid(
      'This job copies something else than the other flags say: leave them out, or leave out --job.',
    )
}

function selectionOf(from: string, sharedDrives: boolean): Selection {
  if (from === 'drive') return { kind: 'drive', sharedDrives }
  if (sharedDrives) throw invalid('--shared-drives goes with --from drive only.')
  const [, kind, ids] = /^(folder|items):(.+)$/.exec(from) ?? []
  if (kind === 'folder' && ids !== undefined) return { kind, id: ids }
  if (kind === 'items' && ids !== undefined) return { kind, ids: ids.split(',') }
  throw invalid('--from must be drive, folder:ID or items:ID,ID.')
}

function connectionOf(
  provider: ProviderId,
  named: string | undefined,
  flag: string,
  connections: readonly ConnectionView[],
): string {
  const fitting = connections.filter((each) => each.provider === provider)
  const [only, second] = named === undefined ? fitting : fitting.filter(({ id }) => id === named)
  const name = accountNames[provider]
  if (only === undefined) {
    throw invalid(
      named === undefined
        ? `No ${name} account is connected yet: begin with \`waybill connect ${provider}\`.`
        : `${flag} names no ${name} account of yours: \`waybill connections\` lists them.`,
    )
  }
  if (second !== undefined)
    throw invalid(
      `Several ${name} accounts are connected: say which one with ${flag}. \`waybill connections\` lists them.`,
    )
  return only.id
}

function invalid(message: string): WaybillError {
  return new WaybillError('invalid_request', message)
}
