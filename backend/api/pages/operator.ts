import { html } from './html.ts'
import type { Html } from './html.ts'

/** Who runs this Waybill, as its pages name them. */
export interface Operator {
  /** Null where nobody has said. */
  readonly name: string | null
  /** An e-mail address or an https URL; null where nobody has said. */
  readonly contact: string | null
}

/** @returns how a sentence names them. */
export function operatorName({ name }: Operator): string {
  return name ?? 'whoever runs this Waybill'
}

/** @returns a link to their contact, or words for where there is none. */
export function contactLink({ contact }: Operator): Html {
  if (contact === null) return html`the person who set this Waybill up for you`
  return contact.startsWith('https:')
    ? html`<a href="${contact}" rel="noreferrer">${contact}</a>`
    : html`<a href="mailto:${contact}">${contact}</a>`
}
