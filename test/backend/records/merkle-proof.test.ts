import { describe, expect, it } from '@jest/globals'
import { inclusionPath, rootOfPath } from '../../../backend/records/merkle-proof.ts'
import { createTree, leafHash } from '../../../backend/records/merkle-tree.ts'

/** @returns the tree over lines that are their numbers. */
function treeOf(size: number): { readonly leaves: readonly string[]; readonly root: string } {
  const tree = createTree()
  const lines = Array.from({ length: size }, (_, at) => `line ${at}`)
  for (const line of lines) tree.add(line)
  return { leaves: lines.map(leafHash), root: tree.root() }
}

describe('the path of a leaf', () => {
  it('leads to the root of its tree, for each leaf of each small tree, and of a larger one', () => {
    for (const size of [...Array.from({ length: 40 }, (_, n) => n + 1), 1_000]) {
      const { leaves, root } = treeOf(size)
      const roots = leaves.map((leaf, index) =>
        rootOfPath(leaf, { index, size }, inclusionPath(leaves, index)),
      )
      expect([size, ...new Set(roots)]).toEqual([size, root])
    }
  })

  it('is as long as RFC 6962 says in its example of seven leaves', () => {
    const { leaves } = treeOf(7)
    const lengths = [0, 3, 4, 6].map((index) => inclusionPath(leaves, index).length)
    expect(lengths).toEqual([3, 3, 3, 2])
    expect(inclusionPath(leaves, 0).slice(0, 1)).toEqual([leaves[1]])
    expect(inclusionPath(leaves, 6)[0]).not.toBe(leaves[5])
  })

  it('leads nowhere else: not for another leaf, place, size, or a path that was changed', () => {
    for (const size of [1, 2, 3, 7, 8, 21]) {
      const { leaves, root } = treeOf(size)
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(leaves, index)
        const place = { index, size }
        const other = leafHash('another')
        const lies = [
          rootOfPath(other, place, path),
          rootOfPath(leaf, place, [...path, other]),
          rootOfPath(leaf, { index: size, size }, path),
          rootOfPath(leaf, { index: -1, size }, path),
          ...path.flatMap((_, at) => [
            rootOfPath(leaf, place, path.toSpliced(at, 1)),
            rootOfPath(leaf, place, path.with(at, other)),
          ]),
          ...[...leaves.keys()].flatMap((wrong) =>
            wrong === index ? [] : [rootOfPath(leaf, { index: wrong, size }, path)],
          ),
        ]
        expect(lies).not.toContain(root)
      }
    }
  })
})
