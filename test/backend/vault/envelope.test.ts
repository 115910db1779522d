import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createSecretKey, randomBytes } from 'node:crypto'
import {
  envelopeFromText,
  envelopeToText,
  openEnvelope,
  readDekId,
  sealEnvelope,
} from '../../../backend/vault/envelope.ts'
import { WaybillError } from '../../../shared/errors.ts'

const key = { key: createSecretKey(randomBytes(32)), dekId: 'dek-1' }
const context = Buffer.from('context')
const refusal = expect.objectContaining({ code: 'envelope_refused' })
const headerBytes = 5 + key.dekId.length

function seal(plaintext: Uint8Array): Uint8Array {
  return sealEnvelope(key, context, plaintext, randomBytes)
}

function opens(envelope: Uint8Array): boolean {
  try {
    openEnvelope(key, context, envelope)
    return true
  } catch (error) {
    if (error instanceof WaybillError && error.code === 'envelope_refused') return false
    throw error
  }
}

describe('envelope', () => {
  it('opens what it sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (plaintext) => {
        const opened = openEnvelope(key, context, seal(plaintext))
        expect(Buffer.compare(opened, plaintext)).toBe(0)
      }),
    )
  })

  it('says which DEK it was sealed under', () => {
    expect(readDekId(seal(Buffer.from('x')))).toBe('dek-1')
  })

  it('begins with magic, version, suite and DEK id', () => {
    const header = Buffer.from(seal(Buffer.from('x')).subarray(0, headerBytes))
    expect(header.toString('latin1')).toBe('WB\u0001\u0001\u0005dek-1')
  })

  it('is refused with any one bit of it changed', () => {
    const envelope = seal(Buffer.from('a refresh token'))
    const opened = Array.from({ length: envelope.length * 8 }, (_, bit) => bit).filter((bit) => {
      const at = bit >> 3
      return opens(envelope.with(at, (envelope[at] ?? 0) ^ (1 << (bit & 7))))
    })
    expect(opens(envelope)).toBe(true)
    expect(opened).toEqual([])
  })

  it('is refused when cut anywhere or lengthened', () => {
    const envelope = seal(Buffer.from('a refresh token'))
    const cut = Array.from({ length: envelope.length }, (_, length) => envelope.subarray(0, length))
    expect(cut.filter(opens)).toEqual([])
    expect(opens(Buffer.concat([envelope, Buffer.alloc(1)]))).toBe(false)
    expect(opens(Buffer.concat([envelope, Buffer.alloc(16)]))).toBe(false)
  })

  it('is refused when it is no envelope at all', () => {
    for (const bytes of ['', 'WB', 'plaintext', '{"refreshToken":"x"}', '\0'.repeat(200)]) {
      expect(opens(Buffer.from(bytes))).toBe(false)
    }
    expect(opens(randomBytes(300))).toBe(false)
  })

  it('is refused under another DEK id, although the key is the same', () => {
    const other = { ...key, dekId: 'dek-2' }
    const envelope = seal(Buffer.from('x'))
    expect(() => openEnvelope(other, context, envelope)).toThrow(refusal)
    const renamed = Uint8Array.from(envelope)
    renamed.set(Buffer.from('dek-2'), 5)
    expect(() => openEnvelope(other, context, renamed)).toThrow(refusal)
  })

  it('is never longer than 256 KiB', () => {
    const longest = 256 * 1024 - headerBytes - 56 - 16 * 16
    expect(seal(new Uint8Array(longest))).toHaveLength(256 * 1024)
    expect(opens(seal(new Uint8Array(longest)))).toBe(true)
    expect(() => seal(new Uint8Array(longest + 1))).toThrow(refusal)
  })

  it.each(['', 'a'.repeat(33), 'a.b', 'a b', 'é'])('refuses the DEK id %j', (dekId) => {
    const attempt = () => sealEnvelope({ ...key, dekId }, context, new Uint8Array(), randomBytes)
    expect(attempt).toThrow(refusal)
  })
})

describe('envelope as text', () => {
  const envelope = seal(Buffer.from('a token'))
  const text = envelopeToText(envelope)

  it('comes back as the same bytes', () => {
    expect(text).toMatch(/^wb1\.dek-1\.[A-Za-z0-9_-]+$/)
    expect(Buffer.compare(envelopeFromText(text), envelope)).toBe(0)
  })

  it('has one spelling only', () => {
    const sloppy = [0, 1, 2].map((more) => {
      const longer = envelopeToText(seal(Buffer.alloc(more)))
      const last = longer.at(-1) ?? ''
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      return longer.slice(0, -1) + alphabet.charAt(alphabet.indexOf(last) ^ 1)
    })
    const others = [`${text}=`, `${text} `, `${text}\n`, ` ${text}`, `${text}A`, ...sloppy]
    // A last character that carries six bits changes the bytes instead: then the envelope does not open.
    const readings = others.flatMap((other) => {
      try {
        return [openEnvelope(key, context, envelopeFromText(other))]
      } catch (error) {
        return error instanceof Error && 'code' in error ? [error.code] : [error]
      }
    })
    expect(readings).toEqual(others.map(() => 'envelope_refused'))
  })

  it.each([
    ['another version', text.replace('wb1', 'wb2')],
    ['another DEK id outside than inside', text.replace('dek-1', 'dek-2')],
    ['no prefix', text.slice('wb1.'.length)],
    ['a fourth part', `${text}.x`],
    [
      'standard base64',
      text.replaceAll('-', '+').replaceAll('_', '/').replace('dek+1', 'dek-1') + '/',
    ],
    ['nothing', ''],
    ['a plain token', 'ya29.token.AAAA'],
  ])('is refused with %s', (_name, other) => {
    expect(() => envelopeFromText(other)).toThrow(refusal)
  })

  it('is not made of bytes that are no envelope', () => {
    expect(() => envelopeToText(Buffer.from('plain'))).toThrow(refusal)
  })
})
