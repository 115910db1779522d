import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createTree } from '../../../backend/records/merkle-tree.ts'

// The leaves and roots by which implementations of Certificate Transparency are compared:
// https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'))
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

function rootOf(lines: readonly (Uint8Array | string)[]): string {
  const tree = createTree()
  for (const line of lines) tree.add(line)
  return tree.root()
}

/** The definition of RFC 6962 §2.1, word for word. */
function defined(lines: readonly string[]): Buffer {
  const sha256 = (...parts: readonly (Uint8Array | string)[]): Buffer =>
    createHash('sha256')
      .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
      .digest()
  const [first] = lines
  if (first === undefined) return sha256()
  if (lines.length === 1) return sha256(Uint8Array.of(0), first)
  let k = 1
  while (k * 2 < lines.length) k *= 2
  return sha256(Uint8Array.of(1), defined(lines.slice(0, k)), defined(lines.slice(k)))
}

const someLines = fc.integer({ min: 0, max: 300 }).chain((length) =>
  fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }), {
    minLength: length,
    maxLength: length,
  }),
)

describe('the root over lines', () => {
  it.each(roots.map((root, size) => [size, root] as const))(
    'is the published one over the first %i standard leaves',
    (size, root) => {
      expect(rootOf(leaves.slice(0, size))).toBe(root)
    },
  )

  it('is what RFC 6962 defines, for any number of lines', () => {
    for (let size = 0; size <= 300; size += 1) {
      const lines = Array.from({ length: size }, (_, index) => `line ${index}`)
      expect(rootOf(lines)).toBe(defined(lines).toString('hex'))
    }
    fc.assert(
      fc.property(someLines, (lines) => {
        expect(rootOf(lines)).toBe(defined(lines).toString('hex'))
      }),
    )
  })

  it('is the same when the tree was saved and gone on with, anywhere', () => {
    fc.assert(
      fc.property(someLines, fc.nat({ max: 300 }), (lines, at) => {
        const first = createTree()
        for (const line of lines.slice(0, at)) first.add(line)
        const second = createTree(structuredClone(first.save()))
        for (const line of lines.slice(at)) second.add(line)
        expect(second.root()).toBe(rootOf(lines))
        expect(second.save().size).toBe(lines.length)
      }),
    )
  })

  it('can be asked for between lines', () => {
    const tree = createTree()
    for (const [size, leaf] of leaves.entries()) {
      expect(tree.root()).toBe(roots[size])
      tree.add(leaf)
    }
    expect(tree.root()).toBe(roots.at(-1))
  })

  it.each([
    { size: 1, hashes: [] },
    { size: 2, hashes: ['00'] },
    { size: 4, hashes: ['a'.repeat(64), 'b'.repeat(64)] },
    { size: -1, hashes: [] },
    { size: 0.5, hashes: [] },
  ])('refuses to go on from a damaged tree: %j', (saved) => {
    expect(() => createTree(saved)).toThrow(expect.objectContaining({ code: 'receipt_invalid' }))
  })
})
