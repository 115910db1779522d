import { WaybillError } from '../../shared/errors.ts'
import { weekdays } from '../../shared/schedule.ts'
import type { Schedule, Weekday } from '../../shared/schedule.ts'
import type { Command } from 'commander'
import { isZone, timeOfDay } from '../schedule/due.ts'

/** What the flags say about when a job runs by itself. */
export interface ScheduleFlags {
  readonly every?: string
  readonly at?: string
  readonly on?: string
  readonly zone?: string
}

/** Adds the flags to a command. */
export function addScheduleFlags(command: Command): Command {
  return command
    .option('--every <time>', 'also by itself, every hour, day or week')
    .option('--at <time>', 'with --every day or week: the time of day, like 02:30')
    .option('--on <days>', 'with --every week: the days, like mon,thu')
    .option('--zone <zone>', 'the time zone of --at, like Europe/Berlin; yours unless told')
}

/**
 * @param ownZone the time zone of the person's computer
 * @returns the schedule that the flags ask for, undefined if they ask for none. Throws `invalid_request`, which says
 *   which flag is missing or wrong.
 */
export function scheduleOf(flags: ScheduleFlags, ownZone: string): Schedule | undefined {
  const { every, at, on, zone = ownZone } = flags
  const beside = [at, on, flags.zone].some((flag) => flag !== undefined)
  if (every === undefined) {
    if (beside) throw invalid('--at, --on and --zone go with --every.')
    return undefined
  }
  if (every === 'hour') {
    if (beside) throw invalid('--at, --on and --zone go with --every day or --every week.')
    return { every }
  }
  if (every !== 'day' && every !== 'week') throw invalid('--every must be hour, day or week.')
  if (at === undefined) throw invalid('Say at which time of day, like --at 02:30.')
  if (!timeOfDay.test(at)) throw invalid('--at must be a time from 00:00 to 23:59, like 02:30.')
  if (!isZone(zone)) throw invalid('--zone must be the name of a time zone, like Europe/Berlin.')
  if (every === 'day') {
    if (on !== undefined) throw invalid('--on goes with --every week.')
    return { every, at, zone }
  }
  if (on === undefined) throw invalid('Say on which days, like --on mon,thu.')
  return { every, on: daysOf(on), at, zone }
}

function daysOf(text: string): readonly Weekday[] {
  const named = text.split(',').map((part) => {
    const name = part.trim().toLowerCase()
    const day = weekdays.find((each) => each === name || each.slice(0, 3) === name)
    if (day === undefined) throw invalid('--on must be days of the week, like mon,thu.')
    return day
  })
  return weekdays.filter((day) => named.includes(day))
}

/** @returns the schedule in words: `every day at 02:30 (Europe/Berlin)`. */
export function scheduleWords(schedule: Schedule): string {
  switch (schedule.every) {
    case 'hour':
      return 'every hour'
    case 'day':
      return `every day at ${schedule.at} (${schedule.zone})`
    case 'week': {
      const days = schedule.on.map((day) => `${day.slice(0, 1).toUpperCase()}${day.slice(1)}`)
      return `every ${days.join(', ')} at ${schedule.at} (${schedule.zone})`
    }
    default:
      return schedule satisfies never
  }
}

/** @returns the time zone of the computer that this runs on. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

function invalid(message: string): WaybillError {
  return new WaybillError('invalid_request', message)
}
