import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, hidden, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { dateTime } from './localized.ts'

const effects = html`<h2>What will happen</h2>
  <ul>
    <li>All jobs stop, and no schedule starts another.</li>
    <li>
      All accounts are disconnected: Waybill forgets their tokens and has the providers take its
      access back.
    </li>
    <li>
      Jobs, receipts and everything that they remember are deleted, and your keys with them. What
      was sealed with them can then be read by nobody, in no copy of it.
    </li>
    <li>
      Lines of the log of acts stay, as others can check them, but nobody can tell any more that
      they were yours.
    </li>
  </ul>
  <h2>What stays</h2>
  <p>
    Your files: nothing is deleted in your Google Drive, and copies stay where they were put.
    Waybill can never find them again as its own.
  </p>`

/** How far a person is on the way to deleting everything. */
export type Erasure =
  | { readonly kind: 'not_signed_in' }
  | { readonly kind: 'signed_in' }
  /** A code was given, to be typed until then (RFC 3339); `isRefused` if what was typed was another one. */
  | {
      readonly kind: 'asked'
      readonly code: string
      readonly until: string
      readonly isRefused: boolean
    }

/** @returns what deleting everything means, and the form that does it. */
export function erasePage(erasure: Erasure, signedIn: SignedIn | null, locale: string): string {
  return layout(
    'Delete my data',
    signedIn,
    html`<p class="lead">You can have everything deleted that Waybill knows about you.</p>
      ${effects} ${way(erasure, signedIn, locale)}`,
  )
}

function way(erasure: Erasure, signedIn: SignedIn | null, locale: string): Html {
  if (erasure.kind === 'not_signed_in' || signedIn === null)
    return html`<h2>How</h2>
      <p>Sign in first, so that Waybill knows whose data it is.</p>
      <p><a class="button" href="/connect/accounts">Sign in</a></p>`
  if (erasure.kind === 'signed_in')
    return html`<h2>How</h2>
      <p>Nothing is deleted yet: next, you are asked to confirm it with a code.</p>
      ${act('/delete-my-data/confirm', signedIn.form, 'Go on', null, 'other')}`
  return confirming(erasure, signedIn, locale)
}

function confirming(
  { code, until, isRefused }: Extract<Erasure, { readonly kind: 'asked' }>,
  { form }: SignedIn,
  locale: string,
): Html {
  return html`<h2>Delete everything</h2>
    ${
      isRefused
        ? html`<p id="refused" role="alert" class="problem">
            That was not the code, so nothing was deleted. There is a new one now.
          </p>`
        : null
    }
    <p>This cannot be undone. If you mean it, type this code, until ${dateTime(until, locale)}:</p>
    <p class="account">${code}</p>
    <form method="post" action="/delete-my-data">
      ${hidden('form', form)}
      <label for="code">Code</label>
      <input
        id="code"
        name="code"
        type="text"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        required
        ${isRefused ? html`aria-invalid="true" aria-describedby="refused"` : null}
      />
      <div><button type="submit" class="final">Delete all my data</button></div>
    </form>`
}

/**
 * @param certificate where it can be fetched that everything is deleted
 * @returns what is seen once it has begun
 */
export function erasedPage(certificate: string): string {
  return layout(
    'Your data is being deleted',
    null,
    html`<p class="lead">
        You are signed out. Your jobs are stopped, and your accounts and all that Waybill knew about
        you are being deleted.
      </p>
      <p>
        Keep this address: once everything is deleted, you get a signed certificate there. It is
        shown only now. <a href="${certificate}">${certificate}</a>
      </p>
      <p>
        If a provider could not be reached, Waybill goes on asking it to take its access back, for a
        week at most.
      </p>
      <p><a href="/">Go to the start</a></p>`,
  )
}
