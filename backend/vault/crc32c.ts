import { createCRC32 } from 'hash-wasm'

// Castagnoli's polynomial, reflected: https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
const CASTAGNOLI = 0x82f63b78

/** @returns what computes CRC-32C, the checksum that Google's services check bytes with, as an unsigned 32-bit number. */
export async function createCrc32c(): Promise<(bytes: Uint8Array) => number> {
  const hasher = await createCRC32(CASTAGNOLI)
  return (bytes) => {
    const digest = hasher.init().update(bytes).digest('binary')
    // The hasher's memory outlives the call, and what was in it may have been a key.
    hasher.init().update(new Uint8Array(bytes.length))
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0)
  }
}
