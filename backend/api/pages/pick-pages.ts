import type { OpenPicker } from '../../connect/picking.ts'
import { html } from './html.ts'
import { hidden, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { amount } from './localized.ts'
import { pickScript } from './static-files.ts'

interface Pick extends OpenPicker {
  /** The connection. */
  readonly id: string
  /** Those that are offered; none for all. */
  readonly files: readonly string[]
  readonly nonce: string
}

/** @returns the page that opens Google's picker. */
export function pickPage(pick: Pick, signedIn: SignedIn): string {
  const { id, account, files, nonce } = pick
  return layout(
    'Pick files for Waybill',
    signedIn,
    html`<p class="lead">
        Waybill sees only the files that you pick here. The list comes from Google, and Waybill does
        not see it.
      </p>
      <p class="account">${account}</p>
      <noscript>
        <p>This page needs JavaScript: the list is Google’s, and cannot be shown without.</p>
      </noscript>
      <form
        method="post"
        action="/connect/accounts/${id}/pick"
        data-token="${pick.token}"
        data-key="${pick.apiKey}"
        data-app="${pick.appId}"
        data-files="${files.join(',')}"
      >
        ${hidden('form', signedIn.form)}${hidden('ids', '')}
        <button type="submit" disabled>Choose files</button>
      </form>
      <p role="status">Loading Google’s file picker…</p>
      <p><a href="/connect/accounts/${id}">Back to this account</a></p>`,
    html`<script defer nonce="${nonce}" src="${pick.scriptUrl}"></script>
      <script defer nonce="${nonce}" src="${pickScript.href}"></script>`,
  )
}

/** @returns what is seen once files are picked. */
export function pickedPage(id: string, count: number, signedIn: SignedIn, locale: string): string {
  return layout(
    'Files picked',
    signedIn,
    html`<p class="lead">
        ${amount(count, locale)} ${count === 1 ? 'file is' : 'files are'} ready to be copied.
      </p>
      <p>You can close this tab and go on where you came from.</p>
      <p><a href="/connect/accounts/${id}/pick">Pick other files</a></p>
      <p><a href="/connect/accounts/${id}">Back to this account</a></p>`,
  )
}
