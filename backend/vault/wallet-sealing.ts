import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { WaybillError } from '../../shared/errors.ts'
import type { WalletContents } from './wallet-contents.ts'

// A standard age file (https://age-encryption.org/v1) under a passphrase: 2^18 rounds of scrypt take a second and
// 256 MiB. OWASP asks for 2^17 at least; a file that asks for more than 2^20 is there to exhaust us.
const WORK_FACTOR = 18
const MAX_WORK_FACTOR = 20
const MAX_FILE_BYTES = 1024 * 1024
const HEADER =
  /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n/
// Nonce of 16 bytes and the tag of a last chunk that is not empty.
const MIN_BODY_BYTES = 33

/** What the process is asked to do. */
export type WalletWork =
  | {
      readonly kind: 'seal'
      readonly contents: WalletContents
      readonly passphrase: Uint8Array
      readonly workFactor: number
    }
  | {
      readonly kind: 'open'
      readonly sealed: Uint8Array
      readonly passphrase: Uint8Array
    }

/** What the process answers. */
export type WalletAnswer =
  | { readonly sealed: Uint8Array }
  | { readonly contents: WalletContents }
  | { readonly refused: 'wrong_passphrase' | 'wallet_corrupt' }

/**
 * Seals a wallet's contents into an age file, in a process of its own.
 *
 * @param workFactor base-2 logarithm of the rounds of scrypt; only tests ask for less than 18.
 * @throws WaybillError `internal` when that process died, for example for want of memory.
 */
export async function sealWallet(
  contents: WalletContents,
  passphrase: Uint8Array,
  workFactor: number = WORK_FACTOR,
): Promise<Uint8Array> {
  const copy = Uint8Array.from(passphrase)
  const answer = await inProcess({ kind: 'seal', contents, passphrase: copy, workFactor })
  if (!('sealed' in answer)) throw died()
  return answer.sealed
}

/**
 * Opens an age file with a passphrase, in a process of its own.
 *
 * @throws WaybillError `wallet_corrupt` when the file is damaged or no wallet, `wrong_passphrase` when the passphrase
 * does not open it (nobody can tell that from damage to the 48 bytes the passphrase alone protects), `internal` when
 * that process died.
 */
export async function unsealWallet(
  sealed: Uint8Array,
  passphrase: Uint8Array,
): Promise<WalletContents> {
  requireWalletFile(sealed)
  const copy = Uint8Array.from(passphrase)
  const answer = await inProcess({ kind: 'open', sealed, passphrase: copy })
  if ('contents' in answer) return answer.contents
  if (!('refused' in answer)) throw died()
  if (answer.refused === 'wallet_corrupt') throw corrupt('The wallet file is damaged')
  throw new WaybillError('wrong_passphrase', 'The passphrase does not open the wallet')
}

/** Recognises damage that needs no passphrase, before any memory is spent. */
function requireWalletFile(sealed: Uint8Array): void {
  const start = Buffer.from(sealed.subarray(0, 256)).toString('latin1')
  const [header, factor] = HEADER.exec(start) ?? []
  if (header === undefined) throw corrupt('The wallet file is not an age file with a passphrase')
  if (Number(factor) > MAX_WORK_FACTOR) throw corrupt('The wallet file asks for too much memory')
  if (sealed.length < header.length + MIN_BODY_BYTES || sealed.length > MAX_FILE_BYTES) {
    throw corrupt('The wallet file is damaged')
  }
}

async function inProcess(work: WalletWork): Promise<WalletAnswer> {
  const child = fork(fileURLToPath(new URL('wallet-process.ts', import.meta.url)), {
    // Bytes stay bytes on the way, and nothing of this process's settings goes along.
    serialization: 'advanced',
    env: {},
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    let answer: WalletAnswer | undefined
    child.once('message', (message: WalletAnswer) => {
      answer = message
    })
    child.once('error', (cause) => reject(died(cause)))
    // Not before it has ended: only then its memory has gone back.
    child.once('exit', () => (answer === undefined ? reject(died()) : resolve(answer)))
    child.send(work, (cause) => {
      work.passphrase.fill(0)
      if (cause !== null) reject(died(cause))
    })
  })
}

function corrupt(message: string): WaybillError {
  return new WaybillError('wallet_corrupt', `${message}; restore it from a copy`)
}

function died(cause?: unknown): WaybillError {
  return new WaybillError('internal', 'The wallet could not be processed', { cause })
}
