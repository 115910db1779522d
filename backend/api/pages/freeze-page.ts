import type { FreezeView } from '../../run/freezing.ts'
import { html } from './html.ts'
import { act, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { dateTime } from './localized.ts'

/** @returns whether everything is frozen, and the button that ends it. */
export function freezePage({ since }: FreezeView, signedIn: SignedIn, locale: string): string {
  if (since === null)
    return layout('Nothing is frozen', signedIn, html`<p>What was stopped goes on.</p>`)
  return layout(
    'Everything is frozen',
    signedIn,
    html`<p>Since ${dateTime(since, locale)} nothing is copied for you.</p>
      <p>
        If an alarm did this, look first at what is connected, and revoke API keys that you do not
        know. To end it then, sign out and sign in again: the button works for ten minutes.
      </p>
      ${act('/connect/freeze', signedIn.form, 'End the freeze')}`,
  )
}
