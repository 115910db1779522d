import type { Command } from 'commander'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill pause` and `waybill cancel`. They reach a run also while another process works on it. */
export function addPauseAndCancel(program: Command, shell: Shell): void {
  const acts = [
    ['pause', 'let a run wait until you resume it', 'Paused. To go on: waybill resume'],
    ['cancel', 'end a run for good', 'Cancelled. To run it again: waybill copy --job'],
  ] as const
  for (const [act, description, said] of acts) {
    program
      .command(act)
      .description(description)
      .argument('<job>', 'the id of the job')
      .action(async (job: string, _flags, command: Command) => {
        await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
        try {
          const { id } = await session.waybill.jobs[act](session.user, job)
          shell.print(`${said} ${id}`)
        } catch (error) {
          if (!hasCode(error, 'wrong_state')) throw error
          const { run } = await session.waybill.jobs.get(session.user, job)
          throw new WaybillError(
            'wrong_state',
            run.state === 'paused'
              ? 'The run is paused already.'
              : 'The last run of this job is over already.',
            { cause: error },
          )
        }
      })
  }
}
