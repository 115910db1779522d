import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createByteReader } from '../../../backend/run/byte-reader.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 })

describe('a byte reader', () => {
  it('gives the bytes in any amounts, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 9 }),
        fc.nat({ max: 60 }),
        fc.uint8Array({ maxLength: 20 }),
        async (chunks, amounts, skip, head) => {
          const whole = Buffer.concat(chunks)
          // What was read already is never skipped.
          const wanted = Buffer.concat([head, whole.subarray(Math.min(skip, whole.length))])
          const reader = createByteReader(Readable.from(chunks), skip, head)
          const got: Uint8Array[] = []
          let left = wanted.length
          for (let at = 0; ; at += 1) {
            const count = amounts[at % amounts.length] ?? 1
            const read = await reader.read(count)
            expect(read.length).toBe(Math.min(count, left))
            if (read.length === 0) break
            left -= read.length
            got.push(read)
          }
          expect(Buffer.concat(got).equals(wanted)).toBe(true)
          expect(await reader.read(1)).toHaveLength(0)
        },
      ),
    )
  })

  it('throws what the stream fails with, after what came before', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('abc')
        throw new Error('broken')
      })(),
    )
    const reader = createByteReader(failing)
    expect(Buffer.from(await reader.read(3)).toString()).toBe('abc')
    await expect(reader.read(1)).rejects.toThrow('broken')
  })

  it('keeps no large buffer alive for a small piece of it', async () => {
    const reader = createByteReader(Readable.from([Buffer.alloc(1_000_000)]))
    expect((await reader.read(10)).buffer.byteLength).toBeLessThan(100)
  })

  it('lets go of the stream', async () => {
    const stream = Readable.from([Buffer.from('abc'), Buffer.from('def')])
    const reader = createByteReader(stream)
    await reader.read(1)
    reader.close()
    expect(stream.destroyed).toBe(true)
  })
})
