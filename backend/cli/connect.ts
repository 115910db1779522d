import { Argument } from 'commander'
import type { Command } from 'commander'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { ProviderId } from '../../shared/job.ts'
import { readPassphrase } from '../vault/passphrase.ts'
import { fileDescriptor } from './flags.ts'
import { printable } from './printable.ts'
import { providerNames } from './provider-names.ts'
import { openSession, terminalOf } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface Flags extends SharedFlags {
  readonly tokenFd?: number
}

/** Adds `waybill connect`: keeps an account whose refresh token the person has. */
export function addConnect(program: Command, shell: Shell): void {
  program
    .command('connect')
    .description('connect an account by its refresh token, or give it a new one')
    .addArgument(new Argument('<provider>').choices(Object.keys(providerNames)))
    .option('--token-fd <number>', 'file descriptor to read the refresh token from', fileDescriptor)
    .addHelpText(
      'after',
      '\nThe token is asked for without showing it. It is never taken from the command line or the\nenvironment, where other programs can read it.\n\nExample:\n  $ waybill connect dropbox --token-fd 3 3< token.txt',
    )
    .action(async (provider: ProviderId, _flags, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await using session = await openSession(shell, flags)
      const token = await readToken(shell, flags, providerNames[provider])
      const { account, id } = await session.waybill.connect(session.user, provider, token)
      shell.print(`Connected ${providerNames[provider]} as ${printable(account)}. (${id})`)
    })
}

async function readToken(shell: Shell, { tokenFd }: Flags, provider: string): Promise<string> {
  try {
    const prompt = `Refresh token for ${provider}: `
    const source = tokenFd === undefined ? { prompt } : { fd: tokenFd }
    const bytes = await readPassphrase(source, terminalOf(shell))
    const token = Buffer.from(bytes).toString()
    bytes.fill(0)
    return token
  } catch (cause) {
    if (!hasCode(cause, 'settings_invalid')) throw cause
    throw new WaybillError(
      'settings_invalid',
      'No refresh token can be read: type it at a terminal, or name a file descriptor with --token-fd.',
      { cause },
    )
  }
}
