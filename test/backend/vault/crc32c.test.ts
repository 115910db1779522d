import { describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { createCrc32c } from '../../../backend/vault/crc32c.ts'
import { crc32cOf } from '../../platform/crc32c.ts'

describe('CRC-32C', () => {
  // https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4, where the bytes are listed in the order they are sent.
  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, n) => 31 - n)), 0x113fdb5c],
    ['nothing', Buffer.alloc(0), 0],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
  ])('of %s is as the standard says', async (_, bytes, expected) => {
    expect((await createCrc32c())(bytes)).toBe(expected)
    expect(crc32cOf(bytes)).toBe(expected)
  })

  it('is that of these bytes only, whatever was computed before', async () => {
    const crc32c = await createCrc32c()
    for (let length = 0; length < 200; length += 1) {
      const bytes = randomBytes(length)
      expect(crc32c(bytes)).toBe(crc32cOf(bytes))
    }
  })
})
