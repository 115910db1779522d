import { createMeasureEstimate } from './quota-measure.ts'
import type { Measure } from './quota-measure.ts'
import { createQuotaWindow } from './quota-window.ts'
import type { Random } from './waiting.ts'

const MINUTE_MS = 60_000
/** Part of what was granted in the minute before a refusal at which we go on. */
const MARGIN = 0.97
/** A refusal so soon after the last (in minutes' worth of quota) says that the ceiling is not where we thought. */
const SOON = 0.25
/** As long as no more than this many of the largest calls were granted since, a refusal belongs to the last stop. */
const SAME_STOP = 2
const CUT = 0.85
/** How fast we climb above the ceiling: ceiling × (1 + CLIMB × minutes³). */
const CLIMB = 0.015
/** How many granted calls pay for a refused one before we climb again, and the most that is owed. */
const PRICE = 130
const MOST_OWED = 4 * PRICE
const SHORTEST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 16_000
/** After this long without an answer a trial call is taken for lost, and another is made. */
const TRIAL_MS = 15_000
/**
 * Calls of a slice that are made without regard to what is believed. Others share the quota: a job that is small must
 * not have to win its part of it first, and what a large one was refused meanwhile makes it give way.
 */
const FIRST_CALLS = 150
/** Once one of them was refused, so long apart: what is on its way when the next is refused is refused with it. */
const FIRST_GAP_MS = 100
/** They look more often whether they may go on. */
const LONGEST_PAUSE_OF_FIRST_MS = 2_000
/** How far the schedule may lag behind the clock and still catch up: timers wake late. */
const SLACK_MS = 250

/** A quota as we believe it to be. */
export interface Rate {
  readonly perMinute: number
  readonly counts: Measure
}

/** What we know of a provider's quota, as a state machine without time of its own. Costs are in the provider's units. */
export interface QuotaEstimate {
  /** A slice begins: its first calls go ahead, and their refusals teach nothing about the quota. */
  begin(): void
  /** Milliseconds to wait before a call of this cost may go; 0 if it may go now. */
  delay(now: number, cost: number): number
  /** A call goes; `waited` says that the pace held it back. */
  took(now: number, cost: number, waited: boolean): void
  /** @returns whether this answer ended a stop, so that those who wait should ask again. */
  granted(now: number, cost: number): boolean
  refused(now: number, retryAfterMs: number | undefined): void
  /** Until when nothing may go, in milliseconds since 1970; in the past if something may. */
  stoppedUntil(): number
  /** What we believe; null as long as nothing was refused. */
  rate(): Rate | null
}

/**
 * Learns a quota from its refusals. It holds no matter how the provider counts (sliding minute, fixed minute, token
 * bucket), because of one thing that all have in common: at a refusal, what was granted within the last minute, pauses
 * included, is the quota. So after a refusal we go on a little below that sum, evenly spaced; the longer nothing is
 * refused the faster we climb, after the cubic of CUBIC (RFC 9438); and each refusal must first be paid for by many
 * granted calls, which bounds the part of calls that are refused.
 *
 * @param known what was believed in an earlier life, or null
 */
export function createQuotaEstimate(random: Random, known: Rate | null): QuotaEstimate {
  const granted = { units: createQuotaWindow(), calls: createQuotaWindow() }
  const measure = createMeasureEstimate(known?.counts ?? 'units')
  let believed = known?.perMinute ?? null
  /** The first refusal came before a minute was over: the quota is at least what was granted, perhaps much more. */
  let atLeast = false
  let firstGrantAt: number | null = null
  let owed = 0
  let climbed = 0
  let sinceRefusal = 0
  let largest = 0
  let nextAt = 0
  let stoppedUntil = 0
  let pauseMs = SHORTEST_PAUSE_MS
  let trial: 'none' | 'due' | number = 'none'
  /** Calls without an answer yet, and how many of them went before the last stop: their answers are old news. */
  let outstanding = 0
  let stale = 0
  let first = 0
  let firstRefused = false

  const weigh = (cost: number): number => (measure.current() === 'units' ? cost : 1)

  function limit(base: number): number {
    if (atLeast) return base * 2 ** Math.min(climbed * 6, 20)
    return base * (1 + CLIMB * climbed ** 3)
  }

  function lower(now: number): void {
    const before = measure.current()
    if (firstGrantAt !== null && !atLeast)
      measure.saw(granted.units.sum(now), granted.calls.sum(now))
    const counts = measure.current()
    const sum = granted[counts].sum(now) * MARGIN
    const least = weigh(largest) * 6
    if (believed === null || counts !== before) believed = Math.max(sum, least)
    else {
      const soon = sinceRefusal < SOON * believed
      const aim = Math.min(sum, soon ? believed * CUT : limit(believed))
      believed = Math.max(aim, believed / 2, least)
    }
    const early = firstGrantAt === null || now - firstGrantAt < MINUTE_MS
    // What the search for the order of magnitude cost is not owed: it would keep a low first guess low for long.
    if (atLeast && !early) owed = PRICE
    atLeast = early
    climbed = 0
    sinceRefusal = 0
  }

  function answered(): boolean {
    outstanding = Math.max(0, outstanding - 1)
    if (stale === 0) return true
    stale -= 1
    return false
  }

  return {
    begin() {
      first = FIRST_CALLS
      firstRefused = false
    },
    delay(now, cost) {
      if (now < stoppedUntil) return stoppedUntil - now
      if (trial === 'due') return 0
      if (trial !== 'none') return Math.max(0, trial + TRIAL_MS - now)
      if (first > 0) return firstRefused ? Math.max(0, nextAt - now) : 0
      if (believed === null) return 0
      if (now < nextAt) return nextAt - now
      // In fixed minutes and in a sliding one what counts is the sum; to spread it evenly is not enough after a jump.
      const sum = granted[measure.current()].sum(now)
      if (!atLeast && sum > 0 && sum + weigh(cost) > limit(believed)) return SLACK_MS
      return 0
    },
    took(now, cost, waited) {
      largest = Math.max(largest, cost)
      outstanding += 1
      if (trial !== 'none') trial = now
      if (first > 0) {
        nextAt = now + FIRST_GAP_MS
        return
      }
      if (believed === null) return
      const minutes = weigh(cost) / limit(believed)
      nextAt = Math.max(nextAt, now - SLACK_MS) + minutes * MINUTE_MS
      // Who does not use what there is learns nothing about how much more there would be.
      if (waited && (owed === 0 || atLeast)) climbed += minutes
    },
    granted(now, cost) {
      firstGrantAt ??= now
      granted.units.add(now, cost)
      granted.calls.add(now, 1)
      sinceRefusal += weigh(cost)
      owed = Math.max(0, owed - 1)
      first = Math.max(0, first - 1)
      const news = answered()
      if (!news || typeof trial !== 'number') return false
      trial = 'none'
      return true
    },
    refused(now, retryAfterMs) {
      const early = first > 0
      if (early) firstRefused = true
      else owed = Math.min(owed + PRICE, MOST_OWED)
      stoppedUntil = Math.max(stoppedUntil, now + (retryAfterMs ?? 0))
      if (!answered()) return
      // A cheap call may slip through where the next dear one does not: that is still the same stop.
      const anew = trial === 'none' && (early || sinceRefusal > SAME_STOP * weigh(largest))
      const longest = early ? LONGEST_PAUSE_OF_FIRST_MS : LONGEST_PAUSE_MS
      if (anew || (believed === null && !early)) {
        pauseMs = SHORTEST_PAUSE_MS
        if (!early) lower(now)
      } else pauseMs = Math.min(pauseMs * 1.5, longest)
      if (retryAfterMs === undefined) {
        stoppedUntil = Math.max(stoppedUntil, now + pauseMs * (0.75 + random() / 2))
      }
      trial = 'due'
      stale = outstanding
    },
    stoppedUntil: () => stoppedUntil,
    rate: () => (believed === null ? null : { perMinute: believed, counts: measure.current() }),
  }
}
