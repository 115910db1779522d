import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { status } from '@grpc/grpc-js'
import type { WaybillError } from '../../../shared/errors.ts'
import { failureOf, startKmsUnderTest } from './kms-under-test.ts'
import type { KmsUnderTest } from './kms-under-test.ts'

const context = { env: 'test', tenantId: 't', userId: 'ann@host', dekId: 'd', purpose: 'dek-wrap' }
const minute = 60_000

let kms: KmsUnderTest
beforeEach(async () => {
  kms = await startKmsUnderTest()
})
afterEach(async () => kms.close())

async function codesOf(attempts: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const outcomes = await Promise.allSettled(attempts)
  return outcomes.map((each) => (each.status === 'rejected' ? each.reason.code : 'done'))
}

describe('a key that cannot be had', () => {
  const denials = [
    ['PERMISSION_DENIED', 'does not let'],
    ['UNAUTHENTICATED', 'does not let'],
    ['NOT_FOUND', 'does not know'],
    ['RESOURCE_EXHAUSTED', 'cannot be reached'],
    ['INTERNAL', 'cannot be reached'],
    ['UNAVAILABLE', 'cannot be reached'],
  ] as const

  it.each(denials)('is unavailable for a while: %s', async (code, words) => {
    const wrapper = kms.wrapper()
    const dek = randomBytes(32)
    const wrapped = await wrapper.wrap(dek, context)
    kms.answer(status[code])
    for (const attempt of [wrapper.unwrap(wrapped, context), wrapper.kekIds()]) {
      const failure = await failureOf(attempt)
      expect(failure.code).toBe('key_unavailable')
      expect(failure.message).toContain(words)
      expect(failure.retryAfterMs).toBe(30_000)
    }
    kms.answer(null)
    kms.pass(30_000)
    expect(dek.equals(await wrapper.unwrap(wrapped, context))).toBe(true)
  })

  it('is unavailable when no answer comes in time', async () => {
    const wrapper = kms.wrapper({ deadlineMs: 50 })
    kms.delay(2_000)
    const failure = await failureOf(wrapper.wrap(randomBytes(32), context))
    expect(failure).toMatchObject({ code: 'key_unavailable' })
    expect(failure.message).toContain('in time')
    expect(kms.calls()).toBe(1)
  })

  it.each(['DISABLED', 'DESTROY_SCHEDULED', 'DESTROYED'] as const)(
    'is unavailable while its version is %s, and others are not',
    async (state) => {
      const wrapper = kms.wrapper()
      const dek = randomBytes(32)
      const old = await wrapper.wrap(dek, context)
      kms.rotate()
      const fresh = await wrapper.wrap(dek, context)
      if (state === 'DISABLED') kms.keys.setState(kms.version(1), state)
      else kms.keys.destroy(kms.version(1))
      if (state === 'DESTROYED') kms.pass(30 * 24 * 60 * minute)
      const failure = await failureOf(wrapper.unwrap(old, context))
      expect(failure.code).toBe('key_unavailable')
      expect(failure.message).toContain('disabled or destroyed')
      expect(dek.equals(await wrapper.unwrap(fresh, context))).toBe(true)
      if (state === 'DESTROYED') return
      if (state === 'DESTROY_SCHEDULED') kms.keys.restore(kms.version(1))
      kms.keys.setState(kms.version(1), 'ENABLED')
      kms.pass(30_000)
      expect(dek.equals(await wrapper.unwrap(old, context))).toBe(true)
    },
  )

  it('wraps nothing while its primary version is disabled, but unwraps what others wrapped', async () => {
    const wrapper = kms.wrapper()
    const old = await wrapper.wrap(randomBytes(32), context)
    kms.rotate()
    kms.keys.setState(kms.version(2), 'DISABLED')
    expect((await failureOf(wrapper.wrap(randomBytes(32), context))).code).toBe('key_unavailable')
    expect((await wrapper.unwrap(old, context)).length).toBe(32)
  })

  it('may be one that this account encrypts with but must not decrypt with', async () => {
    const wrapper = kms.wrapper()
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    kms.answer(status.PERMISSION_DENIED, { methods: ['decrypt'] })
    expect((await failureOf(wrapper.unwrap(wrapped, context))).code).toBe('key_unavailable')
    expect((await wrapper.wrap(randomBytes(32), context)).kekId).toBe(kms.version(1))
  })

  it('is asked for again at once when a connection was lost, three times at most', async () => {
    const wrapper = kms.wrapper()
    kms.answer(status.UNAVAILABLE, { times: 2 })
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    expect(kms.calls('encrypt')).toBe(3)
    kms.answer(status.UNAVAILABLE)
    expect((await failureOf(wrapper.unwrap(wrapped, context))).code).toBe('key_unavailable')
    expect(kms.calls('decrypt')).toBe(3)
  })

  it('is looked for by a new client when the old one could not get its credentials', async () => {
    const opened: string[] = []
    const good = kms.client()
    const wrapper = kms.wrapper({
      open: () => {
        opened.push('client')
        const initialize = async (): Promise<never> => {
          throw new Error('Could not load the default credentials.')
        }
        return opened.length === 1 ? Object.assign(kms.client(), { initialize }) : good
      },
    })
    expect((await failureOf(wrapper.wrap(randomBytes(32), context))).code).toBe('key_unavailable')
    kms.pass(30_000)
    await wrapper.wrap(randomBytes(32), context)
    await wrapper.wrap(randomBytes(32), context)
    expect(opened.length).toBe(2)
  })
})

describe('one probe at a time', () => {
  const kinds = [
    ['the network', () => kms.answer(status.RESOURCE_EXHAUSTED), () => kms.answer(null)],
    ['a permission', () => kms.answer(status.PERMISSION_DENIED), () => kms.answer(null)],
    [
      'a version',
      () => kms.keys.setState(kms.version(1), 'DISABLED'),
      () => kms.keys.setState(kms.version(1), 'ENABLED'),
    ],
  ] as const

  it.each(kinds)('finds out whether %s is back, and nobody else asks', async (_, lose, restore) => {
    const wrapper = kms.wrapper()
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    const crowd = () => Array.from({ length: 50 }, async () => wrapper.unwrap(wrapped, context))
    lose()
    const first = await failureOf(wrapper.unwrap(wrapped, context))
    expect(kms.calls('decrypt')).toBe(1)

    kms.pass(10_000)
    const second = await failureOf(wrapper.unwrap(wrapped, context))
    expect(second.message).toBe(first.message)
    expect(second.retryAfterMs).toBe(20_000)
    expect(new Set(await codesOf(crowd()))).toEqual(new Set(['key_unavailable']))
    expect(kms.calls('decrypt')).toBe(1)

    for (let round = 2; round < 5; round += 1) {
      kms.pass(30_000)
      expect(new Set(await codesOf(crowd()))).toEqual(new Set(['key_unavailable']))
      expect(kms.calls('decrypt')).toBe(round)
    }

    restore()
    kms.pass(30_000)
    const codes = await codesOf(crowd())
    expect(codes.filter((code) => code === 'done')).toHaveLength(1)
    expect(kms.calls('decrypt')).toBe(5)
    expect(new Set(await codesOf(crowd()))).toEqual(new Set(['done']))
  })

  it('also of different operations, while nothing can be reached', async () => {
    const wrapper = kms.wrapper()
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    kms.answer(status.RESOURCE_EXHAUSTED)
    await failureOf(wrapper.unwrap(wrapped, context))
    kms.pass(30_000)
    const before = kms.calls()
    await codesOf([
      wrapper.wrap(randomBytes(32), context),
      wrapper.unwrap(wrapped, context),
      wrapper.kekIds(),
    ])
    expect(kms.calls()).toBe(before + 1)
  })

  it('is not used up by a record that is refused', async () => {
    const wrapper = kms.wrapper()
    const wrapped = await wrapper.wrap(randomBytes(32), context)
    kms.answer(status.RESOURCE_EXHAUSTED)
    await failureOf(wrapper.unwrap(wrapped, context))
    kms.answer(null)
    kms.pass(30_000)
    const other = { ...context, userId: 'bob' }
    expect((await failureOf(wrapper.unwrap(wrapped, other))).code).toBe('envelope_refused')
    expect((await wrapper.unwrap(wrapped, context)).length).toBe(32)
  })
})

describe('an error of the KMS wrapper', () => {
  it('holds no key, no context and no words of Google’s', async () => {
    const wrapper = kms.wrapper()
    const dek = randomBytes(32)
    const wrapped = await wrapper.wrap(dek, context)
    const failures: WaybillError[] = []
    for (const code of [
      status.PERMISSION_DENIED,
      status.INVALID_ARGUMENT,
      status.FAILED_PRECONDITION,
      status.UNAVAILABLE,
    ]) {
      kms.answer(code)
      failures.push(await failureOf(wrapper.unwrap(wrapped, context)))
      failures.push(await failureOf(wrapper.wrap(dek, context)))
      kms.pass(minute)
    }
    const messages = failures.map(({ message }) => message).join('\n')
    expect(messages).not.toMatch(/answered with|projects\/|PERMISSION|\d/)
    const everything = failures
      .map((failure) => inspect(failure, { depth: 9, showHidden: true, maxStringLength: null }))
      .join('\n')
    for (const secret of [dek.toString('hex'), dek.toString('base64'), inspect(dek), 'ann@host'])
      expect(everything).not.toContain(secret)
  })
})
