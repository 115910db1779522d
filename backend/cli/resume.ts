import type { Command } from 'commander'
import { WaybillError } from '../../shared/errors.ts'
import { isOver } from '../../shared/job.ts'
import type { JobView } from '../run/jobs.ts'
import { follow } from './follow.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill resume`: goes on with a run that is not over, until it is. */
export function addResume(program: Command, shell: Shell): void {
  program
    .command('resume')
    .description('go on with a run that was stopped or paused')
    .argument('<job>', 'the id of the job')
    .option('--json', 'print one JSON object at the end')
    .action(async (job: string, { json }: { readonly json?: true }, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const view = await session.waybill.jobs.get(session.user, job)
      if (isOver(view.run.state))
        throw new WaybillError(
          'wrong_state',
          'The last run of this job is over. To run it again: waybill copy --job, with the same id.',
        )
      const begin = async (): Promise<JobView> => goOn(session, view)
      shell.leaveWith(await follow(session, shell, begin, { json: json === true }))
    })
}

/** Lets a run that is not over go on. */
export async function goOn({ waybill, user }: Session, { id, run }: JobView): Promise<JobView> {
  return run.state === 'paused' ? waybill.jobs.resume(user, id) : waybill.jobs.get(user, id)
}
