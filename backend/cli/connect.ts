import { Argument, Option } from 'commander'
import type { Command } from 'commander'
import { accountNames, accountProviders } from '../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../shared/account.ts'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import { readPassphrase } from '../vault/passphrase.ts'
import { fileDescriptor } from './flags.ts'
import { printable } from './printable.ts'
import { openSession, terminalOf } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface Flags extends SharedFlags {
  readonly browser?: true
  readonly access?: DriveTier
  readonly tokenFd?: number
}

/** Adds `waybill connect`: gives a link to connect an account in the browser, or keeps one by its refresh token. */
export function addConnect(program: Command, shell: Shell): void {
  program
    .command('connect')
    .description('connect an account, or connect it again')
    .addArgument(new Argument('<provider>').choices(accountProviders))
    .option('--browser', 'print a link to sign in with, while `waybill serve` is running')
    .addOption(
      new Option('--access <tier>', 'what to ask of a Google Drive in the browser').choices([
        'picked',
        'whole',
      ]),
    )
    .option('--token-fd <number>', 'file descriptor to read a refresh token from', fileDescriptor)
    .addHelpText(
      'after',
      '\nWithout --browser it asks for a refresh token, without showing it. It is never taken from the\ncommand line or the environment, where other programs can read it.\n\nExamples:\n  $ waybill connect dropbox --browser\n  $ waybill connect dropbox --token-fd 3 3< token.txt',
    )
    .action(async (provider: AccountProvider, _flags, command: Command) => {
      const flags = command.optsWithGlobals<Flags>()
      await using session = await openSession(shell, flags)
      if (flags.browser) {
        const asked = { provider, ...(flags.access === undefined ? {} : { tier: flags.access }) }
        const isOwner = flags.user === undefined && session.settings.googleCloud === null
        const { url } = await session.waybill.connectLink(session.user, asked, isOwner)
        shell.print(url)
        shell.tell(
          'Open it within 10 minutes, in a browser that reaches this Waybill. It is for you alone.',
        )
        return
      }
      const token = await readToken(shell, flags, accountNames[provider])
      const { account, id } = await session.waybill.connect(session.user, provider, token)
      shell.print(`Connected ${accountNames[provider]} as ${printable(account)}. (${id})`)
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
      'No refresh token can be read: type it at a terminal, name a file descriptor with --token-fd, or use --browser.',
      { cause },
    )
  }
}
