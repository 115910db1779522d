import { html } from './html.ts'
import type { Html } from './html.ts'

/** Who is signed in, and what forms prove that they come from our own page with. */
export interface SignedIn {
  /** An address; null for the owner of a Waybill on one machine. */
  readonly label: string | null
  readonly form: string
}

/** @returns a whole page. */
export function layout(title: string, signedIn: SignedIn | null, body: Html): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Waybill</title>
        <link rel="stylesheet" href="/static/pages.css" />
      </head>
      <body>
        ${signedIn === null ? null : header(signedIn)}
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `
  return page.text
}

function header({ label, form }: SignedIn): Html {
  return html`<header>
    <p>${label === null ? 'You are the owner of this Waybill.' : `Signed in as ${label}.`}</p>
    <p><a href="/connect/accounts">Accounts</a></p>
    ${act('/connect/sign-out', form, 'Sign out')}
  </header>`
}

/** @returns a button that does something, once it is pressed. */
export function act(
  path: string,
  form: string | null,
  label: string,
  more: Html | null = null,
): Html {
  return html`<form method="post" action="${path}">
    ${form === null ? null : html`<input type="hidden" name="form" value="${form}" />`}${more}
    <button type="submit">${label}</button>
  </form>`
}
