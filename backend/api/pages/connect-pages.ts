import { accountNames } from '../../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../../shared/account.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'

interface Asking {
  readonly provider: AccountProvider
  readonly tier: DriveTier | null
}

/** What Waybill asks for, and why, in words. */
function reasons({ provider, tier }: Asking): readonly string[] {
  switch (provider) {
    case 'google-drive':
      return tier === 'whole'
        ? [
            'Waybill may read all files in this Google Drive, to copy them. It can change and delete nothing there.',
            'It learns the address of the account, to show you which one it is.',
          ]
        : [
            'Waybill may read the files that you pick for it, one by one, to copy them. It sees no others.',
            'It learns the address of the account, to show you which one it is.',
          ]
    case 'dropbox':
      return [
        'Waybill may see the names of files and folders, to find what it has copied before.',
        'It may write files and folders, and read them, to check its copies.',
        'It learns the address of the account, to show you which one it is.',
      ]
    case 'box':
      return [
        'Waybill may read and write files and folders in this Box, to put copies there and to check them.',
        'It learns the address of the account, to show you which one it is.',
      ]
    case 'microsoft':
      return [
        'Waybill may read and write files in this OneDrive, to put copies there and to check them.',
        'It learns the address of the account, to show you which one it is.',
      ]
    default:
      return provider satisfies never
  }
}

/** @returns the first page of a link: what is asked, and why; one button goes to the provider. */
export function askPage(asking: Asking & { readonly ticket: string }, signedIn: SignedIn | null) {
  const name = accountNames[asking.provider]
  return layout(
    `Connect ${name}`,
    signedIn,
    html`<p>${name} will ask you to allow this:</p>
      <ul>
        ${reasons(asking).map((each) => html`<li>${each}</li>`)}
      </ul>
      <p>
        You sign in at ${name} itself: Waybill never sees your password. What it is given is kept
        encrypted, and you can take it back at any time.
      </p>
      ${act(`/connect/${asking.ticket}`, signedIn?.form ?? null, `Continue to ${name}`)}`,
  )
}

/** @returns the page for a browser in which nobody is signed in yet. */
export function signInPage(ticket: string | null) {
  return layout(
    'Sign in to Waybill',
    null,
    html`<p>
        ${
          ticket === null
            ? 'Sign in with the Google account in which you use Waybill.'
            : 'This link is for one person. Sign in with the Google account in which you asked for it.'
        }
      </p>
      ${act(
        '/connect/sign-in',
        null,
        'Sign in with Google',
        ticket === null ? null : html`<input type="hidden" name="ticket" value="${ticket}" />`,
      )}`,
  )
}

/** @returns what is seen for a moment on the way to a provider. */
export function leavingPage(name: string, url: string) {
  return layout(
    `On the way to ${name}`,
    null,
    html`<p>If nothing happens: <a href="${url}" rel="noreferrer">Continue to ${name}</a></p>`,
  )
}

/** What did not work, and what to do. */
export function problemPage(title: string, text: string, signedIn: SignedIn | null = null): string {
  return layout(title, signedIn, paragraph(text))
}

/** @returns what a person is told who did not allow what Waybill needs. */
export function notAllowedPage(
  provider: AccountProvider,
  kind: 'denied' | 'incomplete',
  signedIn: SignedIn | null,
): string {
  const name = accountNames[provider]
  const what =
    kind === 'denied'
      ? `You did not allow Waybill to use this ${name} account, so nothing was connected.`
      : `A box was left unticked at ${name}, and without it Waybill cannot work. Nothing was connected.`
  return problemPage(
    'Not connected',
    `${what} To try again, go back to where you came from and ask for a new link.`,
    signedIn,
  )
}

function paragraph(text: string): Html {
  return html`<p>${text}</p>`
}
