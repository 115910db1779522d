import { describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { byteRange } from './byte-range.ts'
import { bytesContent, fileContent, patternContent, pieceSize, readContent } from './content.ts'
import type { Content } from './content.ts'

const vectors = new URL('../../../shared/vectors/hash-vectors.json', import.meta.url)
const present = existsSync(vectors)

async function part(content: Content, from: number, to: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of content.pieces(from, to)) pieces.push(piece)
  return Buffer.concat(pieces)
}

describe('content', () => {
  it('is the same in parts as in whole, across the borders of pieces', async () => {
    const content = patternContent('borders', 2 * pieceSize + 1000)
    const whole = await readContent(content)
    expect(whole.length).toBe(content.size)
    for (const [from, to] of [
      [0, 1],
      [5, 40],
      [16, 17],
      [pieceSize - 3, pieceSize + 3],
      [2 * pieceSize, content.size],
      [7, 7],
    ] as const)
      expect((await part(content, from, to)).equals(whole.subarray(from, to))).toBe(true)
  })

  it('depends on its seed, and on nothing else', async () => {
    const hashes = await Promise.all(
      ['a', 'a', 'b', 'c'].map((seed) => patternContent(seed, 100_000).hash('sha256')),
    )
    expect(hashes[0]).toBe(hashes[1])
    expect(new Set(hashes).size).toBe(3)
  })

  it('describes a gigabyte without holding it', async () => {
    const content = patternContent('large', 2 ** 30)
    expect((await part(content, 2 ** 30 - 10, 2 ** 30)).length).toBe(10)
  })

  it('stays on disk until it is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'content-'))
    try {
      const bytes = await readContent(patternContent('disk', pieceSize + 5))
      const path = join(folder, 'file')
      const content = fileContent(path, bytes.length)
      await writeFile(path, bytes)
      expect(
        (await part(content, pieceSize - 1, pieceSize + 5)).equals(bytes.subarray(pieceSize - 1)),
      ).toBe(true)
      expect(await content.hash('md5')).toBe(await bytesContent(bytes).hash('md5'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

;(present ? describe : describe.skip)('the test vectors (needs the materials folder)', () => {
  it('has the checksums of the test vectors (needs the materials folder)', async () => {
    const file: { vectors: { length: number; md5: string; sha1: string; sha256: string }[] } =
      JSON.parse(readFileSync(vectors, 'utf8'))
    expect(file.vectors.length).toBeGreaterThan(3)
    for (const { length, md5, sha1, sha256 } of file.vectors) {
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + 13) & 255
      const content = bytesContent(bytes)
      expect(
        await Promise.all([content.hash('md5'), content.hash('sha1'), content.hash('sha256')]),
      ).toEqual([md5, sha1, sha256])
    }
  })
})

describe('a Range header', () => {
  it.each([
    [undefined, 'whole'],
    ['bytes=0-9', { from: 0, to: 10 }],
    ['bytes=90-', { from: 90, to: 100 }],
    ['bytes=95-200', { from: 95, to: 100 }],
    ['bytes=-10', { from: 90, to: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['items=0-1', 'whole'],
  ])('%s of 100 bytes is %j', (header, expected) => {
    expect(byteRange(header, 100)).toEqual(expected)
  })
})
