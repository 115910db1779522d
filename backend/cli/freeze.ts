import type { Command } from 'commander'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill freeze` and `waybill unfreeze`: a person's own emergency stop. */
export function addFreeze(program: Command, shell: Shell): void {
  const acts = [
    [
      'freeze',
      'stop everything, and let nothing begin',
      'Frozen: what is at work stops within a minute. To go on: waybill unfreeze',
    ],
    ['unfreeze', 'end a freeze', 'Not frozen any more: what was stopped goes on.'],
  ] as const
  for (const [act, description, said] of acts) {
    program
      .command(act)
      .description(description)
      .action(async (_flags, command: Command) => {
        await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
        await session.waybill[act](session.user)
        shell.print(said)
      })
  }
}
