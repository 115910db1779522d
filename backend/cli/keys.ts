import type { Command } from 'commander'
import { createAmounts } from './amounts.ts'
import { listenForInterrupts } from './interrupts.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

/** Adds `waybill keys rewrap`, for whoever runs Waybill: after the outermost key has a new version. */
export function addKeys(program: Command, shell: Shell): void {
  program
    .command('keys')
    .description('look after the keys that protect everybody’s keys')
    .command('rewrap')
    .description('put every person’s key under the newest outer key, so that older ones can go')
    .action(async (_flags, command: Command) => {
      using interrupts = listenForInterrupts(process)
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const { count } = createAmounts(shell.locale)
      const done = await session.waybill.rewrapKeys(interrupts.signal)
      shell.print(`${count(done.rewrapped)} put under the newest, ${count(done.left)} left.`)
      if (done.left === 0) {
        shell.print('No key is under an older one: wait some days, then the older ones can go.')
        return
      }
      shell.tell('Keep the older ones, and do this again later: what is left goes on working.')
      if (done.refused > 0)
        shell.tell(`${count(done.refused)} of them are damaged, and will be left each time.`)
      shell.leaveWith(1)
    })
}
