import { html } from './html.ts'
import type { Html } from './html.ts'
import { icon, styles } from './static-files.ts'

/** Who is signed in, and what forms prove that they come from our own page with. */
export interface SignedIn {
  /** An address; null for the owner of a Waybill on one machine. */
  readonly label: string | null
  readonly form: string
}

/**
 * @param more goes into the head
 * @returns a whole page
 */
export function layout(
  title: string,
  signedIn: SignedIn | null,
  body: Html,
  more: Html | null = null,
): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} – Waybill</title>
        <link rel="icon" href="${icon.href}" type="image/svg+xml" />
        <link rel="stylesheet" href="${styles.href}" />
        ${more}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        ${header(signedIn)}
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
        ${footer}
      </body>
    </html> `
  return page.text
}

function header(signedIn: SignedIn | null): Html {
  return html`<header>
    <a class="brand" href="/"><img src="${icon.href}" alt="" width="28" height="28" /> Waybill</a>
    <nav aria-label="Waybill">
      <ul>
        ${signedIn === null ? null : html`<li><a href="/connect/accounts">Accounts</a></li>`}
        <li><a href="/help">Help</a></li>
      </ul>
    </nav>
    ${
      signedIn === null
        ? null
        : html`<div class="person">
            <p>
              ${
                signedIn.label === null
                  ? 'You are the owner of this Waybill.'
                  : `Signed in as ${signedIn.label}.`
              }
            </p>
            ${act('/connect/sign-out', signedIn.form, 'Sign out', null, 'quiet')}
          </div>`
    }
  </header>`
}

const footer = html`<footer>
  <nav aria-label="About Waybill">
    <ul>
      <li><a href="/help/permissions">Permissions</a></li>
      <li><a href="/privacy">Privacy</a></li>
      <li><a href="/terms">Terms</a></li>
      <li><a href="/support">Support</a></li>
      <li><a href="/delete-my-data">Delete my data</a></li>
    </ul>
  </nav>
</footer>`

/** Whether a button is what people mostly want there, something else, something small, or what cannot be undone. */
type ButtonKind = 'usual' | 'other' | 'quiet' | 'final'

/**
 * @param form what proves that it comes from our own page; null where nobody is signed in
 * @param more further fields
 * @returns a button that does something, once it is pressed
 */
export function act(
  path: string,
  form: string | null,
  label: string,
  more: Html | null = null,
  kind: ButtonKind = 'usual',
): Html {
  return html`<form method="post" action="${path}">
    ${form === null ? null : hidden('form', form)}${more}
    <button type="submit" class="${kind}">${label}</button>
  </form>`
}

/** @returns a field of a form that people do not see. */
export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`
}
