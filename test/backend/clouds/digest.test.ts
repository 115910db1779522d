import { describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { contentHash, contentHashBlock } from '../../../backend/clouds/content-hash.ts'
import { createDigest, hashBytes, namesToCompare } from '../../../backend/clouds/digest.ts'
import type { Hashes, HashName } from '../../../shared/item.ts'

const names: readonly HashName[] = ['md5', 'sha1', 'sha256', 'contentHash']

/** The bytes that the published vectors are over. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + 13) & 255
  return bytes
}

describe('checksums', () => {
  it.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, 'e17d630e7b1ec8612c95f2a37755c70466640272a6aee967e16239f2c66a81d4'],
    [4_194_304, '2052c49adecfb9aa3989d000b9a2a107a70508e5c10dcc77ac87e9811895ba8f'],
    [4_194_305, 'b27e5d995717f50966c5c6d38da1634aa34c5cd5d88062417c1e291ffab7f934'],
  ])('of %d bytes are the known ones', (length, expected) => {
    expect(contentHash(pattern(length))).toBe(expected)
  })

  const file = new URL('../../../../shared/vectors/hash-vectors.json', import.meta.url)
  const present = existsSync(file)
  ;(present ? it : it.skip)('are the published ones (needs the materials folder)', async () => {
    const { vectors } = vectorFile.parse(JSON.parse(readFileSync(file, 'utf8')))
    const whole = vectors.map(({ length }) => hashBytes(pattern(length), names))
    const streamed = await Promise.all(vectors.map(({ length }) => inPieces(pattern(length))))
    const expected = vectors.map(({ md5, sha1, sha256, dropbox_content_hash: hash }) => {
      return { md5, sha1, sha256, contentHash: hash }
    })
    // oxlint-disable-next-line jest/no-standalone-expect -- it does not see the test in the choice above
    expect([whole, streamed]).toEqual([expected, expected])
  })

  it('of parts are those of the whole', () => {
    const bytes = pattern(2 * contentHashBlock + 5)
    const parts = [bytes.subarray(0, 7), bytes.subarray(7, 7), bytes.subarray(7)]
    expect(contentHash(...parts)).toBe(contentHash(bytes))
  })

  it('go on from where they were saved', async () => {
    const bytes = pattern(2 * contentHashBlock + 5)
    const first = await createDigest(names)
    first.update(bytes.subarray(0, contentHashBlock))
    const second = await createDigest(names, first.save())
    second.update(bytes.subarray(contentHashBlock, 2 * contentHashBlock))
    const third = await createDigest(names, second.save())
    third.update(bytes.subarray(2 * contentHashBlock))
    expect(third.digest()).toEqual(hashBytes(bytes, names))
  })

  it('are saved in a few hundred characters, however long the content', async () => {
    const digest = await createDigest(names)
    const block = pattern(contentHashBlock)
    for (let times = 0; times < 10; times++) digest.update(block)
    expect(digest.save().length).toBeLessThan(1000)
  })

  it('of a source are saved at any byte', async () => {
    const digest = await createDigest(['sha1'])
    digest.update(pattern(1001))
    const next = await createDigest(['sha1'], digest.save())
    expect(next.digest()).toEqual(hashBytes(pattern(1001), ['sha1']))
  })

  it('of blocks are not saved inside a block', async () => {
    const digest = await createDigest(['contentHash'])
    digest.update(pattern(1001))
    expect(() => digest.save()).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('of each chunk come with those of the whole, also after they were saved', async () => {
    const bytes = pattern(5 * contentHashBlock + 5)
    const chunks = [0, 1, 2].map((nth) =>
      bytes.subarray(nth * 2 * contentHashBlock, (nth + 1) * 2 * contentHashBlock),
    )
    let digest = await createDigest(names)
    const found: Hashes[] = []
    for (const chunk of chunks) {
      digest.update(chunk.subarray(0, 1001))
      digest.update(chunk.subarray(1001))
      found.push(digest.chunk())
      // oxlint-disable-next-line no-await-in-loop
      if (chunk !== chunks.at(-1)) digest = await createDigest(names, digest.save())
    }
    expect(found).toEqual(chunks.map((chunk) => hashBytes(chunk, ['contentHash'])))
    expect(digest.digest()).toEqual(hashBytes(bytes, names))
  })

  it('of a chunk are there of no bytes, and not without blocks', async () => {
    const empty = new Uint8Array(0)
    expect((await createDigest(names)).chunk()).toEqual(hashBytes(empty, ['contentHash']))
    expect((await createDigest(['md5'])).chunk()).toEqual({})
  })

  it('of a chunk that ends inside a block are the last', async () => {
    const digest = await createDigest(['contentHash'])
    digest.update(pattern(1001))
    digest.chunk()
    expect(() => digest.update(pattern(1))).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(digest.digest()).toEqual(hashBytes(pattern(1001), ['contentHash']))
  })

  it('begin again if other ones were saved', async () => {
    const saved = (await createDigest(['md5'])).save()
    await expect(createDigest(['md5', 'sha1'], saved)).rejects.toEqual(
      expect.objectContaining({ code: 'session_lost' }),
    )
  })

  it.each(['', 'md5:', 'md5:AAAA', 'sha1:AAAA', 'md5:AAAA sha1:AAAA', '{}'])(
    'begin again if the saved state is %j',
    async (saved) => {
      await expect(createDigest(['md5'], saved)).rejects.toEqual(
        expect.objectContaining({ code: 'session_lost' }),
      )
    },
  )
})

describe('what to compare by', () => {
  const source = { md5: '1', sha256: '2' }

  it('is what both sides have, alone', () => {
    expect(namesToCompare(source, ['sha256'], true)).toEqual(['sha256'])
  })

  it('is the destination’s and the cheapest of the source’s', () => {
    expect(namesToCompare(source, ['contentHash'], true)).toEqual(['contentHash', 'sha256'])
    expect(namesToCompare(source, ['contentHash'], false)).toEqual(['contentHash', 'md5'])
  })

  it('is the destination’s alone where the source has none', () => {
    expect(namesToCompare({}, ['contentHash'], false)).toEqual(['contentHash'])
  })
})

async function inPieces(bytes: Buffer): Promise<Hashes> {
  const digest = await createDigest(names)
  for (let at = 0; at < bytes.length; at += 100_003) digest.update(bytes.subarray(at, at + 100_003))
  return digest.digest()
}

const vectorFile = z.object({
  vectors: z.array(
    z.object({
      length: z.number(),
      md5: z.string(),
      sha1: z.string(),
      sha256: z.string(),
      dropbox_content_hash: z.string(),
    }),
  ),
})
