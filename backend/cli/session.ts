import { readSettings } from '../config.ts'
import type { Settings } from '../config.ts'
import { createLog } from '../log.ts'
import type { Log } from '../log.ts'
import { createMetrics } from '../log/metrics.ts'
import { createTracing } from '../log/tracing.ts'
import type { Waybill } from '../main.ts'
import { exportMetrics } from '../main/export-metrics.ts'
import { faultOf } from '../main/fault-of.ts'
import type { Platform } from '../main/platform.ts'
import { createRandomBytes } from '../vault/random-bytes.ts'
import { userIdOf } from '../api/user-id.ts'
import { readPassphrase } from '../vault/passphrase.ts'
import type { PassphraseSource } from '../vault/passphrase.ts'
import { readWalletFile, walletFiles } from '../vault/wallet-file.ts'
import { openWallet } from '../vault/wallet.ts'
import type { Shell } from './shell.ts'

/** The flags that every command takes. */
export interface SharedFlags {
  readonly store?: string
  readonly wallet?: string
  readonly user?: string
  readonly passphraseFd?: number
  readonly passphraseFile?: string
}

/** Waybill, opened for one person. */
export interface Session extends AsyncDisposable {
  readonly waybill: Waybill
  /** Our own id of the person whose jobs and connections these are. */
  readonly user: string
  readonly settings: Settings
}

/**
 * Opens the platform (on one machine the wallet first), then everything else.
 *
 * @param options.log whether to write a log even though `LOG_LEVEL` does not ask for one: beside a progress display it
 * is in the way
 * @throws WaybillError `settings_invalid`, `wallet_missing`, `wrong_passphrase`, `store_newer` and the like
 */
export async function openSession(
  shell: Shell,
  flags: SharedFlags,
  options: { readonly log: boolean } = { log: false },
): Promise<Session> {
  const settings = readSettings({
    ...shell.environment,
    ...(flags.store === undefined ? {} : { WAYBILL_STORE: flags.store }),
    ...(flags.wallet === undefined ? {} : { WAYBILL_WALLET: flags.wallet }),
  })
  const isWanted = options.log || (shell.environment['LOG_LEVEL'] ?? '').trim() !== ''
  const tracing = createTracing(settings.googleCloud?.project ?? null)
  const metrics = settings.metricsUrl === null ? null : await exportMetrics(settings.metricsUrl)
  const log = createLog({
    write: (line) => shell.errors.write(line),
    clock: shell.now,
    trace: tracing.current,
    ...(metrics === null ? {} : { heard: createMetrics(metrics.meter) }),
    level: isWanted ? settings.logLevel : 'silent',
  })
  // The providers' libraries take half a second to load: only who needs them waits for them.
  const [platform, { openWaybill }] = await Promise.all([
    openPlatform(shell, settings, flags, log),
    import('../main.ts'),
  ])
  const waybill = openWaybill({ settings, platform, log, tracing })
  const user =
    flags.user === undefined
      ? userIdOf('waybill', 'local-owner')
      : userIdOf('https://accounts.google.com', flags.user)
  const close = async (): Promise<void> => {
    await waybill.close()
    await metrics?.close()
  }
  return { waybill, user, settings, [Symbol.asyncDispose]: close }
}

async function openPlatform(
  shell: Shell,
  settings: Settings,
  flags: SharedFlags,
  log: Log,
): Promise<Platform> {
  const { now } = shell
  if (settings.googleCloud !== null) {
    const { openGoogleCloud } = await import('../main/in-google-cloud.ts')
    return openGoogleCloud(settings.googleCloud, { now })
  }
  const [wallet, { openOneMachine }] = await Promise.all([
    openWalletFor(shell, settings.wallet, flags),
    import('../main/on-one-machine.ts'),
  ])
  const report = (event: string, error: unknown): void => log.error(event, faultOf(error))
  return openOneMachine(settings, wallet, { now, random: createRandomBytes(), report })
}

/**
 * Asks for the passphrase, if there is a wallet, and opens it.
 *
 * @throws WaybillError as `openWallet` and `readPassphrase`
 */
export async function openWalletFor(shell: Shell, path: string, flags: SharedFlags) {
  await readWalletFile(walletFiles, path)
  const passphrase = await readPassphrase(
    passphraseSource(flags, 'Passphrase of the wallet: '),
    terminalOf(shell),
  )
  try {
    return await openWallet(path, passphrase, { files: walletFiles })
  } finally {
    passphrase.fill(0)
  }
}

/** @returns where the passphrase comes from: a file descriptor, a file, or else the question `prompt`. */
export function passphraseSource(
  { passphraseFd, passphraseFile }: Pick<SharedFlags, 'passphraseFd' | 'passphraseFile'>,
  prompt: string,
): PassphraseSource {
  if (passphraseFd !== undefined) return { fd: passphraseFd }
  if (passphraseFile !== undefined) return { file: passphraseFile }
  return { prompt }
}

/** @returns where to ask for secrets: what is typed is read from standard input, the question is no result. */
export function terminalOf({ input, errors }: Shell) {
  return { input, output: errors }
}
