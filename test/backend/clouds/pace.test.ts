import { describe, expect, it } from '@jest/globals'
import { createPace } from '../../../backend/clouds/pace.ts'
import type { PaceOptions } from '../../../backend/clouds/pace.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { seededRandom } from '../../clouds/random.ts'
import { createVirtualTime } from './virtual-time.ts'

function paced(options: Partial<PaceOptions> = {}) {
  const time = createVirtualTime()
  const pace = createPace({
    clock: time.clock,
    random: seededRandom('pace'),
    sleep: time.sleep,
    ...options,
  })
  /** When each of `count` calls went, in milliseconds of virtual time; they are all let through. */
  function send(count: number, cost = 1): number[] {
    const went: number[] = []
    const go = async (): Promise<void> => {
      await pace.take(cost)
      went.push(time.clock())
      pace.granted(cost)
    }
    for (let call = 0; call < count; call += 1) void go()
    return went
  }
  return { time, pace, send }
}

describe('a pace', () => {
  it('holds nothing back as long as nothing was refused', async () => {
    const { time, pace, send } = paced()
    const went = send(1_000, 200)
    await time.runUntil(0)
    expect(went).toHaveLength(1_000)
    expect(pace.rate()).toBeNull()
  })

  it('lets the first calls of a slice go whatever it believes, and learns nothing from their refusals', async () => {
    const { time, pace, send } = paced()
    send(20)
    await time.runUntil(0)
    await pace.take(1)
    pace.refused()
    await time.runUntil(600_000)
    const rate = pace.rate()?.perMinute ?? Infinity
    expect(rate).toBeLessThan(100)

    pace.begin()
    const before = time.clock()
    const went = send(100)
    await time.runUntil(before)
    expect(went.filter((at) => at === before)).toHaveLength(100)

    const refused = pace.take(1)
    await time.runUntil(before)
    await refused
    pace.refused()
    expect(pace.rate()?.perMinute).toBeGreaterThanOrEqual(rate)
    // Now they go one after the other, and not before a pause.
    const after = send(3)
    await time.runUntil(before)
    expect(after).toEqual([])
    await time.runUntil(before + 60_000)
    expect(new Set(after).size).toBe(3)
  })

  it('waits in the first calls of a slice too for as long as the provider asks', async () => {
    const { time, pace, send } = paced()
    pace.begin()
    await pace.take(1)
    pace.refused(20_000)
    const went = send(1)
    await time.runUntil(19_999)
    expect(went).toEqual([])
    await time.runUntil(20_000)
    expect(went).toEqual([20_000])
  })

  it('lets nothing go before the time that the provider named', async () => {
    const { time, pace, send } = paced()
    await pace.take(1)
    pace.refused(30_000)
    const went = send(5)
    await time.runUntil(29_999)
    expect(went).toEqual([])
    await time.runUntil(90_000)
    expect(went).toHaveLength(5)
    expect(went[0]).toBe(30_000)
  })

  it('obeys the longest of several answers that name a time', async () => {
    const { time, pace, send } = paced()
    for (let call = 0; call < 3; call += 1) await pace.take(1)
    pace.refused(5_000)
    pace.refused(20_000)
    pace.refused(1_000)
    const went = send(1)
    await time.runUntil(60_000)
    expect(went).toEqual([20_000])
  })

  it('tries with one call after a stop, and lets the others wait for its answer', async () => {
    const { time, pace } = paced()
    await pace.take(1)
    pace.refused(1_000)
    let went = 0
    for (let call = 0; call < 10; call += 1) void pace.take(1).then(() => (went += 1))
    await time.runUntil(2_000)
    expect(went).toBe(1)
    pace.granted(1)
    await time.runUntil(60_000)
    expect(went).toBeGreaterThan(1)
  })

  it('hands a longer stop than its patience on to whoever asks, and to those who wait already', async () => {
    const { time, pace } = paced({ patienceMs: 60_000 })
    for (let call = 0; call < 2; call += 1) await pace.take(1)
    pace.refused(10_000)
    const waiting = pace.take(1).catch((error: unknown) => error)
    await time.runUntil(1_000)
    pace.refused(90_000)
    await expect(pace.take(1)).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 90_000,
    })
    await expect(waiting).resolves.toMatchObject({ code: 'rate_limited', retryAfterMs: 90_000 })
  })

  it('ends the waiting at once when the signal aborts, and loses no turn of the others', async () => {
    const { time, pace, send } = paced()
    await pace.take(1)
    pace.refused(30_000)
    const stop = new AbortController()
    const stopped = pace.take(1, stop.signal).catch((error: unknown) => error)
    const went = send(2)
    await time.runUntil(1_000)
    stop.abort(new WaybillError('lease_lost', 'Another worker has the run.'))
    await expect(stopped).resolves.toMatchObject({ code: 'lease_lost' })
    expect(time.clock()).toBe(1_000)
    await time.runUntil(120_000)
    expect(went).toHaveLength(2)
  })

  it('refuses a signal that has aborted before', async () => {
    const { pace } = paced()
    await expect(pace.take(1, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('begins at the rate of an earlier life', async () => {
    const { time, pace, send } = paced({ rate: { perMinute: 60, counts: 'calls' } })
    const went = send(10, 200)
    await time.runUntil(5_500)
    expect(went.length).toBeLessThanOrEqual(7)
    expect(pace.rate()).toEqual({ perMinute: 60, counts: 'calls' })
  })

  it('makes another trial when the answer to the first never comes', async () => {
    const { time, pace } = paced()
    await pace.take(1)
    pace.refused(1_000)
    let went = 0
    for (let call = 0; call < 2; call += 1) void pace.take(1).then(() => (went += 1))
    await time.runUntil(60_000)
    expect(went).toBe(2)
  })

  it('goes on after the sleep it was given has failed', async () => {
    let broken = true
    const time = createVirtualTime()
    const pace = createPace({
      clock: time.clock,
      random: seededRandom('broken'),
      sleep: (ms, signal) =>
        broken ? Promise.reject(new Error('no timers')) : time.sleep(ms, signal),
    })
    await pace.take(1)
    pace.refused(1_000)
    await expect(pace.take(1)).rejects.toMatchObject({ code: 'internal' })
    broken = false
    const next = pace.take(1)
    await time.runUntil(1_000)
    await expect(next).resolves.toBeUndefined()
  })
})
