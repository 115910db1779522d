import { describe, expect, it } from '@jest/globals'
import { amount, dateTime, localeFor } from '../../../../backend/api/pages/localized.ts'

const at = '2027-01-05T14:10:00.000Z'

describe('dates and numbers', () => {
  it.each([
    [['de-CH', 'en'], 'de-CH'],
    [['xx', 'fr'], 'fr'],
    [['*'], 'en'],
    [['e'.repeat(99), '../../etc', 'en-u-ca-islamic', '-', 'nl'], 'nl'],
    [[], 'en'],
  ])('for who wants %j are written in %s', (wanted, locale) => {
    expect(localeFor(wanted)).toBe(locale)
  })

  it.each([
    ['en-US', 'January 5, 2027 at 02:10 PM UTC', '12,345'],
    ['de', '5. Januar 2027 um 14:10 UTC', '12.345'],
    ['ar-EG', '٥ يناير ٢٠٢٧ في ٠٢:١٠ م UTC', '١٢٬٣٤٥'],
  ])('say in %s what they say there, and in which language', (locale, date, number) => {
    expect(dateTime(at, locale).text.replaceAll(/\s+/g, ' ')).toContain(
      `<time datetime="${at}" lang="${locale}" dir="auto" >${date}</time`,
    )
    expect(amount(12_345, locale).text).toContain(`lang="${locale}" dir="auto">${number}<`)
  })
})
