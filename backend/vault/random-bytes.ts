import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 8192

/**
 * The system's random bytes, drawn in larger portions: sealing asks for 24 at a time, and each draw costs ten times what
 * the bytes do. What was handed out is wiped from the portion.
 *
 * @returns a function that returns that many bytes, each in memory of its own
 */
export function createRandomBytes(): (count: number) => Uint8Array {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES)
  let used = POOL_BYTES
  return (count) => {
    if (count > POOL_BYTES / 8) return randomFillSync(new Uint8Array(count))
    if (used + count > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = Uint8Array.from(pool.subarray(used, used + count))
    pool.fill(0, used, used + count)
    used += count
    return bytes
  }
}
