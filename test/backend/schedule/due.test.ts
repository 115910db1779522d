import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { isZone, nextDue } from '../../../backend/schedule/due.ts'
import { weekdays } from '../../../shared/schedule.ts'
import type { Schedule, Weekday } from '../../../shared/schedule.ts'

const DAY_MS = 24 * 3_600_000

/** Clocks that change by an hour, half an hour, two hours, twice a year, around Ramadan, at midnight, and never. */
const zones = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/El_Aaiun',
  'Africa/Johannesburg',
  'Africa/Lagos',
  'America/Adak',
  'America/Anchorage',
  'America/Asuncion',
  'America/Bogota',
  'America/Chicago',
  'America/Halifax',
  'America/Havana',
  'America/Los_Angeles',
  'America/Mexico_City',
  'America/Miquelon',
  'America/New_York',
  'America/Nuuk',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/Scoresbysund',
  'America/St_Johns',
  'Antarctica/Troll',
  'Asia/Amman',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Jerusalem',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Atlantic/Azores',
  'Australia/Adelaide',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Europe/Berlin',
  'Europe/Chisinau',
  'Europe/Dublin',
  'Europe/Lisbon',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Easter',
  'Pacific/Kiritimati',
  'UTC',
]

/** Local dates and times by the platform alone, which knows nothing of how they were found. */
function clockOf(zone: string) {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
    hourCycle: 'h23',
  })
  return (ms: number): { readonly date: string; readonly time: string } => {
    const [date = '', time = ''] = format.format(ms).split(', ')
    return { date, time }
  }
}

/** Every local date of the zone between two times, also by the platform alone. */
function datesBetween(zone: string, from: number, to: number): readonly string[] {
  const clock = clockOf(zone)
  const dates = new Set<string>()
  for (let at = from; at < to; at += DAY_MS / 4) dates.add(clock(at).date)
  return [...dates]
}

function duesBetween(schedule: Schedule, job: string, from: number, to: number): readonly number[] {
  const dues: number[] = []
  for (let at = nextDue(schedule, job, from); at < to; at = nextDue(schedule, job, at))
    dues.push(at)
  return dues
}

const begin = Date.UTC(2024, 0, 1, 12)
const end = Date.UTC(2027, 0, 1, 12)
/** Times at which clocks change somewhere, and others. */
const times = ['00:00', '00:30', '01:30', '02:10', '02:30', '12:00', '23:30', '23:59']

describe('a daily schedule', () => {
  it.each(zones)('has one run on each local day of three years in %s', (zone) => {
    const clock = clockOf(zone)
    const dates = datesBetween(zone, begin, end)
    for (const at of ['00:00', '00:30', '02:30', '23:30']) {
      // The day before, so that the first date is whole, and the last is left out.
      const dues = duesBetween({ every: 'day', at, zone }, `${zone} ${at}`, begin - DAY_MS, end)
      const days = dues.map((due) => clock(due).date)
      expect(new Set(days).size).toBe(days.length)
      const missing = dates.slice(1, -1).filter((date) => !days.includes(date))
      expect(missing).toEqual([])
      expect(days.toSorted()).toEqual(days)
    }
  })

  it('says the same time after any moment since the one before', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...times),
        fc.string({ minLength: 1, maxLength: 8 }),
        fc.integer({ min: begin, max: end }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (zone, at, job, after, share) => {
          const schedule = { every: 'day', at, zone } as const
          const first = nextDue(schedule, job, after)
          const second = nextDue(schedule, job, first)
          expect(first).toBeGreaterThan(after)
          const between = first + Math.floor((second - first) * share)
          expect(nextDue(schedule, job, between)).toBe(second)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('begins within a quarter of an hour after its time where the clocks do not change', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: begin, max: end }), (job, after) => {
        const due = nextDue({ every: 'day', at: '09:00', zone: 'Asia/Tokyo' }, job, after)
        const { time } = clockOf('Asia/Tokyo')(due)
        expect(time >= '09:00:00' && time < '09:15:00').toBe(true)
      }),
    )
  })

  it('spreads jobs over that quarter, each at the same place every day', () => {
    const schedule = { every: 'day', at: '03:00', zone: 'UTC' } as const
    const minutes = Array.from({ length: 1_500 }, (_, n) => {
      const due = nextDue(schedule, `job-${n}`, begin)
      expect(nextDue(schedule, `job-${n}`, due) - due).toBe(DAY_MS)
      return Math.floor((due % 3_600_000) / 60_000)
    })
    const counts = Array.from({ length: 15 }, (_, m) => minutes.filter((each) => each === m).length)
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(1_500)
    expect(Math.min(...counts)).toBeGreaterThan(50)
    expect(Math.max(...counts)).toBeLessThan(150)
  })

  it.each([
    // [what, zone, time, local date, UTC]; the job `c` begins about a third of a quarter late.
    ['the next instant for a time left out', 'Europe/Berlin', '02:30', '2025-03-30', '01:00'],
    ['the first of two', 'Europe/Berlin', '02:30', '2025-10-26', '00:30'],
    ['the next instant after a gap at midnight', 'Africa/Cairo', '00:30', '2025-04-24', '22:00'],
    ['the next instant after half an hour', 'Australia/Lord_Howe', '02:10', '2025-10-04', '15:30'],
    [
      'the last minute before a gap that ends the day',
      'America/Nuuk',
      '23:30',
      '2024-03-31',
      '00:59',
    ],
  ] as const)('takes %s (%s %s)', (_what, zone, at, date, utc) => {
    const midnight = Date.parse(`${date}T00:00:00Z`)
    const wanted = midnight + Number(utc.slice(0, 2)) * 3_600_000 + Number(utc.slice(3)) * 60_000
    const due = nextDue({ every: 'day', at, zone }, 'c', wanted - 3_600_000)
    expect(due).toBeGreaterThanOrEqual(wanted)
    expect(due).toBeLessThan(wanted + 15 * 60_000)
  })
})

describe('a weekly schedule', () => {
  it('runs on its days and on no other', () => {
    const someDays = fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 })
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        someDays,
        fc.constantFrom(...times),
        (zone, on, at) => {
          const from = Date.UTC(2026, 2, 1)
          const dues = duesBetween({ every: 'week', on, at, zone }, 'job', from, from + 70 * DAY_MS)
          const day = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'long' })
          const days = dues.map((due) => day.format(due).toLowerCase())
          expect(new Set(days)).toEqual(new Set<string>(on))
          expect(Math.abs(days.length - 10 * on.length)).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('an hourly schedule', () => {
  it('runs once in every hour', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: begin, max: end }), (job, after) => {
        const first = nextDue({ every: 'hour' }, job, after)
        expect(first).toBeGreaterThan(after)
        expect(first - after).toBeLessThanOrEqual(3_600_000)
        expect(nextDue({ every: 'hour' }, job, first) - first).toBe(3_600_000)
        expect(first % 3_600_000).toBeLessThan(15 * 60_000)
      }),
    )
  })
})

describe('a schedule that nothing can follow', () => {
  const zone = 'Europe/Berlin'
  const week = (on: readonly Weekday[]): Schedule => ({ every: 'week', on, at: '01:00', zone })

  it.each([
    ['a zone that is none', { every: 'day', at: '01:00', zone: 'Europe/Atlantis' }],
    ['a time that is none', { every: 'day', at: '24:01', zone }],
    ['no day', week([])],
  ] as const)('is refused: %s', (_what, schedule) => {
    expect(() => nextDue(schedule, 'job', begin)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })

  it('can be told from one by its zone', () => {
    for (const known of zones) expect(isZone(known)).toBe(true)
    for (const unknown of ['', '+02:00', '-01', 'Mars/Olympus', 'Europe/', 'europe berlin'])
      expect(isZone(unknown)).toBe(false)
  })
})
