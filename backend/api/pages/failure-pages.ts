import { accountNames } from '../../../shared/account.ts'
import type { AccountProvider, DriveTier } from '../../../shared/account.ts'
import type { WaybillError } from '../../../shared/errors.ts'
import { explain } from '../../../shared/words.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, hidden, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'

/** Every way in which connecting an account, or signing in, ends without it. */
export const failureKinds = [
  'not_signed_in',
  'denied',
  'incomplete',
  'link_over',
  'link_used',
  'wrong_person',
  'signed_out',
  'sign_in_over',
  'cookie_missing',
  'provider_down',
  'answer_refused',
  'not_set_up',
  'frozen',
] as const

export type FailureKind = (typeof failureKinds)[number]

interface Words {
  readonly title: string
  readonly what: string
  readonly next: string
}

/** @param name how people call the provider */
function wordsFor(kind: FailureKind, name: string): Words {
  switch (kind) {
    case 'not_signed_in':
      return {
        title: 'Not signed in',
        what: 'You did not sign in with Google, so Waybill does not know who you are.',
        next: 'You can close this tab, or sign in after all.',
      }
    case 'denied':
      return {
        title: 'Not connected',
        what: `You did not allow Waybill to use this ${name} account, so nothing was connected.`,
        next: `If you want to connect it after all, try again and allow it at ${name}.`,
      }
    case 'incomplete':
      return {
        title: 'Not connected',
        what: `A box was left unticked at ${name}, and without it Waybill cannot work. Nothing was connected.`,
        next: `Try again, and leave all boxes ticked at ${name}.`,
      }
    case 'link_over':
      return {
        title: 'This link is over',
        what: 'A link is good for ten minutes. This one is older than that, or a part of it is missing.',
        next: 'Ask for a new link where you asked for this one.',
      }
    case 'link_used':
      return {
        title: 'This link has been used',
        what: 'A link is good for one sign-in, and this one has had it.',
        next: 'Look among your accounts whether it is connected already. If not, ask for a new link where you asked for this one.',
      }
    case 'wrong_person':
      return {
        title: 'This link is for somebody else',
        what: 'It was made for somebody else than the person who is signed in here. Nothing was connected.',
        next: 'If it is you, sign out and open the link again: then sign in with the Google account in which you asked for it.',
      }
    case 'signed_out':
      return {
        title: 'You were signed out',
        what: 'Before the account was connected, you were signed out of Waybill. Nothing was connected.',
        next: 'Sign in again, then connect the account.',
      }
    case 'sign_in_over':
      return {
        title: 'This sign-in is over',
        what: 'A sign-in has to be finished within ten minutes, and can be finished once. This one is over.',
        next: 'Look among your accounts whether it is connected already. If not, begin again.',
      }
    case 'cookie_missing':
      return {
        title: 'Your browser does not know this sign-in',
        what: 'It was begun in another browser or is over already, or this browser keeps no cookies for Waybill. Nothing was connected.',
        next: 'Begin again and stay in one browser. If that does not help, allow cookies for this site.',
      }
    case 'provider_down':
      return {
        title: `${name} does not answer`,
        what: `You did nothing wrong: Waybill could not reach ${name} to finish the sign-in. Nothing was connected.`,
        next: 'Try again in a few minutes.',
      }
    case 'answer_refused':
      return {
        title: 'That did not work',
        what: `What came back from ${name} was not what it should be, so Waybill did not use it. Nothing was connected.`,
        next: 'Try again. If it happens again, write to support.',
      }
    case 'not_set_up':
      return {
        title: `${name} does not accept this Waybill`,
        what: `This Waybill is not set up properly for ${name}. Nothing was connected, and it is not your fault.`,
        next: 'Write to support: whoever runs this Waybill has to mend it.',
      }
    case 'frozen':
      return {
        title: 'Everything is frozen',
        what: 'You have frozen everything that Waybill does for you, so no account can be connected.',
        next: 'End the freeze first, then try again.',
      }
    default:
      return kind satisfies never
  }
}

/** What was to be connected; null for signing in to Waybill itself. */
export interface Attempt {
  readonly provider: AccountProvider
  readonly tier: DriveTier | null
}

const startsOver: readonly FailureKind[] = [
  'denied',
  'incomplete',
  'sign_in_over',
  'cookie_missing',
  'provider_down',
  'answer_refused',
]

/** @returns what went wrong, and what to do about it, with a button that does it where there can be one. */
export function failurePage(
  kind: FailureKind,
  attempt: Attempt | null,
  signedIn: SignedIn | null,
): string {
  const name = attempt === null ? 'Google' : accountNames[attempt.provider]
  const { title, what, next } = wordsFor(kind, name)
  return layout(title, signedIn, sentences(what, next, ways(kind, attempt, signedIn)))
}

function ways(kind: FailureKind, attempt: Attempt | null, signedIn: SignedIn | null): Html {
  if (signedIn === null)
    return html`${act('/connect/sign-in', null, 'Sign in with Google')} ${supportLink}`
  if (kind === 'frozen')
    return html`<p><a class="button" href="/connect/freeze">Look at the freeze</a></p>
      ${supportLink}`
  if (kind === 'wrong_person') return act('/connect/sign-out', signedIn.form, 'Sign out')
  const accounts = html`<p><a href="/connect/accounts">Your accounts</a></p>`
  if (attempt === null || !startsOver.includes(kind)) return html`${accounts} ${supportLink}`
  return html`${connectAct(attempt, signedIn.form, 'Try again')} ${accounts} ${supportLink}`
}

const supportLink = html`<p><a href="/support">Get help</a></p>`

/** @returns a button that begins to connect an account. */
export function connectAct({ provider, tier }: Attempt, form: string, label: string): Html {
  const more = html`${hidden('provider', provider)}${tier === null ? null : hidden('tier', tier)}`
  return act('/connect/new', form, label, more)
}

const titles: Readonly<Record<number, string>> = {
  400: 'That did not work',
  401: 'Sign in again',
  403: 'Not for you',
  404: 'Nothing here',
  409: 'Not now',
  413: 'That was too much at once',
  503: 'Not at the moment',
}

/** @returns what any page says that could not do what it was asked for. */
export function refusalPage(
  status: number,
  error: WaybillError,
  signedIn: SignedIn | null,
): string {
  const { what, advice } = explain(error.code)
  const home = html`<p><a href="/">Go to the start</a></p>
    ${supportLink}`
  if (status === 404)
    return layout(
      'Nothing here',
      signedIn,
      sentences(error.message, 'Check that the address is complete.', home),
    )
  const isOurs = status >= 500
  const [first, second] = isOurs ? [what, advice] : [error.message, '']
  return layout(
    titles[status] ?? 'Something went wrong',
    signedIn,
    html`${sentences(first, second, home)}
    ${isOurs ? html`<p class="quiet-text">Code: <code>${error.code}</code></p>` : null}`,
  )
}

function sentences(what: string, next: string, more: Html): Html {
  return html`<p class="lead">${what}</p>
    ${next === '' ? null : html`<p>${next}</p>`} ${more}`
}
