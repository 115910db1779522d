import type { Command } from 'commander'
import { accountNames } from '../../shared/account.ts'
import type { AccountProvider } from '../../shared/account.ts'
import type { ConnectionView } from '../connect/connections-view.ts'
import { printable } from './printable.ts'
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
        accountNames[provider],
        printable(account),
        inWords(state, provider),
      ])
      shell.print(...table(rows))
    })
}

function inWords(state: ConnectionView['state'], provider: AccountProvider): string {
  if (state === 'ready') return 'ready'
  if (state === 'unconfirmed') return 'not confirmed yet: look at it in the browser'
  return `has to be connected again: waybill connect ${provider}`
}
