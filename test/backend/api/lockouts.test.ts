import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createLockouts } from '../../../backend/api/lockouts.ts'
import type { Lockouts } from '../../../backend/api/lockouts.ts'
import { createRates } from '../../../backend/api/rates.ts'
import { asWaybillError } from '../../../shared/errors.ts'

const second = 1_000
const minute = 60 * second

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

/** How many seconds somebody has to wait; 0 if not. */
async function waitOf(asked: Promise<void>): Promise<number> {
  try {
    await asked
    return 0
  } catch (error) {
    const { code, retryAfterMs = 0 } = asWaybillError(error)
    if (code !== 'rate_limited') throw error
    return Math.ceil(retryAfterMs / second)
  }
}

describe('lockouts', () => {
  let lockouts: Lockouts
  beforeEach(() => {
    lockouts = createLockouts()
  })
  const fail = async (times: number, address: string, account: string | null = null) => {
    const many: boolean[] = []
    for (let time = 0; time < times; time += 1) many.push(await lockouts.failed(address, account))
    return many
  }

  it('let five failures be, then double the wait from a second to a quarter of an hour', async () => {
    const waits: number[] = []
    for (let failures = 1; failures <= 17; failures += 1) {
      await lockouts.failed('a', null)
      const wait = await waitOf(lockouts.check('a', null))
      waits.push(wait)
      jest.advanceTimersByTime(wait * second)
      expect(await waitOf(lockouts.check('a', null))).toBe(0)
      // The hour must not be over before the longest wait is reached.
      if (failures === 14) break
    }
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    await lockouts.failed('a', null)
    expect(await waitOf(lockouts.check('a', null))).toBe(900)
  })

  it('end an hour after the first failure', async () => {
    await fail(9, 'a')
    jest.advanceTimersByTime(60 * minute)
    await fail(4, 'a')
    expect(await waitOf(lockouts.check('a', null))).toBe(0)
  })

  it('let an address fail 100 times in an hour', async () => {
    await fail(99, 'a')
    expect(await waitOf(lockouts.check('a', null))).toBe(900)
    jest.advanceTimersByTime(10 * minute)
    await fail(1, 'a')
    expect(await waitOf(lockouts.check('a', null))).toBe(50 * 60)
    jest.advanceTimersByTime(50 * minute)
    expect(await waitOf(lockouts.check('a', null))).toBe(0)
  })

  it('let an address fail 20 times in an hour for one account', async () => {
    await fail(20, 'a', 'ann')
    expect(await waitOf(lockouts.checkAccount('a', 'ann'))).toBe(60 * 60)
  })

  it('keep nobody out who comes from elsewhere, however often somebody failed for their account', async () => {
    await fail(500, 'attacker', 'ann')
    for (let address = 0; address < 200; address += 1) await fail(20, `bot ${address}`, 'ann')
    expect(await waitOf(lockouts.check('home', 'secret'))).toBe(0)
    expect(await waitOf(lockouts.checkAccount('home', 'ann'))).toBe(0)
    expect(await waitOf(lockouts.checkAccount('attacker', 'ann'))).toBeGreaterThan(0)
    expect(await waitOf(lockouts.checkAccount('attacker', 'bob'))).toBe(0)
  })

  it('keep nobody out who has been there before with the same claim', async () => {
    lockouts.proven('office', 'secret of ann')
    await fail(100, 'office')
    expect(await waitOf(lockouts.check('office', 'secret of ann'))).toBe(0)
    expect(await waitOf(lockouts.check('office', 'a guess'))).toBeGreaterThan(0)
    expect(await waitOf(lockouts.check('office', null))).toBeGreaterThan(0)
  })

  it('say once in an hour that an account had many failures, from wherever', async () => {
    const from = async (address: string) => (await fail(10, address, 'ann')).filter(Boolean).length
    expect([await from('a'), await from('b'), await from('c')]).toEqual([0, 1, 0])
    jest.advanceTimersByTime(60 * minute)
    expect([await from('a'), await from('b'), await from('c')]).toEqual([0, 1, 0])
  })

  it('remember 20,000 addresses, and forget the quietest of more', async () => {
    await fail(6, 'quiet')
    for (let address = 0; address < 19_999; address += 1) await fail(1, `bot ${address}`)
    await fail(6, 'loud')
    jest.advanceTimersByTime(minute)
    await fail(1, 'quiet')
    await fail(1, 'loud')
    expect(await waitOf(lockouts.check('quiet', null))).toBe(0)
    expect(await waitOf(lockouts.check('loud', null))).toBe(4)
    expect(jest.getTimerCount()).toBeLessThan(20_100)
  })
})

describe('rates', () => {
  it('are free up to the budget, and free again when its time is over', async () => {
    const rates = createRates({ user: { free: 3, seconds: 60 } })
    const waits: number[] = []
    for (let time = 0; time < 5; time += 1) {
      waits.push(await waitOf(rates.spend('user', 'ann')))
      jest.advanceTimersByTime(second)
    }
    expect(waits).toEqual([0, 0, 0, 57, 56])
    jest.advanceTimersByTime(55 * second)
    expect(await waitOf(rates.spend('user', 'ann'))).toBe(0)
  })

  it('are everybody’s own, for each budget', async () => {
    const rates = createRates({ user: { free: 1, seconds: 60 }, key: { free: 1, seconds: 60 } })
    await rates.spend('user', 'ann')
    expect(await waitOf(rates.spend('user', 'ann'))).toBe(60)
    expect(await waitOf(rates.spend('user', 'bob'))).toBe(0)
    expect(await waitOf(rates.spend('key', 'ann'))).toBe(0)
  })
})
