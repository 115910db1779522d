import { describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import type { WrapContext } from '../../backend/vault/context.ts'
import type { RotatingKeyWrapper } from '../../backend/vault/key-wrapper.ts'

/** A wrapper to be tested, and what only its maker can do to it. */
export interface KeyWrapperUnderTest {
  readonly wrapper: RotatingKeyWrapper
  /** Adds a KEK and gives the wrapper that knows it. */
  readonly rotate: () => Promise<RotatingKeyWrapper>
  /** Gives a wrapper whose KEKs cannot be reached. */
  readonly unreachable: () => Promise<RotatingKeyWrapper>
}

const context: WrapContext = {
  env: 'test',
  tenantId: 'tenant',
  userId: 'user',
  dekId: 'dek',
  purpose: 'dek-wrap',
}
const refused = expect.objectContaining({ code: 'envelope_refused' })
const unavailable = expect.objectContaining({ code: 'key_unavailable' })

/** Declares the suite of the {@link RotatingKeyWrapper} contract: one test for each of its sentences. */
export function describeKeyWrapper(name: string, setUp: () => Promise<KeyWrapperUnderTest>): void {
  describe(`key wrapper contract: ${name}`, () => {
    it('unwraps to the same bytes under the same context', async () => {
      const { wrapper } = await setUp()
      const dek = randomBytes(32)
      const unwrapped = await wrapper.unwrap(await wrapper.wrap(dek, context), context)
      expect(dek.equals(unwrapped)).toBe(true)
    })

    it.each([0, 16, 31, 33])('refuses to wrap %d bytes', async (length) => {
      const { wrapper } = await setUp()
      await expect(wrapper.wrap(randomBytes(length), context)).rejects.toEqual(refused)
    })

    it('wraps the same DEK to different bytes each time, of at most 1,024', async () => {
      const { wrapper } = await setUp()
      const dek = randomBytes(32)
      const once = await wrapper.wrap(dek, context)
      const again = await wrapper.wrap(dek, context)
      expect(Buffer.from(once.wrapped).equals(again.wrapped)).toBe(false)
      expect(once.wrapped.length).toBeLessThanOrEqual(1024)
      expect(Buffer.from(once.wrapped).includes(dek)).toBe(false)
    })

    it.each(['env', 'tenantId', 'userId', 'dekId', 'purpose'] as const)(
      'refuses to unwrap when %s is another',
      async (field) => {
        const { wrapper } = await setUp()
        const wrapped = await wrapper.wrap(randomBytes(32), context)
        const other = { ...context, [field]: `${context[field]}2` }
        await expect(wrapper.unwrap(wrapped, other)).rejects.toEqual(refused)
      },
    )

    it('refuses bytes that were changed, cut or lengthened', async () => {
      const { wrapper } = await setUp()
      const { kekId, wrapped } = await wrapper.wrap(randomBytes(32), context)
      const damaged: Uint8Array[] = Array.from(wrapped, (byte, at) => wrapped.with(at, byte ^ 1))
      damaged.push(wrapped.subarray(1), wrapped.subarray(0, -1), wrapped.subarray(0, 0))
      damaged.push(Buffer.concat([wrapped, Buffer.alloc(1)]))
      const attempts = damaged.map((bytes) => wrapper.unwrap({ kekId, wrapped: bytes }, context))
      const outcomes = await Promise.allSettled(attempts)
      expect(outcomes).toEqual(outcomes.map(() => ({ status: 'rejected', reason: refused })))
    })

    it('never unwraps a key that names another KEK than its own', async () => {
      const { wrapper, rotate } = await setUp()
      const old = await wrapper.wrap(randomBytes(32), context)
      const rotated = await rotate()
      const { kekId } = await rotated.wrap(randomBytes(32), context)
      await expect(rotated.unwrap({ ...old, kekId }, context)).rejects.toEqual(refused)
    })

    it('calls a KEK it does not know unavailable', async () => {
      const { wrapper } = await setUp()
      const wrapped = await wrapper.wrap(randomBytes(32), context)
      const attempt = wrapper.unwrap({ ...wrapped, kekId: 'no-such-kek' }, context)
      await expect(attempt).rejects.toEqual(unavailable)
    })

    it('calls a KEK that cannot be reached unavailable', async () => {
      const { wrapper, unreachable } = await setUp()
      const wrapped = await wrapper.wrap(randomBytes(32), context)
      const lost = await unreachable()
      await expect(lost.unwrap(wrapped, context)).rejects.toEqual(unavailable)
      await expect(lost.wrap(randomBytes(32), context)).rejects.toEqual(unavailable)
    })

    it('wraps under the newest KEK and unwraps what an older one wrapped', async () => {
      const { wrapper, rotate } = await setUp()
      const dek = randomBytes(32)
      const old = await wrapper.wrap(dek, context)
      const rotated = await rotate()
      const fresh = await rotated.wrap(dek, context)
      expect(fresh.kekId).not.toBe(old.kekId)
      expect(dek.equals(await rotated.unwrap(old, context))).toBe(true)
      expect(dek.equals(await rotated.unwrap(fresh, context))).toBe(true)
    })

    it('names all KEKs, the one that wraps now first', async () => {
      const { wrapper, rotate } = await setUp()
      const old = await wrapper.wrap(randomBytes(32), context)
      expect(await wrapper.kekIds()).toEqual([old.kekId])
      const rotated = await rotate()
      const fresh = await rotated.wrap(randomBytes(32), context)
      expect(await rotated.kekIds()).toEqual([fresh.kekId, old.kekId])
    })

    it('cannot name KEKs that cannot be reached', async () => {
      const { unreachable } = await setUp()
      await expect((await unreachable()).kekIds()).rejects.toEqual(unavailable)
    })

    it('leaves the bytes it took and gave to the caller', async () => {
      const { wrapper } = await setUp()
      const dek = randomBytes(32)
      const kept = Buffer.from(dek)
      const wrapped = await wrapper.wrap(dek, context)
      expect(dek.equals(kept)).toBe(true)
      dek.fill(0)
      const given = await wrapper.unwrap(wrapped, context)
      given.fill(0)
      expect(kept.equals(await wrapper.unwrap(wrapped, context))).toBe(true)
    })
  })
}
