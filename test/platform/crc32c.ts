/** CRC-32C (Castagnoli) by its definition, bit by bit: slow, and nothing that the code under test shares. RFC 3720, B.4. */
export function crc32cOf(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
