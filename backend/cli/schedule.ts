import type { Command } from 'commander'
import { WaybillError } from '../../shared/errors.ts'
import { createAmounts } from './amounts.ts'
import { addScheduleFlags, scheduleOf, scheduleWords, zoneHere } from './schedule-flags.ts'
import type { ScheduleFlags } from './schedule-flags.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface Flags extends SharedFlags, ScheduleFlags {
  readonly off?: true
  readonly json?: true
}

const examples = `
Examples:
  $ waybill schedule JOB --every day --at 02:30
  $ waybill schedule JOB --every week --on mon,thu --at 18:00 --zone Europe/Berlin
  $ waybill schedule JOB --off`

/** Adds `waybill schedule`: says when a job runs by itself, or that it no longer does. */
export function addSchedule(program: Command, shell: Shell): void {
  const command = program
    .command('schedule')
    .description('say when a job runs by itself; waybill serve has to be running then')
    .argument('<job>', 'the id of the job')
  addScheduleFlags(command)
    .option('--off', 'no longer by itself')
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (job: string, _flags, self: Command) => {
      const flags = self.optsWithGlobals<Flags>()
      const schedule = scheduleOf(flags, zoneHere())
      if ((schedule === undefined) === (flags.off !== true))
        throw new WaybillError('invalid_request', 'Say either when, with --every, or --off.')
      await using session = await openSession(shell, flags)
      const { waybill, user } = session
      const view = await waybill.jobs.schedule(user, job, schedule ?? null)
      if (flags.json === true) shell.print(JSON.stringify(view))
      else if (schedule === undefined || view.nextRunAt === null)
        shell.print('This job no longer runs by itself.')
      else {
        const next = createAmounts(shell.locale).date(Date.parse(view.nextRunAt))
        shell.print(`Runs ${scheduleWords(schedule)}, next on ${next}.`)
      }
    })
}
