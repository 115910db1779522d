import { createHash } from 'node:crypto'
import { Temporal } from 'temporal-polyfill'
import { WaybillError } from '../../shared/errors.ts'
import { weekdays } from '../../shared/schedule.ts'
import type { Schedule } from '../../shared/schedule.ts'

const HOUR_MS = 60 * 60_000
/** Jobs for the same time begin spread over so long, so that not all begin at once. */
const SPREAD_MS = 15 * 60_000
const SECOND_MS = 1000
/** A week, one more because today's time may be over, and one for a day that a zone has skipped. */
const DAYS_AHEAD = 9

/** A time on a clock: 00:00 to 23:59. */
export const timeOfDay = /^(?:[01]\d|2[0-3]):[0-5]\d$/

/** @returns whether `zone` names a time zone that this machine knows: `Europe/Berlin`, `UTC`, but no mere offset. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch (error) {
    // https://tc39.es/ecma402/#sec-createdatetimeformat
    if (error instanceof RangeError) return false
    throw error
  }
}

/**
 * When a job is next to run. Each day of its zone on which it is to run has exactly one such time, through every change of
 * the clocks: a time that the clocks leave out is at the next instant that exists, or, where that is on another day, in
 * the last minute before; a time that comes twice is the first of the two.
 *
 * @param job its id, which says how long after its time of day it begins, by less than a quarter of an hour; that never
 *   reaches into the next day
 * @param after milliseconds since 1970
 * @returns the first such time that is later than `after`, in milliseconds since 1970. Throws `invalid_request` for a
 *   schedule that nothing can follow.
 */
export function nextDue(schedule: Schedule, job: string, after: number): number {
  const share = shareOf(job)
  if (schedule.every === 'hour') {
    const late = delayed(0, HOUR_MS, share)
    return (Math.floor((after - late) / HOUR_MS) + 1) * HOUR_MS + late
  }
  const days = schedule.every === 'day' ? weekdays : schedule.on
  const { time, today } = readOn(schedule, after)
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead += 1) {
    const date = today.add({ days: ahead })
    const weekday = weekdays[date.dayOfWeek - 1]
    if (weekday === undefined || !days.includes(weekday)) continue
    const at = instantOn(date, time, schedule.zone)
    if (at === null) continue
    const end = date.add({ days: 1 }).toZonedDateTime(schedule.zone).epochMilliseconds
    const due = delayed(at, end, share)
    if (due > after) return due
  }
  throw new WaybillError('invalid_request', 'A schedule needs at least one day of the week.')
}

/** @returns the time of day, and the date on which `after` is, in the schedule's zone. */
function readOn(
  { at, zone }: Exclude<Schedule, { readonly every: 'hour' }>,
  after: number,
): { readonly time: Temporal.PlainTime; readonly today: Temporal.PlainDate } {
  try {
    const now = Temporal.Instant.fromEpochMilliseconds(after).toZonedDateTimeISO(zone)
    return { time: Temporal.PlainTime.from(at), today: now.toPlainDate() }
  } catch (error) {
    // https://tc39.es/proposal-temporal/#sec-temporal-parsetemporaltimezonestring
    if (!(error instanceof RangeError)) throw error
    const message = 'A schedule needs a time of day and a time zone that this machine knows.'
    throw new WaybillError('invalid_request', message, { cause: error })
  }
}

/** @returns when it is `time` on that day in that zone; null if the zone has skipped the whole day. */
function instantOn(
  date: Temporal.PlainDate,
  time: Temporal.PlainTime,
  zone: string,
): number | null {
  const local = date.toPlainDateTime(time)
  const first = local.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (first.toPlainDateTime().equals(local)) return first.epochMilliseconds
  const change = first.getTimeZoneTransition('next')
  if (change === null) return first.epochMilliseconds
  if (change.toPlainDate().equals(date)) return change.epochMilliseconds
  const before = change.subtract({ minutes: 1 })
  return before.toPlainDate().equals(date) ? before.epochMilliseconds : null
}

function delayed(at: number, end: number, share: number): number {
  const room = Math.min(SPREAD_MS, end - at)
  return at + Math.floor((room * share) / SECOND_MS) * SECOND_MS
}

/** @returns a number from 0 to below 1, always the same for a job and evenly spread over jobs. */
function shareOf(job: string): number {
  return createHash('sha256').update(job).digest().readUInt32BE() / 2 ** 32
}
