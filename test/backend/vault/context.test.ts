import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { encodeRecordContext, encodeWrapContext } from '../../../backend/vault/context.ts'

// Made of few characters, among them likely delimiters and lengths, so that near misses are common.
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '|', '\0', '\u0001', 'é', '😀'),
  maxLength: 5,
})
const small = fc.nat({ max: 12 })
const owner = fc.record({ env: text, tenantId: text, userId: text })
const record = fc.record({
  collection: text,
  docId: text,
  field: text,
  schemaVersion: small,
  rev: small,
})
const tuple = fc.tuple(owner, text, record)
const somewhere = { collection: 'c', docId: 'd', field: 'f', schemaVersion: 1, rev: 0 }
const somebody = { env: 'e', tenantId: 't', userId: 'u' }
const refusal = expect.objectContaining({ code: 'envelope_refused' })

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

describe('context', () => {
  it('writes the label, then each field after its length', () => {
    expect(hex(encodeRecordContext(somebody, 'k', somewhere))).toBe(
      hex(Buffer.from('waybill-aad-v1')) +
        ['e', 't', 'u', 'c', 'd', 'f', '1', 'k', '0']
          .map((field) => `00000001${hex(Buffer.from(field))}`)
          .join(''),
    )
  })

  it('never encodes two different contexts equally', () => {
    fc.assert(
      fc.property(tuple, tuple, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(hex(encodeRecordContext(...one)) === hex(encodeRecordContext(...other))).toBe(same)
      }),
      { numRuns: 5_000 },
    )
  })

  it('never encodes equally what differs only in where a field ends', () => {
    fc.assert(
      fc.property(text, fc.nat({ max: 5 }), fc.nat({ max: 5 }), (joined, cut, otherCut) => {
        const cutAt = (at: number) => {
          const [docId, field] = [joined.slice(0, at), joined.slice(at)]
          fc.pre(docId.isWellFormed() && field.isWellFormed())
          return [docId, hex(encodeRecordContext(somebody, 'k', { ...somewhere, docId, field }))]
        }
        const [one, oneEncoded] = cutAt(cut)
        const [other, otherEncoded] = cutAt(otherCut)
        expect(oneEncoded === otherEncoded).toBe(one === other)
      }),
    )
  })

  it('never encodes a wrap context as a record context', () => {
    const wrap = encodeWrapContext({ ...somebody, dekId: 'k', purpose: 'dek-wrap' })
    expect(Buffer.from(wrap).toString('latin1')).toMatch(/^waybill-wrap-v1/)
  })

  it('binds every field of a wrap context', () => {
    const fields = ['env', 'tenantId', 'userId', 'dekId', 'purpose'] as const
    const context = { ...somebody, dekId: 'k', purpose: 'p' }
    const encodings = fields.map((field) => hex(encodeWrapContext({ ...context, [field]: 'x' })))
    expect(new Set([...encodings, hex(encodeWrapContext(context))]).size).toBe(fields.length + 1)
  })

  it.each([
    ['an unpaired surrogate', { ...somewhere, docId: '\ud800' }],
    ['a fraction', { ...somewhere, rev: 0.5 }],
    ['a negative number', { ...somewhere, rev: -1 }],
    ['a number past counting', { ...somewhere, schemaVersion: 2 ** 53 }],
    ['no number', { ...somewhere, rev: Number.NaN }],
  ])('refuses %s, which another context could equal', (_name, context) => {
    expect(() => encodeRecordContext(somebody, 'k', context)).toThrow(refusal)
  })
})
