import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { WaybillError } from '../../shared/errors.ts'

/** The file operations a wallet needs, each one step that a crash may come before or after. */
export interface WalletFiles {
  /** @throws an error with `code` `ENOENT` when there is no such file. */
  read(path: string): Promise<Uint8Array>
  /** Makes a file that only its owner may read or write. @throws an error with `code` `EEXIST` when there is one. */
  create(path: string, bytes: Uint8Array): Promise<void>
  /** Returns when the file's bytes are on the disk. */
  sync(path: string): Promise<void>
  /** Puts one file in the place of another, at once. */
  rename(from: string, to: string): Promise<void>
  /** Gives a file a second name. @throws an error with `code` `EEXIST` when the name is taken. */
  link(from: string, to: string): Promise<void>
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>
  /** Returns when the names in the file's directory are on the disk. */
  syncDirectoryOf(path: string): Promise<void>
}

/** The file operations of the system. */
export const walletFiles: WalletFiles = {
  read: (path) => readFile(path),
  create: async (path, bytes) => {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(bytes)
  },
  sync: (path) => syncFile(path, 'r+'),
  rename,
  link,
  remove: (path) => rm(path, { force: true }),
  syncDirectoryOf: (path) => syncFile(dirname(path), 'r'),
}

/** How a new file takes its place: `new` must find the name free, `replace` takes the place of the old one. */
export type Placement = 'new' | 'replace'

/**
 * Writes a wallet file so that a crash at any step leaves either the old file or the new one, whole: it is written
 * beside its place, brought to the disk, read back and verified, and only then moved there.
 *
 * A temporary file that an earlier crash has left behind is overwritten; it is sealed like the wallet itself.
 *
 * @param verify throws when what was read back is not right; then the old file stays.
 * @throws WaybillError `wallet_exists` when the placement is `new` and the name is taken, `store_full` when the disk is full,
 * `settings_invalid` when the path is not one that a file can be at.
 */
export async function placeWalletFile(
  files: WalletFiles,
  path: string,
  bytes: Uint8Array,
  placement: Placement,
  verify: (written: Uint8Array) => Promise<void>,
): Promise<void> {
  const beside = `${path}.tmp`
  try {
    await files.remove(beside)
    await files.create(beside, bytes)
    await files.sync(beside)
    await verify(await files.read(beside))
    if (placement === 'replace') await files.rename(beside, path)
    else await linkAsNew(files, beside, path)
    await files.syncDirectoryOf(path)
  } catch (error) {
    // What went wrong first is what matters; a file that stays behind is overwritten the next time.
    await Promise.allSettled([files.remove(beside)])
    throw asWalletError(error)
  }
}

/** A rename would silently replace a wallet that somebody else has just made; a link fails instead. */
async function linkAsNew(files: WalletFiles, from: string, to: string): Promise<void> {
  try {
    await files.link(from, to)
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
    throw new WaybillError('wallet_exists', 'There is a wallet already', { cause })
  }
  await files.remove(from)
}

/**
 * Reads a wallet file.
 *
 * @throws WaybillError `wallet_missing` when there is none, `settings_invalid` when the path cannot be read.
 */
export async function readWalletFile(files: WalletFiles, path: string): Promise<Uint8Array> {
  try {
    return await files.read(path)
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw asWalletError(cause)
    throw new WaybillError('wallet_missing', 'There is no wallet yet', { cause })
  }
}

async function syncFile(path: string, flags: string): Promise<void> {
  await using file = await open(path, flags)
  await file.sync()
}

/** @returns what the system said about the wallet's place, in words; anything else as it is. */
function asWalletError(cause: unknown): unknown {
  if (hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT'))
    return new WaybillError('store_full', 'The disk is full: the wallet was not written', { cause })
  const why = Object.entries(refusals).find(([code]) => hasCode(cause, code))?.[1]
  if (why === undefined) return cause
  return new WaybillError('settings_invalid', `The wallet cannot be kept at its path: ${why}`, {
    cause,
  })
}

const refusals: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'the folder does not exist',
  EACCES: 'reading or writing there is not allowed',
  EPERM: 'reading or writing there is not allowed',
  EROFS: 'the disk is read-only',
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
}
