import { accountNames } from '../../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../../shared/account.ts'
import { connectAct } from './failure-pages.ts'
import type { Attempt } from './failure-pages.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { dateTime } from './localized.ts'
import { act, hidden, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'

interface Asking {
  readonly provider: AccountProvider
  readonly tier: DriveTier | null
}

const address = 'It learns the address of the account, to show you which one it is.'

/** What Waybill asks for, and why, in words. */
function reasons({ provider, tier }: Asking): readonly string[] {
  switch (provider) {
    case 'google-drive':
      return tier === 'whole'
        ? [
            'Waybill may read all files in this Google Drive, to copy them. It can change and delete nothing there.',
            address,
          ]
        : [
            'Waybill may read the files that you pick for it, one by one, to copy them. It sees no others.',
            address,
          ]
    case 'dropbox':
      return [
        'Waybill may see the names of files and folders, to find what it has copied before.',
        'It may write files and folders, and read them, to check its copies.',
        address,
      ]
    case 'box':
      return [
        'Waybill may read and write files and folders in this Box, to put copies there and to check them.',
        address,
      ]
    case 'microsoft':
      return [
        'Waybill may read and write files in this OneDrive, to put copies there and to check them.',
        address,
      ]
    default:
      return provider satisfies never
  }
}

/** @returns the first page of a link: what is asked, and why; one button goes to the provider. */
export function askPage(
  asking: Asking & { readonly ticket: string; readonly expiresAt: number },
  signedIn: SignedIn | null,
  locale: string,
): string {
  const name = accountNames[asking.provider]
  return layout(
    `Connect ${name}`,
    signedIn,
    html`<p class="lead">${name} will ask you to allow this:</p>
      <ul>
        ${reasons(asking).map((each) => html`<li>${each}</li>`)}
      </ul>
      <p>
        You sign in at ${name} itself: Waybill never sees your password. What it is given is kept
        encrypted, and you can take it back at any time.
        <a href="/help/permissions#${asking.provider}">More about these permissions</a>
      </p>
      ${act(`/connect/${asking.ticket}`, signedIn?.form ?? null, `Continue to ${name}`)}
      <p class="quiet-text">
        This link is good until ${dateTime(new Date(asking.expiresAt).toISOString(), locale)}, and
        for one sign-in.
      </p>`,
  )
}

/** @returns the page on which a person chooses what to connect. */
export function choosePage(offers: readonly Attempt[], signedIn: SignedIn): string {
  return layout(
    'Connect an account',
    signedIn,
    html`<p class="lead">
        Waybill copies from Google Drive to another cloud. You see what each asks for before you
        allow it.
      </p>
      <ul class="cards">
        ${offers.map((offer) => offerRow(offer, signedIn))}
      </ul>`,
  )
}

function offerRow({ provider, tier }: Attempt, { form }: SignedIn): Html {
  const name = accountNames[provider]
  const [title, about] = aboutOffer({ provider, tier })
  return html`<li>
    <h2>${title}</h2>
    <p>${about}</p>
    ${connectAct(
      { provider, tier },
      form,
      tier === null ? `Connect ${name}` : `Connect ${name}, ${tierNames[tier]}`,
    )}
  </li>`
}

const tierNames: Readonly<Record<DriveTier, string>> = {
  picked: 'picked files',
  whole: 'whole',
}

function aboutOffer({ provider, tier }: Attempt): readonly [string, string] {
  const name = accountNames[provider]
  if (tier === 'whole')
    return [`${name}, the whole of it`, 'Waybill may read everything in it, and change nothing.']
  if (tier === 'picked')
    return [`${name}, picked files`, 'Waybill sees only the files that you pick for it.']
  return provider === 'dropbox'
    ? [name, 'Copies go there.']
    : [name, 'You can connect it already; jobs cannot use it yet.']
}

/** @returns the page for a browser in which nobody is signed in yet; `onward` is where to go on afterwards. */
export function signInPage(onward: string | null): string {
  return layout(
    'Sign in to Waybill',
    null,
    html`<p class="lead">
        ${
          onward === null || onward.includes('/')
            ? 'Sign in with the Google account in which you use Waybill.'
            : 'This link is for one person. Sign in with the Google account in which you asked for it.'
        }
      </p>
      ${act(
        '/connect/sign-in',
        null,
        'Sign in with Google',
        onward === null ? null : hidden('onward', onward),
      )}
      <p>
        Google tells Waybill who you are and your address, nothing else.
        <a href="/help/permissions#google">What that is for</a>
      </p>`,
  )
}

/** @returns what is seen for a moment on the way to a provider. */
export function leavingPage(name: string, url: string): string {
  return layout(
    `On the way to ${name}`,
    null,
    html`<p>If nothing happens: <a href="${url}" rel="noreferrer">Continue to ${name}</a></p>`,
  )
}

/** @returns what is seen after signing out. */
export function signedOutPage(): string {
  return layout(
    'Signed out',
    null,
    html`<p class="lead">You can close this tab.</p>
      <p>Your accounts stay connected, and your jobs go on.</p>
      ${act('/connect/sign-in', null, 'Sign in with Google', null, 'other')}`,
  )
}
