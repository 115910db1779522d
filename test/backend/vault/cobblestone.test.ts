import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { z } from 'zod'
import { open, seal } from '../../../backend/vault/cobblestone.ts'
import { WaybillError } from '../../../shared/errors.ts'

const Vector = z.object({
  tcId: z.number(),
  comment: z.string(),
  result: z.enum(['valid', 'invalid']),
  key: z.string(),
  ctx: z.string(),
  ct: z.string(),
  msgLength: z.number().optional(),
  msgSha512: z.string().optional(),
})
const VectorFile = z.union([
  z.object({ tests: z.array(Vector) }),
  z.object({ testGroups: z.tuple([z.object({ tests: z.array(Vector) })]) }),
])
type Vector = z.infer<typeof Vector>

const all = new URL(
  '../../../../shared/vectors/wycheproof-c2sp-chunked-aes256gcm.json',
  import.meta.url,
)
const some = new URL('../../fixtures/cobblestone-256.json', import.meta.url)
const refusal = expect.objectContaining({ code: 'envelope_refused' })

function readVectors(file: URL): readonly Vector[] {
  const content = VectorFile.parse(JSON.parse(readFileSync(file, 'utf8')))
  return 'tests' in content ? content.tests : content.testGroups[0].tests
}

function newKey(bytes = 32): KeyObject {
  return createSecretKey(randomBytes(bytes))
}

function refusalOf(attempt: () => unknown): unknown {
  try {
    attempt()
  } catch (error) {
    return error instanceof WaybillError ? [error.code, error.message, error.cause] : error
  }
  return 'opened'
}

/** What the code does with a vector, in the vector's own terms, so that agreement is equality. */
function outcome(vector: Vector): Pick<Vector, 'result' | 'msgLength' | 'msgSha512'> {
  const key = createSecretKey(Buffer.from(vector.key, 'hex'))
  const context = Buffer.from(vector.ctx, 'hex')
  const sealed = inflateSync(Buffer.from(vector.ct, 'hex'))
  let opened: Uint8Array
  try {
    opened = open(key, context, sealed)
  } catch (error) {
    if (error instanceof WaybillError && error.code === 'envelope_refused') {
      return { result: 'invalid' }
    }
    throw error
  }
  // The format has one legal writing for a salt, so sealing again must give the published bytes.
  if (!sealed.equals(seal(key, context, opened, () => sealed.subarray(0, 24)))) {
    throw new Error('sealing the plaintext again gives other bytes')
  }
  return {
    result: 'valid',
    msgLength: opened.length,
    msgSha512: createHash('sha512').update(opened).digest('hex'),
  }
}

/** An invalid vector may describe the prefix a streaming reader could release; this one releases nothing. */
function published({ result, msgLength, msgSha512 }: Vector): ReturnType<typeof outcome> {
  return result === 'valid' ? { result, msgLength, msgSha512 } : { result }
}

describe('Cobblestone-256', () => {
  it.each(readVectors(some))('agrees with published vector $tcId: $comment', (vector) => {
    expect(outcome(vector)).toEqual(published(vector))
  })

  const present = existsSync(all)
  ;(present ? describe : describe.skip)(
    'all published vectors (needs the materials folder)',
    () => {
      it('agrees with all 35 published vectors (needs the materials folder)', () => {
        const vectors = readVectors(all)
        expect(vectors).toHaveLength(35)
        expect(vectors.map(outcome)).toEqual(vectors.map(published))
      })
    },
  )

  it('opens what it sealed, around every border between chunks', () => {
    const key = newKey()
    for (const length of [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769]) {
      const plaintext = randomBytes(length)
      const sealed = seal(key, Buffer.from('c'), plaintext, randomBytes)
      expect(sealed).toHaveLength(length + 56 + 16 * (Math.floor(length / 16_384) + 1))
      expect(Buffer.compare(open(key, Buffer.from('c'), sealed), plaintext)).toBe(0)
    }
  })

  it('opens only under the context it was sealed for', () => {
    const key = newKey()
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), (one, other, plaintext) => {
        const sealed = seal(key, one, plaintext, randomBytes)
        expect(Buffer.compare(open(key, one, sealed), plaintext)).toBe(0)
        fc.pre(Buffer.compare(one, other) !== 0)
        expect(() => open(key, other, sealed)).toThrow(refusal)
      }),
    )
  })

  it('never writes the same bytes twice', () => {
    const key = newKey()
    const once = seal(key, new Uint8Array(), Buffer.from('same'), randomBytes)
    const again = seal(key, new Uint8Array(), Buffer.from('same'), randomBytes)
    expect(Buffer.compare(once, again)).not.toBe(0)
    expect(Buffer.compare(once.subarray(56), again.subarray(56))).not.toBe(0)
  })

  it('refuses to seal under a key that is not 32 bytes long', () => {
    expect(() => seal(newKey(16), new Uint8Array(), new Uint8Array(), randomBytes)).toThrow(refusal)
  })

  it('does not say in its refusal what was wrong', () => {
    const key = newKey()
    const sealed = seal(key, Buffer.from('c'), Buffer.from('plain'), randomBytes)
    const badTag = Uint8Array.from(sealed)
    badTag.set([(badTag.at(-1) ?? 0) ^ 1], badTag.length - 1)
    const tries = [
      () => open(newKey(), Buffer.from('c'), sealed),
      () => open(key, Buffer.from('d'), sealed),
      () => open(key, Buffer.from('c'), badTag),
      () => open(key, Buffer.from('c'), sealed.subarray(0, 60)),
    ]
    const said = tries.map(refusalOf)
    expect(new Set(said.map((line) => JSON.stringify(line))).size).toBe(1)
  })
})
