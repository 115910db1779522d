import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import { readPassphrase, requireStrongPassphrase } from '../vault/passphrase.ts'
import { readWalletFile, walletFiles } from '../vault/wallet-file.ts'
import { changePassphrase, createWallet } from '../vault/wallet.ts'
import { createAmounts } from './amounts.ts'
import { fileDescriptor } from './flags.ts'
import { openWalletFor, passphraseSource, terminalOf } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface NextFlags extends SharedFlags {
  readonly nextFd?: number
  readonly nextFile?: string
}

const advice =
  'Keep the passphrase and a copy of this file in different safe places: without both, nobody can open what is stored.'

/** Adds `waybill wallet create`, `wallet passphrase` and `wallet info`. */
export function addWallet(program: Command, shell: Shell): void {
  const wallet = program
    .command('wallet')
    .description('make the file that holds the keys, look at it, or change its passphrase')
  const effects = {
    files: walletFiles,
    random: (bytes: number) => randomBytes(bytes),
    now: shell.now,
  }

  wallet
    .command('create')
    .description('make a wallet, locked with a passphrase')
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<SharedFlags>()
      const path = walletPath(shell, flags)
      await requireNone(path)
      const passphrase = await newPassphrase(shell, flags, 'Passphrase for the new wallet: ')
      try {
        await createWallet(path, passphrase, effects)
      } finally {
        passphrase.fill(0)
      }
      shell.print(`The wallet is at ${path}.`)
      shell.tell(advice)
    })

  wallet
    .command('passphrase')
    .description('lock the wallet with another passphrase')
    .option('--next-fd <number>', 'file descriptor to read the new passphrase from', fileDescriptor)
    .option('--next-file <path>', 'file to read the new passphrase from')
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<NextFlags>()
      const path = walletPath(shell, flags)
      await readWalletFile(walletFiles, path)
      const present = await readPassphrase(
        passphraseSource(flags, 'Present passphrase: '),
        terminalOf(shell),
      )
      const next = await newPassphrase(shell, nextSource(flags), 'New passphrase: ')
      try {
        await changePassphrase(path, { present, next }, effects)
      } finally {
        present.fill(0)
        next.fill(0)
      }
      shell.print('The wallet has its new passphrase.')
      shell.tell('Copies of the file made before still open with the old one.')
    })

  wallet
    .command('info')
    .description('show what a wallet holds, without any key')
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<SharedFlags>()
      const path = walletPath(shell, flags)
      const { created, passphraseSetAt, keks } = await openWalletFor(shell, path, flags)
      const { date, count } = createAmounts(shell.locale)
      const retired = keks.filter(({ state }) => state === 'retired').length
      shell.print(
        `Wallet      ${path}`,
        `Created     ${date(Date.parse(created))}`,
        `Passphrase  set ${date(Date.parse(passphraseSetAt))}`,
        `Keys        ${count(keks.length - retired)} in use, ${count(retired)} retired`,
      )
    })
}

/** These commands come before any other setting is made, so they do not ask for them. */
function walletPath({ environment }: Shell, { wallet }: SharedFlags): string {
  const set = environment['WAYBILL_WALLET']
  return wallet ?? (set?.trim() ? set : './wallet.age')
}

/** Says so before anybody thinks of a passphrase. */
async function requireNone(path: string): Promise<void> {
  try {
    await readWalletFile(walletFiles, path)
  } catch (error) {
    if (hasCode(error, 'wallet_missing')) return
    throw error
  }
  throw new WaybillError('wallet_exists', 'There is a wallet already.')
}

function nextSource({ nextFd, nextFile }: NextFlags) {
  if (nextFd !== undefined) return { passphraseFd: nextFd }
  return nextFile === undefined ? {} : { passphraseFile: nextFile }
}

/** At a terminal it is asked for twice, because nobody sees what they type. */
async function newPassphrase(
  shell: Shell,
  from: Pick<SharedFlags, 'passphraseFd' | 'passphraseFile'>,
  prompt: string,
): Promise<Uint8Array> {
  const source = passphraseSource(from, prompt)
  const passphrase = await readPassphrase(source, terminalOf(shell))
  requireStrongPassphrase(passphrase)
  if (!('prompt' in source)) return passphrase
  const again = await readPassphrase({ prompt: 'The same once more: ' }, terminalOf(shell))
  const isSame = Buffer.from(passphrase).equals(again)
  again.fill(0)
  if (isSame) return passphrase
  passphrase.fill(0)
  throw new WaybillError('cancelled', 'The two passphrases are not the same: begin again')
}
