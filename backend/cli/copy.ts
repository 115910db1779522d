import type { Command } from 'commander'
import { WaybillError } from '../../shared/errors.ts'
import { isOver } from '../../shared/job.ts'
import type { JobKind } from '../../shared/job.ts'
import type { Schedule } from '../../shared/schedule.ts'
import { explain } from '../../shared/words.ts'
import type { JobView } from '../run/jobs.ts'
import { copyRequest, requireSame } from './copy-request.ts'
import type { CopyFlags } from './copy-request.ts'
import { follow } from './follow.ts'
import { goOn } from './resume.ts'
import { addScheduleFlags, scheduleOf, zoneHere } from './schedule-flags.ts'
import type { ScheduleFlags } from './schedule-flags.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface Flags extends SharedFlags, CopyFlags, ScheduleFlags {
  readonly job?: string
  readonly json?: true
}

const about = `
The id of a folder or file is the part of its link after /folders/ or /d/.
Ctrl-C stops at a safe point; nothing is copied twice afterwards.`

const copyExamples = `
Examples:
  $ waybill copy --from drive --to /Copies/Drive
  $ waybill copy --from folder:1AbCdEfGhIj --to /Photos
  $ waybill copy --job JOB      copies what has changed since its last run
${about}`

const backupExamples = `
Examples:
  $ waybill backup --from drive --to /Backups/Drive --every day --at 02:30
  $ waybill backup --job JOB    backs up what has changed, now

A backup deletes nothing, keeps what it replaces as an older version, and asks before it replaces unusually many copies.
Runs by themselves need a Waybill that keeps running: waybill serve.
${about}`

/** Adds `waybill copy` and `waybill backup`: create a job, or run one again, and work on it until the run is over. */
export function addCopy(program: Command, shell: Shell): void {
  addKind(program, shell, {
    kind: 'copy',
    description: 'copy from Google Drive to Dropbox, or run an earlier job again',
    examples: copyExamples,
  })
  addKind(program, shell, {
    kind: 'backup',
    description: 'back up Google Drive to Dropbox, now and by itself from then on',
    examples: backupExamples,
  })
}

function addKind(
  program: Command,
  shell: Shell,
  {
    kind,
    description,
    examples,
  }: { readonly kind: JobKind; readonly description: string; readonly examples: string },
): void {
  const command = program
    .command(kind)
    .description(description)
    .option('--from <what>', 'drive, folder:ID or items:ID,ID')
    .option('--to <folder>', 'path of a folder in Dropbox; made if it is missing')
    .option('--shared-drives', 'with --from drive: every shared drive as well')
    .option('--source <connection>', 'the Google Drive account, if there are several')
    .option('--destination <connection>', 'the Dropbox account, if there are several')
    .option('--job <id>', 'run this job again: only what has changed')
  addScheduleFlags(command)
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', examples)
    .action(async (_flags, self: Command) => {
      const flags = self.optsWithGlobals<Flags>()
      const schedule = scheduleOf(flags, zoneHere())
      await using session = await openSession(shell, flags)
      const begin = await prepare(session, flags, { kind, schedule })
      shell.leaveWith(await follow(session, shell, begin, { json: flags.json === true }))
    })
}

/** Refuses what cannot be right before any run is worked on. */
async function prepare(
  session: Session,
  flags: Flags,
  { kind, schedule }: { readonly kind: JobKind; readonly schedule: Schedule | undefined },
): Promise<() => Promise<JobView>> {
  const { waybill, user } = session
  const { job } = flags
  if (job === undefined) {
    const asked = copyRequest({ ...flags, kind }, await waybill.connections.list(user))
    const request = schedule === undefined ? asked : { ...asked, schedule }
    return async () => waybill.jobs.create(user, request)
  }
  if (schedule !== undefined)
    throw new WaybillError(
      'invalid_request',
      'To say when an earlier job runs by itself: waybill schedule, with its id.',
    )
  const view = await waybill.jobs.get(user, job)
  requireSame(flags, view.request)
  if (isOver(view.run.state)) return async () => waybill.jobs.again(user, job)
  // Whoever runs it again has not been asked yet.
  if (view.run.reason === 'many_changes')
    throw new WaybillError(
      'many_changes',
      `${explain('many_changes').what} To let it go on: waybill resume ${job}, to end this run: waybill cancel ${job}`,
    )
  return async () => goOn(session, view)
}
