import { describe, expect, it } from '@jest/globals'
import type { ErrorCode } from '../../../shared/errors.ts'
import { someItem } from '../../some-item.ts'
import { failure, inTurn, steadied } from './steady-clouds.ts'

describe('a steady source', () => {
  it('tries again what passes', async () => {
    const { source, end } = steadied()
    const { source: steady, calls } = source({
      changesToken: inTurn(failure('unavailable'), failure('busy'), 'token'),
    })
    expect(await end(steady.changesToken('my-drive'))).toBe('token')
    expect(calls()).toEqual({ changesToken: 3 })
  })

  it('gives up after eight attempts, with the last error', async () => {
    const { source, end } = steadied()
    const { source: steady, calls } = source({
      get: () => Promise.reject(failure('unavailable')),
    })
    expect(await end(steady.get('id'))).toMatchObject({ code: 'unavailable' })
    expect(calls()).toEqual({ get: 8 })
  })

  it('gives up when the waits add up to too much', async () => {
    const { source, end } = steadied({ totalMs: 25_000 })
    const { source: steady, calls } = source({
      get: () => Promise.reject(failure('unavailable', 10_000)),
    })
    expect(await end(steady.get('id'))).toMatchObject({ code: 'unavailable' })
    expect(calls()).toEqual({ get: 3 })
  })

  it.each<ErrorCode>(['gone', 'connection_expired', 'cursor_lost', 'internal', 'session_lost'])(
    'throws %s on at once',
    async (code) => {
      const { source, end } = steadied()
      const { source: steady, calls } = source({ get: () => Promise.reject(failure(code)) })
      expect(await end(steady.get('id'))).toMatchObject({ code })
      expect(calls()).toEqual({ get: 1 })
    },
  )

  it('tries twice more with a new token, without waiting', async () => {
    const { source, time } = steadied()
    const expired = failure('token_expired')
    const { source: steady } = source({ changesToken: inTurn(expired, expired, 'token') })
    expect(await steady.changesToken('my-drive')).toBe('token')
    expect(time.clock()).toBe(0)
    const { source: never, calls } = source({ get: () => Promise.reject(expired) })
    await expect(never.get('id')).rejects.toMatchObject({ code: 'token_expired' })
    expect(calls()).toEqual({ get: 3 })
  })

  it('waits as long as it was asked to', async () => {
    const { source, time } = steadied()
    const times: number[] = []
    const { source: steady } = source({
      get: () => {
        times.push(time.clock())
        return times.length === 1
          ? Promise.reject(failure('unavailable', 20_000))
          : Promise.resolve(null)
      },
    })
    const call = steady.get('id')
    await time.runUntil(60_000)
    expect(await call).toBeNull()
    expect(times[1]).toBeGreaterThanOrEqual(20_000)
    expect(times[1]).toBeLessThanOrEqual(21_000)
  })

  it('throws on what asks for more patience than it has', async () => {
    const { source, time } = steadied()
    const { source: steady, calls } = source({
      get: () => Promise.reject(failure('rate_limited', 61_000)),
    })
    await expect(steady.get('id')).rejects.toMatchObject({ retryAfterMs: 61_000 })
    // The others that share the pace need not ask the provider to know.
    await expect(steady.get('other')).rejects.toMatchObject({ code: 'rate_limited' })
    expect(calls()).toEqual({ get: 1 })
    expect(time.clock()).toBe(0)
  })

  it('ends a wait at once when it is told to stop, with the reason given', async () => {
    const stop = new AbortController()
    const { source, time } = steadied({ signal: stop.signal })
    const { source: steady, calls } = source({
      get: () => Promise.reject(failure('unavailable', 50_000)),
    })
    const call = steady.get('id').catch((error: unknown) => error)
    await time.runUntil(1_000)
    stop.abort(failure('lease_lost'))
    expect(await call).toMatchObject({ code: 'lease_lost' })
    expect(time.clock()).toBe(1_000)
    await expect(steady.get('id')).rejects.toMatchObject({ code: 'lease_lost' })
    expect(calls()).toEqual({ get: 1 })
  })

  it('ends an opening at once when its reader stops', async () => {
    const stop = new AbortController()
    const { source, time } = steadied()
    const { source: steady } = source({
      open: () => Promise.reject(failure('unavailable', 50_000)),
    })
    const call = steady
      .open(someItem(), { from: 0, signal: stop.signal })
      .catch((error: unknown) => error)
    await time.runUntil(1_000)
    stop.abort()
    expect(await call).toMatchObject({ code: 'cancelled' })
  })

  it('turns what an adapter should not have thrown into an error of ours', async () => {
    const { source } = steadied()
    const { source: steady } = source({ get: () => Promise.reject(new TypeError('oops')) })
    await expect(steady.get('id')).rejects.toMatchObject({ code: 'internal' })
  })

  it('tells the pace about every call once', async () => {
    const { source, end, pace } = steadied()
    const { source: steady } = source({
      changesToken: inTurn(failure('unavailable'), failure('rate_limited'), 'token'),
    })
    await end(steady.changesToken('my-drive'))
    expect(pace.calls()).toEqual({ take: 3, granted: 2, refused: 1 })
  })
})
