/** The days of a week in their order, Monday first (ISO 8601). */
export const weekdays = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const

export type Weekday = (typeof weekdays)[number]

/**
 * When a job runs by itself. `at` is a time of day, `02:30`, and `zone` an IANA time zone, `Europe/Berlin`: the time on
 * the clock of somebody who lives there, so it moves with daylight saving.
 */
export type Schedule =
  | { readonly every: 'hour' }
  | { readonly every: 'day'; readonly at: string; readonly zone: string }
  | {
      readonly every: 'week'
      readonly on: readonly Weekday[]
      readonly at: string
      readonly zone: string
    }
