import type { Command } from 'commander'
import { isOver } from '../../shared/job.ts'
import type { JobView } from '../run/jobs.ts'
import { copyRequest, requireSame } from './copy-request.ts'
import type { CopyFlags } from './copy-request.ts'
import { follow } from './follow.ts'
import { goOn } from './resume.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface Flags extends SharedFlags, CopyFlags {
  readonly job?: string
  readonly json?: true
}

const examples = `
Examples:
  $ waybill copy --from drive --to /Backups/Drive
  $ waybill copy --from folder:1AbCdEfGhIj --to /Photos
  $ waybill copy --job JOB      copies what has changed since its last run

The id of a folder or file is the part of its link after /folders/ or /d/.
Ctrl-C stops at a safe point; nothing is copied twice afterwards.`

/** Adds `waybill copy`: creates a job, or runs one again, and works on it until the run is over. */
export function addCopy(program: Command, shell: Shell): void {
  program
    .command('copy')
    .description('copy from Google Drive to Dropbox, or run an earlier job again')
    .option('--from <what>', 'drive, folder:ID or items:ID,ID')
    .option('--to <folder>', 'path of a folder in Dropbox; made if it is missing')
    .option('--shared-drives', 'with --from drive: every shared drive as well')
    .option('--source <connection>', 'the Google Drive account, if there are several')
    .option('--destination <connection>', 'the Dropbox account, if there are several')
    .option('--job <id>', 'run this job again: copies only what has changed')
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', examples)
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await using session = await openSession(shell, flags)
      const begin = await prepare(session, flags)
      shell.leaveWith(await follow(session, shell, begin, { json: flags.json === true }))
    })
}

/** Refuses what cannot be right before any run is worked on. */
async function prepare(session: Session, flags: Flags): Promise<() => Promise<JobView>> {
  const { waybill, user } = session
  const { job } = flags
  if (job === undefined) {
    const request = copyRequest(flags, await waybill.connections.list(user))
    return async () => waybill.jobs.create(user, request)
  }
  const view = await waybill.jobs.get(user, job)
  requireSame(flags, view.request)
  if (isOver(view.run.state)) return async () => waybill.jobs.again(user, job)
  return async () => goOn(session, view)
}
