import { createHash } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'

// RFC 6962 §2.1: leaves and nodes are hashed with different first bytes, so that none can pass for the other.
const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
const HASH_HEX = /^[0-9a-f]{64}$/

/** A tree that can be gone on with: its size, and the hashes of its whole subtrees, largest first, as hex. */
export interface SavedTree {
  readonly size: number
  readonly hashes: readonly string[]
}

/** A tree hash over lines in the order in which they come. It keeps one hash for each 1 in the size's binary form. */
export interface Tree {
  /** @param line without its line end; a text counts as UTF-8 */
  add(line: Uint8Array | string): void
  save(): SavedTree
  /** Lines so far. */
  size(): number
  /** The root over the lines so far, as hex; with no lines, the hash of nothing. */
  root(): string
}

/**
 * Merkle tree hash of RFC 6962 §2.1 (the same in RFC 9162) with SHA-256.
 *
 * @param saved what `save` gave, to go on from there
 * @throws WaybillError `receipt_invalid` if `saved` is no such thing
 */
export function createTree(saved: SavedTree = { size: 0, hashes: [] }): Tree {
  if (!isSaved(saved)) throw new WaybillError('receipt_invalid', 'The saved tree is damaged.')
  let { size } = saved
  const hashes = saved.hashes.map((hash): Uint8Array => Buffer.from(hash, 'hex'))

  return {
    add(line) {
      hashes.push(sha256(LEAF, line))
      size += 1
      // Two subtrees of a size become one of twice the size, as the carry does when one counts in binary.
      for (let rest = size; rest % 2 === 0; rest /= 2) joinLast(hashes)
    },
    size: () => size,
    save: () => ({ size, hashes: hashes.map(toHex) }),
    root() {
      const [last = sha256(), ...larger] = hashes.toReversed()
      return toHex(larger.reduce((right, left) => sha256(NODE, left, right), last))
    },
  }
}

/** @returns the hash of one line as RFC 6962 hashes a leaf, as hex. */
export function leafHash(line: Uint8Array | string): string {
  return toHex(sha256(LEAF, line))
}

/** @returns the hash of two subtrees, as hex. */
export function nodeHash(left: string, right: string): string {
  return toHex(sha256(NODE, Buffer.from(left, 'hex'), Buffer.from(right, 'hex')))
}

function joinLast(hashes: Uint8Array[]): void {
  const right = hashes.pop()
  const left = hashes.pop()
  if (left && right) hashes.push(sha256(NODE, left, right))
}

function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function toHex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex')
}

function isSaved({ size, hashes }: SavedTree): boolean {
  if (!Number.isSafeInteger(size) || size < 0) return false
  const subtrees = size.toString(2).replaceAll('0', '').length
  return hashes.length === subtrees && hashes.every((hash) => HASH_HEX.test(hash))
}
