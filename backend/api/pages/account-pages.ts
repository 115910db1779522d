import { accountNames } from '../../../shared/account.ts'
import type { ConnectionView } from '../../connect/connections-view.ts'
import type { Disconnected, PendingRevocation } from '../../connect/disconnect.ts'
import { connectAct } from './failure-pages.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { amount, dateTime } from './localized.ts'

const states: Readonly<Record<ConnectionView['state'], string>> = {
  ready: 'Connected.',
  unconfirmed: 'Not confirmed yet.',
  expired: 'Has to be connected again.',
  frozen: 'Stopped: a sign-in was answered for another account. Connect it again.',
}

/** Which files were picked last, as far as a page tells. */
export interface PickedCount {
  readonly count: number
  /** RFC 3339. */
  readonly at: string
}

/** @returns which account was connected, and the question whether it is the one that was meant. */
export function accountPage(
  connection: ConnectionView,
  signedIn: SignedIn,
  { picked, locale }: { readonly picked: PickedCount | null; readonly locale: string },
): string {
  const { provider, account, state } = connection
  const name = accountNames[provider]
  const what = html`<p class="account">${account}</p>
    ${tierOf(connection)}`
  if (state === 'unconfirmed')
    return layout(
      `Is this your ${name}?`,
      signedIn,
      html`${what} ${question(connection, signedIn)}`,
    )
  const isReady = state === 'ready'
  return layout(
    isReady ? `Your ${name} is connected` : `Your ${name}`,
    signedIn,
    html`${what}
      <p>${states[state]}${isReady ? ' You can close this tab.' : null}</p>
      ${isReady && connection.tier === 'picked' ? pickLink(connection.id, picked, locale) : null}
      ${isReady ? null : connectAct(connection, signedIn.form, `Connect ${name} again`)}
      ${disconnectPart(connection, signedIn)}
      <p><a href="/connect/accounts">All your accounts</a></p>`,
  )
}

function tierOf({ provider, tier }: ConnectionView): Html | null {
  if (provider !== 'google-drive' || tier === null) return null
  return html`<p>
    ${tier === 'whole' ? 'The whole Drive, read only.' : 'Only the files you pick.'}
  </p>`
}

function question({ id }: ConnectionView, { form }: SignedIn): Html {
  const path = `/connect/accounts/${id}`
  return html`<p>
      Waybill copies to and from this account only once you have confirmed that it is yours.
    </p>
    <div class="acts">
      ${act(`${path}/confirm`, form, 'Yes, use this account')}
      ${act(`${path}/disconnect`, form, 'No, disconnect it', null, 'other')}
    </div>`
}

function pickLink(id: string, picked: PickedCount | null, locale: string): Html {
  return html`<div class="panel">
    <h2>Files for Waybill</h2>
    <p>
      ${
        picked === null
          ? 'Waybill sees no file of this Drive until you pick it.'
          : html`You have picked ${amount(picked.count, locale)}
            ${picked.count === 1 ? 'file' : 'files'} at ${dateTime(picked.at, locale)}.`
      }
    </p>
    <p><a class="button" href="/connect/accounts/${id}/pick">Pick files</a></p>
  </div>`
}

function disconnectPart({ id, provider }: ConnectionView, { form }: SignedIn): Html {
  const name = accountNames[provider]
  return html`<details>
    <summary>Disconnect this account</summary>
    <p>
      Waybill forgets the account, and asks ${name} to take its access back. Jobs that use it stop.
      Copies that were made stay where they are.
    </p>
    ${act(`/connect/accounts/${id}/disconnect`, form, 'Disconnect', null, 'final')}
  </details>`
}

/** @returns all accounts of a person. */
export function accountsPage(
  connections: readonly ConnectionView[],
  pending: readonly PendingRevocation[],
  signedIn: SignedIn,
  locale: string,
): string {
  return layout(
    'Your accounts',
    signedIn,
    html`${
        connections.length === 0
          ? html`<p class="lead">No account is connected.</p>
              <p>
                To copy, Waybill needs two: a Google Drive to copy from, and another cloud to copy
                to.
              </p>`
          : html`<ul class="cards">
              ${connections.map(row)}
            </ul>`
      }
      <p><a class="button" href="/connect/new">Connect an account</a></p>
      ${pending.length === 0 ? null : waiting(pending, locale)}`,
  )
}

function row({ id, provider, account, state }: ConnectionView): Html {
  return html`<li>
    <p class="account">
      <a href="/connect/accounts/${id}">${accountNames[provider]}: ${account}</a>
    </p>
    <p>${states[state]}</p>
  </li>`
}

function waiting(pending: readonly PendingRevocation[], locale: string): Html {
  return html`<h2>Still to be taken back</h2>
    ${pending.map(
      ({ provider, until }) =>
        html`<p>
          A ${accountNames[provider]} account is disconnected here, and ${accountNames[provider]}
          still has to be told. Waybill tries again until ${dateTime(until, locale)}.
        </p>`,
    )}`
}

const outcomes: Readonly<Record<Disconnected['outcome'], string>> = {
  revoked: 'Its access was taken back, and Waybill has forgotten its tokens.',
  pending:
    'Waybill has forgotten the account. The provider could not be reached to take the access back: Waybill tries again for a week.',
  not_offered:
    'Waybill has forgotten its tokens. Only you can take the access back at the provider:',
}

/** @returns what became of an account that was disconnected. */
export function disconnectedPage({ outcome, link }: Disconnected, signedIn: SignedIn): string {
  return layout(
    'Disconnected',
    signedIn,
    html`<p class="lead">${outcomes[outcome]}</p>
      ${
        outcome === 'revoked'
          ? null
          : html`<p><a href="${link}" rel="noreferrer">See what you have allowed there</a></p>`
      }
      <p><a href="/connect/accounts">Your accounts</a></p>`,
  )
}
