import type { Command } from 'commander'
import { printable } from './printable.ts'
import { providerNames } from './provider-names.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'
import { table } from './table.ts'

/** Adds `waybill connections`: lists the accounts that are connected. */
export function addConnections(program: Command, shell: Shell): void {
  program
    .command('connections')
    .description('list the connected accounts')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: true }, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const connections = await session.waybill.connections.list(session.user)
      if (json) {
        shell.print(JSON.stringify({ connections }))
        return
      }
      if (connections.length === 0)
        shell.tell('No account is connected yet: begin with `waybill connect google-drive`.')
      const rows = connections.map(({ id, provider, account, state }) => [
        id,
        providerNames[provider],
        printable(account),
        state === 'ready' ? 'ready' : `has to be connected again: waybill connect ${provider}`,
      ])
      shell.print(...table(rows))
    })
}
