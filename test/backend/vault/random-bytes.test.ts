import { expect, it } from '@jest/globals'
import { createRandomBytes } from '../../../backend/vault/random-bytes.ts'

it('never hands out the same bytes twice, in portions of any size', () => {
  const random = createRandomBytes()
  const seen = new Set<string>()
  for (let draw = 0; draw < 5000; draw += 1) {
    const bytes = random(24)
    expect(bytes).toHaveLength(24)
    seen.add(Buffer.from(bytes).toString('hex'))
  }
  expect(seen.size).toBe(5000)
  expect([0, 1, 1023, 1024, 1025, 100_000].map((count) => random(count).length)).toEqual([
    0, 1, 1023, 1024, 1025, 100_000,
  ])
})

it('hands out memory that nothing writes to afterwards', () => {
  const random = createRandomBytes()
  const first = random(16)
  const kept = Buffer.from(first).toString('hex')
  for (let draw = 0; draw < 2000; draw += 1) random(16)
  expect(Buffer.from(first).toString('hex')).toBe(kept)
})
