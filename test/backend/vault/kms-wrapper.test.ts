import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { encodeWrapContext } from '../../../backend/vault/context.ts'
import { describeKeyWrapper } from '../../contract/key-wrapper.ts'
import { startKms } from '../../platform/kms.ts'
import { liesAbout } from '../../platform/kms-lies.ts'
import { failureOf, key, startKmsUnderTest } from './kms-under-test.ts'
import type { KmsUnderTest } from './kms-under-test.ts'

const context = { env: 'test', tenantId: 't', userId: 'ann@host', dekId: 'd', purpose: 'dek-wrap' }
const minute = 60_000

const closers: (() => Promise<void>)[] = []
let kms: KmsUnderTest
beforeEach(async () => {
  kms = await startKmsUnderTest()
})
afterEach(async () => {
  await Promise.all(closers.splice(0).map(async (close) => close()))
  await kms.close()
})

describeKeyWrapper('Cloud KMS', async () => {
  const wrapper = kms.wrapper()
  const gone = await startKms()
  const lost = gone.client()
  await gone.close()
  closers.push(async () => lost.close())
  return {
    wrapper,
    rotate: async () => {
      kms.rotate()
      return wrapper
    },
    unreachable: async () => kms.wrapper({ open: () => lost }),
  }
})

describe('the KMS wrapper', () => {
  it('names the version that wrapped, and sends the context as additional data with checksums of all', async () => {
    const wrapper = kms.wrapper()
    const dek = randomBytes(32)
    const { kekId, wrapped } = await wrapper.wrap(dek, context)
    expect(kekId).toBe(kms.version(1))
    const aad = encodeWrapContext(context)
    const { plaintext } = kms.keys.decrypt(key, wrapped.subarray(33), aad)
    expect(plaintext.equals(dek)).toBe(true)
    kms.lie('checksums of the request lost')
    expect(await failureOf(wrapper.wrap(dek, context))).toMatchObject({ code: 'key_unavailable' })
  })

  it.each(liesAbout('encrypt').filter((name) => name !== 'ciphertext and its checksum exchanged'))(
    'does not take for wrapped: %s',
    async (lie) => {
      const wrapper = kms.wrapper()
      kms.lie(lie)
      const failure = await failureOf(wrapper.wrap(randomBytes(32), context))
      expect(failure.code).toBe('key_unavailable')
      expect(kms.calls('encrypt')).toBe(3)
    },
  )

  it.each(liesAbout('encrypt').filter((name) => name !== 'ciphertext and its checksum exchanged'))(
    'asks again when only one answer was so: %s',
    async (lie) => {
      const wrapper = kms.wrapper()
      const dek = randomBytes(32)
      kms.lie(lie, 2)
      const wrapped = await wrapper.wrap(dek, context)
      expect(dek.equals(await wrapper.unwrap(wrapped, context))).toBe(true)
      expect(kms.calls('encrypt')).toBe(3)
    },
  )

  it.each(liesAbout('decrypt'))('never gives out other bytes: %s', async (lie) => {
    const wrapper = kms.wrapper()
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    kms.lie(lie)
    const { code } = await failureOf(wrapper.unwrap(wrapped, context))
    expect(['key_unavailable', 'envelope_refused']).toContain(code)
    expect(kms.calls('decrypt')).toBeLessThanOrEqual(3)
  })

  it('blames the network, not the record, for an answer that was damaged', async () => {
    const wrapper = kms.wrapper()
    const dek = randomBytes(32)
    const wrapped = await wrapper.wrap(dek, context)
    for (const lie of [
      'plaintext flipped on its way back',
      'plaintext missing',
      'checksum of the plaintext wrong',
      'checksum of the plaintext missing',
    ] as const) {
      kms.lie(lie)
      expect((await failureOf(wrapper.unwrap(wrapped, context))).code).toBe('key_unavailable')
      kms.pass(minute)
      kms.lie(lie, 2)
      expect(dek.equals(await wrapper.unwrap(wrapped, context))).toBe(true)
    }
  })

  it('does not take a ciphertext that was exchanged together with its checksum for the DEK’s', async () => {
    const wrapper = kms.wrapper()
    kms.lie('ciphertext and its checksum exchanged', 1)
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    expect((await failureOf(wrapper.unwrap(wrapped, context))).code).toBe('envelope_refused')
  })

  it('does not ask about a record that is no wrapped key or under another key', async () => {
    const wrapper = kms.wrapper()
    const { kekId, wrapped } = await wrapper.wrap(randomBytes(32), context)
    for (const bytes of [wrapped.with(0, 2), wrapped.subarray(0, 33), Buffer.alloc(0)])
      expect(await failureOf(wrapper.unwrap({ kekId, wrapped: bytes }, context))).toMatchObject({
        code: 'envelope_refused',
      })
    for (const other of [
      `${key}2/cryptoKeyVersions/1`,
      key,
      `${kms.version(1)}/x`,
      `${key}/x/1`,
      '',
    ])
      expect(await failureOf(wrapper.unwrap({ kekId: other, wrapped }, context))).toMatchObject({
        code: 'key_unavailable',
      })
    expect(kms.calls('decrypt')).toBe(0)
  })

  it.each(['', 'keks', `${key}/cryptoKeyVersions/1`, key.slice(0, -5), `${key}/`, `/${key}`])(
    'refuses a setting that names no key: %s',
    (name) => {
      const make = () => kms.wrapper({ key: name })
      expect(make).toThrow(expect.objectContaining({ code: 'settings_invalid' }))
    },
  )
})
