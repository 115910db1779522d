import { hash } from 'node:crypto'
import { createMD5, createSHA1, createSHA256 } from 'hash-wasm'
import { WaybillError } from '../../shared/errors.ts'
import type { Hashes, HashName } from '../../shared/item.ts'
import { contentHash, createContentHasher } from './content-hash.ts'

/** Checksums over bytes that come one piece after the other, all in one pass. */
export interface Digest {
  update(bytes: Uint8Array): void
  /**
   * @returns what `createDigest` goes on from, a few hundred characters. It may hold bytes of the content: sealed
   * wherever it is kept. With `contentHash` only at a multiple of 4 MiB; throws `internal` elsewhere.
   */
  save(): string
  /**
   * @returns checksums of a chunk alone, which is what came since the last call, as far as they cost nothing: its content
   * hash, if that is among the names. A chunk begins with a block; one that ends inside a block is the last, and `update`
   * throws `internal` after it.
   */
  chunk(): Hashes
  /** The last call. */
  digest(): Hashes
}

/**
 * For bodies that may be resumed; `hashBytes` is several times as fast for those that are all there.
 *
 * @param names which checksums
 * @param saved what `save` of a digest over the same names returned
 * @returns a digest; throws `session_lost` if `saved` is of another version of the hash library or of other names, so
 * that the item begins again
 */
export async function createDigest(names: readonly HashName[], saved?: string): Promise<Digest> {
  const states = saved === undefined ? undefined : readStates(names, saved)
  const hashers = await Promise.all(
    names.map(async (name, at) => [name, await resume(name, states?.[at])] as const),
  )
  return {
    update(bytes) {
      for (const [, hasher] of hashers) hasher.update(bytes)
    },
    save() {
      const lines = hashers.map(([name, hasher]) => `${name}:${base64(hasher.save())}`)
      return lines.join(' ')
    },
    chunk: () =>
      Object.fromEntries(
        hashers.flatMap(([name, hasher]) => (hasher.chunk ? [[name, hasher.chunk()]] : [])),
      ),
    digest: () => Object.fromEntries(hashers.map(([name, hasher]) => [name, hasher.digest()])),
  }
}

/**
 * @param bytes the whole content
 * @returns its checksums
 */
export function hashBytes(bytes: Uint8Array, names: readonly HashName[]): Hashes {
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === 'contentHash' ? contentHash(bytes) : hash(name, bytes, 'hex'),
    ]),
  )
}

/**
 * @param source the checksums a file has at its source
 * @param destination those that its copy will have
 * @param whole whether the bytes are all there (`hashBytes`) or come as a stream (`createDigest`)
 * @returns the destination's, and the one of the source's that costs least; none of the source's if it has none
 */
export function namesToCompare(
  source: Hashes,
  destination: readonly HashName[],
  whole: boolean,
): readonly HashName[] {
  if (destination.some((name) => source[name] !== undefined)) return destination
  const cheapest = (whole ? fastestWhole : fastestStreamed).find(
    (name) => source[name] !== undefined,
  )
  return cheapest === undefined ? destination : [...destination, cheapest]
}

// Measured on 2 cores with SHA extensions, MiB/s: node:crypto sha1 2,090, sha256 1,950, md5 890; hash-wasm sha1 740,
// md5 650, sha256 420. A stronger one goes first where they cost about the same.
const fastestWhole: readonly HashName[] = ['sha256', 'sha1', 'md5', 'contentHash']
const fastestStreamed: readonly HashName[] = ['contentHash', 'sha1', 'md5', 'sha256']

/** One checksum; `chunk` where it is made of blocks. */
interface Hasher {
  update(bytes: Uint8Array): void
  save(): Uint8Array
  digest(): string
  chunk?(): string
}

async function resume(name: HashName, state: Uint8Array | undefined): Promise<Hasher> {
  try {
    if (name === 'contentHash') return await createContentHasher(state)
    const hasher = await create[name]()
    if (state === undefined) hasher.init()
    else hasher.load(state)
    return hasher
  } catch (error) {
    // hash-wasm refuses a state that another of its builds saved, with a plain Error.
    if (state !== undefined && error instanceof Error) throw notOurs(error)
    throw error
  }
}

const create = { md5: createMD5, sha1: createSHA1, sha256: createSHA256 }

function readStates(names: readonly HashName[], saved: string): readonly Uint8Array[] {
  const states = saved.split(' ').map((line) => line.split(':'))
  if (states.map(([name]) => name).join() !== names.join()) throw notOurs()
  return states.map(([, state = '']) => Uint8Array.from(Buffer.from(state, 'base64')))
}

function base64(state: Uint8Array): string {
  return Buffer.from(state).toString('base64')
}

function notOurs(cause?: unknown): WaybillError {
  return new WaybillError('session_lost', 'The state of a checksum cannot be read any more.', {
    cause,
  })
}
