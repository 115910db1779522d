import { createHash, createPrivateKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { RandomBytes } from './cobblestone.ts'
import { requireStrongPassphrase } from './passphrase.ts'
import type { WalletContents } from './wallet-contents.ts'
import { placeWalletFile, readWalletFile } from './wallet-file.ts'
import type { Placement, WalletFiles } from './wallet-file.ts'
import { sealWallet, unsealWallet } from './wallet-sealing.ts'

const KEK_BYTES = 32
const ID_BYTES = 16

/** A key-encryption key. A `retired` one unwraps but does not wrap. */
export interface Kek {
  readonly id: string
  readonly key: KeyObject
  /** ISO 8601. */
  readonly created: string
  readonly state: 'active' | 'retired'
}

/** An Ed25519 private key. */
interface SignKey {
  readonly id: string
  readonly key: KeyObject
  /** ISO 8601. */
  readonly created: string
}

/** An opened wallet. Its keys are in memory until nothing refers to them any more. */
export interface Wallet {
  readonly keks: readonly Kek[]
  readonly signKeys: readonly SignKey[]
  /** ISO 8601, as is `passphraseSetAt`. */
  readonly created: string
  readonly passphraseSetAt: string
}

/** What making or changing a wallet needs of the world. */
export interface WalletEffects {
  readonly files: WalletFiles
  readonly random: RandomBytes
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Base-2 logarithm of the rounds of scrypt, 18 unless told. Only tests ask for less. */
  readonly workFactor?: number
}

/**
 * Makes a wallet: an age file with one KEK and one signing key. Takes two seconds.
 *
 * @throws WaybillError `passphrase_weak`, or `wallet_exists` when there is a file of that name.
 */
export async function createWallet(
  path: string,
  passphrase: Uint8Array,
  effects: WalletEffects,
): Promise<Wallet> {
  requireStrongPassphrase(passphrase)
  const created = new Date(effects.now()).toISOString()
  // OpenSSL's own random source makes this key; node:crypto takes no other.
  const signKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  const contents: WalletContents = {
    keks: [newKek(effects.random, created)],
    signKeys: [{ id: newId(effects.random), key: Uint8Array.from(signKey), created }],
    created,
    passphraseSetAt: created,
  }
  signKey.fill(0)
  await write(path, contents, passphrase, 'new', effects)
  return toWallet(contents)
}

/**
 * Opens a wallet. Takes a second and, for that second, 256 MiB.
 *
 * @throws WaybillError `wallet_missing`, `wallet_corrupt` or `wrong_passphrase`.
 */
export async function openWallet(
  path: string,
  passphrase: Uint8Array,
  { files }: Pick<WalletEffects, 'files'>,
): Promise<Wallet> {
  return toWallet(await unsealWallet(await readWalletFile(files, path), passphrase))
}

/**
 * Seals a wallet under another passphrase. The keys stay the same, so nothing else has to be written. Killed at any
 * moment, it leaves a file that opens with the present passphrase or the next one. Takes three seconds.
 *
 * @throws WaybillError `passphrase_weak` for the next one, or as {@link openWallet}.
 */
export async function changePassphrase(
  path: string,
  passphrases: { readonly present: Uint8Array; readonly next: Uint8Array },
  effects: WalletEffects,
): Promise<void> {
  requireStrongPassphrase(passphrases.next)
  const sealed = await readWalletFile(effects.files, path)
  const contents = await unsealWallet(sealed, passphrases.present)
  const passphraseSetAt = new Date(effects.now()).toISOString()
  await write(path, { ...contents, passphraseSetAt }, passphrases.next, 'replace', effects)
  wipe(contents)
}

/**
 * Adds a KEK to a wallet; from then on it is the one that wraps. DEKs wrapped under older ones still unwrap.
 *
 * @throws WaybillError as {@link openWallet}.
 */
export async function addKek(
  path: string,
  passphrase: Uint8Array,
  effects: WalletEffects,
): Promise<Wallet> {
  const contents = await unsealWallet(await readWalletFile(effects.files, path), passphrase)
  const kek = newKek(effects.random, new Date(effects.now()).toISOString())
  const grown = { ...contents, keks: [...contents.keks, kek] }
  await write(path, grown, passphrase, 'replace', effects)
  return toWallet(grown)
}

async function write(
  path: string,
  contents: WalletContents,
  passphrase: Uint8Array,
  placement: Placement,
  { files, workFactor }: WalletEffects,
): Promise<void> {
  const sealed = await sealWallet(contents, passphrase, workFactor)
  await placeWalletFile(files, path, sealed, placement, async (written) => {
    const reread = await unsealWallet(written, passphrase)
    const same = fingerprintOf(reread) === fingerprintOf(contents)
    wipe(reread)
    if (!same) throw new WaybillError('wallet_corrupt', 'The new wallet file did not read back')
  })
}

/** A digest of everything a wallet holds, so that two are compared without turning keys into strings. */
function fingerprintOf({ keks, signKeys, created, passphraseSetAt }: WalletContents): string {
  const kekFacts = keks.map((kek) => [kek.id, kek.key.length, kek.created, kek.state])
  const signKeyFacts = signKeys.map((signKey) => [signKey.id, signKey.key.length, signKey.created])
  const hash = createHash('sha256')
  hash.update(JSON.stringify([created, passphraseSetAt, kekFacts, signKeyFacts]))
  for (const { key } of [...keks, ...signKeys]) hash.update(key)
  return hash.digest('hex')
}

/** Turns the bytes of the keys into key objects and overwrites them. */
function toWallet(contents: WalletContents): Wallet {
  try {
    return {
      ...contents,
      keks: contents.keks.map((kek) => ({ ...kek, key: createSecretKey(kek.key) })),
      signKeys: contents.signKeys.map((signKey) => ({
        ...signKey,
        // A view, not a copy, so that overwriting the bytes below overwrites the only ones.
        key: createPrivateKey({
          key: viewOf(signKey.key),
          format: 'der',
          type: 'pkcs8',
        }),
      })),
    }
  } finally {
    wipe(contents)
  }
}

function wipe(contents: WalletContents): void {
  for (const { key } of [...contents.keks, ...contents.signKeys]) key.fill(0)
}

function newKek(random: RandomBytes, created: string): WalletContents['keks'][number] {
  return { id: newId(random), key: Uint8Array.from(random(KEK_BYTES)), created, state: 'active' }
}

function newId(random: RandomBytes): string {
  return Buffer.from(random(ID_BYTES)).toString('base64url')
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
