import { nodeHash } from './merkle-tree.ts'

/**
 * The way from a leaf up to the root of its tree: RFC 6962 §2.1.1.
 *
 * @param leaves hashes of all leaves, as hex
 * @param index of the leaf, which is there
 * @returns the hashes beside it, from the leaf up, as hex
 */
export function inclusionPath(leaves: readonly string[], index: number): readonly string[] {
  const path: string[] = []
  for (let [level, at] = [leaves, index]; level.length > 1; at = Math.floor(at / 2)) {
    const beside = level[at % 2 === 0 ? at + 1 : at - 1]
    // The last one of an odd number goes up as it is.
    if (beside !== undefined) path.push(beside)
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, pair) => {
      const [left = '', right] = [level[2 * pair], level[2 * pair + 1]]
      return right === undefined ? left : nodeHash(left, right)
    })
  }
  return path
}

/**
 * @param leaf its hash, as hex
 * @param size leaves of the tree, of which it is the one number `index`
 * @returns the root that the path leads to, as hex; null if a tree of this size has no such path
 */
export function rootOfPath(
  leaf: string,
  { index, size }: { readonly index: number; readonly size: number },
  path: readonly string[],
): string | null {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null
  const rest = [...path]
  let hash = leaf
  for (let [at, last] = [index, size - 1]; last > 0;) {
    if (at % 2 === 1 || at < last) {
      const beside = rest.shift()
      if (beside === undefined) return null
      hash = at % 2 === 1 ? nodeHash(beside, hash) : nodeHash(hash, beside)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return rest.length === 0 ? hash : null
}
