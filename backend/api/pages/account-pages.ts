import { accountNames } from '../../../shared/account.ts'
import type { ConnectionView } from '../../connect/connections-view.ts'
import type { Disconnected, PendingRevocation } from '../../connect/disconnect.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'

const states: Readonly<Record<ConnectionView['state'], string>> = {
  ready: 'Connected.',
  unconfirmed: 'Not confirmed yet.',
  expired: 'Has to be connected again.',
  frozen: 'Stopped: a sign-in was answered for another account. Connect it again.',
}

/** @returns which account was connected, and the question whether it is the one that was meant. */
export function accountPage(connection: ConnectionView, signedIn: SignedIn): string {
  const { id, provider, account, state, tier } = connection
  const name = accountNames[provider]
  const isAsked = state === 'unconfirmed'
  const path = `/connect/accounts/${id}`
  return layout(
    isAsked ? `Is this your ${name}?` : `Your ${name}`,
    signedIn,
    html`<p class="account">${account}</p>
      ${
        provider === 'google-drive' && tier !== null
          ? html`<p>
              ${tier === 'whole' ? 'The whole Drive, read only.' : 'Only the files you pick.'}
            </p>`
          : null
      }
      ${
        isAsked
          ? html`<p>
                Waybill copies to and from this account only once you have confirmed that it is
                yours.
              </p>
              ${act(`${path}/confirm`, signedIn.form, 'Yes, use this account')}
              ${act(`${path}/disconnect`, signedIn.form, 'No, disconnect it')}`
          : html`<p>${states[state]}${state === 'ready' ? ' You can close this tab.' : null}</p>
              ${act(`${path}/disconnect`, signedIn.form, 'Disconnect')}`
      }`,
  )
}

/** @returns all accounts of a person. */
export function accountsPage(
  connections: readonly ConnectionView[],
  pending: readonly PendingRevocation[],
  signedIn: SignedIn,
): string {
  return layout(
    'Your accounts',
    signedIn,
    html`${
      connections.length === 0
        ? html`<p>No account is connected.</p>`
        : html`<ul>
            ${connections.map(row)}
          </ul>`
    }
    ${pending.map(
      ({ provider, until }) =>
        html`<p>
          A ${accountNames[provider]} account is disconnected here, and ${accountNames[provider]}
          still has to be told. Waybill tries again until ${until.slice(0, 10)}.
        </p>`,
    )}`,
  )
}

function row({ id, provider, account, state }: ConnectionView): Html {
  return html`<li>
    <a href="/connect/accounts/${id}">${accountNames[provider]}: ${account}</a> ${states[state]}
  </li>`
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
    html`<p>${outcomes[outcome]}</p>
      ${
        outcome === 'revoked'
          ? null
          : html`<p><a href="${link}" rel="noreferrer">See what you have allowed there</a></p>`
      }`,
  )
}
