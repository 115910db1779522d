/** Writes numbers, sizes and times the way a person is used to. */
export interface Amounts {
  readonly count: (value: number) => string
  /** A share from 0 to 1, as a percentage without decimals. Rounded down: 100 % is never said too early. */
  readonly share: (value: number) => string
  /** In steps of 1,000, as providers and disks count. */
  readonly bytes: (value: number) => string
  readonly rate: (bytesPerSecond: number) => string
  /** Milliseconds in the one or two units that matter: `3 min 20 sec`. */
  readonly duration: (ms: number) => string
  /** The time of day, with the date unless it is today. */
  readonly moment: (ms: number, now: number) => string
  readonly date: (ms: number) => string
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const
const spans = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** @param locale a BCP 47 tag, such as the one that {@link localeOf} finds */
export function createAmounts(locale: string): Amounts {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
  const dayAndTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const timeOnly = new Intl.DateTimeFormat(locale, { timeStyle: 'short' })
  const dayOnly = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })

  const withUnit = (value: number, unit: string, digits: number): string =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit,
      // The short form of bytes has no plural: `60 byte`.
      unitDisplay: unit.startsWith('byte') ? 'long' : 'short',
      maximumFractionDigits: digits,
    }).format(value)

  const sized = (value: number, suffix: string): string => {
    // 999.95 would be written as 1,000: the next unit has it as 1.
    let power = 0
    while (power < units.length - 1 && value / 1000 ** power >= (power === 0 ? 1000 : 999.95))
      power += 1
    const scaled = value / 1000 ** power
    return withUnit(scaled, `${units[power]}${suffix}`, power === 0 || scaled >= 100 ? 0 : 1)
  }

  return {
    count: (value) => whole.format(value),
    share: (value) => percent.format(Math.floor(Math.min(1, Math.max(0, value)) * 100) / 100),
    bytes: (value) => sized(value, ''),
    rate: (value) => sized(value, '-per-second'),
    duration: (ms) => {
      const seconds = Math.max(0, Math.round(ms / 1000))
      const first = spans.findIndex(([, length]) => seconds >= length)
      if (first === -1) return withUnit(0, 'second', 0)
      let rest = seconds
      const parts: string[] = []
      for (const [unit, length] of spans.slice(first, first + 2)) {
        const value = Math.floor(rest / length)
        rest -= value * length
        if (value > 0) parts.push(withUnit(value, unit, 0))
      }
      return parts.join(' ')
    },
    moment: (ms, now) =>
      dayOnly.format(ms) === dayOnly.format(now) ? timeOnly.format(ms) : dayAndTime.format(ms),
    date: (ms) => dayAndTime.format(ms),
  }
}

/**
 * @returns the person's own locale. Where none is set, the system's is `C`, which writes numbers for machines.
 */
export function localeOf(): string {
  const { locale } = Intl.NumberFormat().resolvedOptions()
  return locale.endsWith('posix') ? 'en' : locale
}
