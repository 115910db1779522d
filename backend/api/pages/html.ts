const marked = Symbol('html')

/** Text that is safe to send as HTML. Only `html` makes it. */
export interface Html {
  readonly [marked]: true
  readonly text: string
}

type Value = string | number | Html | readonly Html[] | null

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * A template tag: what is put in is text, and is escaped so that it stays text, in elements and in quoted attributes. Only
 * what was made by this very tag goes in as it is. Null is nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const text = strings.map((each, at) => each + written(values[at] ?? null)).join('')
  return { [marked]: true, text }
}

function written(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string' || typeof value === 'number')
    return String(value).replaceAll(/[&<>"']/g, (mark) => escapes[mark] ?? '')
  if ('text' in value) return value.text
  return value.map((each) => each.text).join('')
}
