import { html } from './html.ts'
import type { Html } from './html.ts'

/** A language, perhaps with script and region: `de`, `de-CH`, `zh-Hant-TW` (RFC 5646). All of this form are well-formed. */
const plainTag = /^[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?$/i

/**
 * @param wanted tags of languages, the dearest first, as a browser says them
 * @returns the first that dates and numbers can be written in; English if there is none
 */
export function localeFor(wanted: readonly string[]): string {
  const known = Intl.DateTimeFormat.supportedLocalesOf(wanted.filter((tag) => plainTag.test(tag)))
  return known[0] ?? 'en'
}

/**
 * @param at RFC 3339
 * @returns the day and the time of day, by UTC: nobody has told us where the reader is
 */
export function dateTime(at: string, locale: string): Html {
  const format = new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
  })
  // The rest of the page is English: who reads it aloud has to know where another language begins.
  return html`<time datetime="${at}" lang="${locale}" dir="auto"
    >${format.format(Date.parse(at))}</time
  >`
}

/** @returns a number, grouped as the reader is used to. */
export function amount(value: number, locale: string): Html {
  const written = new Intl.NumberFormat(locale).format(value)
  return html`<span lang="${locale}" dir="auto">${written}</span>`
}
