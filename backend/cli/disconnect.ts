import type { Command } from 'commander'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

const said = {
  revoked: 'Disconnected: the provider has taken the access back.',
  pending:
    'Disconnected here. The provider cannot be reached: a Waybill that is at work (npm start) tries again for a week. You can also look for yourself at',
  not_offered: 'Disconnected here. Only you can take the access back at the provider:',
} as const

/** Adds `waybill disconnect`: forgets an account, and has its provider take the access back. */
export function addDisconnect(program: Command, shell: Shell): void {
  program
    .command('disconnect')
    .description('forget an account, and take back what it allowed')
    .argument('<connection>', 'the id of the connection: `waybill connections` lists them')
    .action(async (connection: string, _flags, command: Command) => {
      await using session = await openSession(shell, command.optsWithGlobals<SharedFlags>())
      const { outcome, link } = await session.waybill.disconnect(session.user, connection)
      shell.print(outcome === 'revoked' ? said[outcome] : `${said[outcome]} ${link}`)
    })
}
