import { accountNames, accountProviders } from '../../../shared/account.ts'
import { actWords } from '../../../shared/audit.ts'
import type { Place } from '../../../shared/policy.ts'
import type { Administering, DelegationView, PersonView } from '../../run/administering.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { act, hidden, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { amount, dateTime } from './localized.ts'

const path = '/connect/admin'

interface Seen {
  readonly delegation: DelegationView
  readonly policy: Awaited<ReturnType<Administering['policy']>>
  readonly people: Awaited<ReturnType<Administering['people']>>
  readonly audit: Awaited<ReturnType<Administering['audit']>>
}

/** @returns what somebody is shown who is not known to be an administrator: how a domain is connected. */
export function domainPage(delegation: DelegationView, signedIn: SignedIn): string {
  return layout('Your domain', signedIn, steps(delegation, signedIn))
}

/** @returns what an administrator sees and does. */
export function adminPage(seen: Seen, signedIn: SignedIn, locale: string): string {
  const { delegation, policy, people, audit } = seen
  return layout(
    'Your domain',
    signedIn,
    html`<p>${policy.domains.join(', ')}</p>
      ${steps(delegation, signedIn)} ${policyForm(policy, signedIn)}
      ${peopleList(policy, people, signedIn, locale)} ${log(audit, people, locale)}`,
  )
}

function steps({ clientId, scopes, connected }: DelegationView, { form }: SignedIn): Html {
  const missing = scopes.filter(({ granted }) => !granted)
  if (clientId === null)
    return html`<p>Whoever runs this Waybill has not set up a service account for domains.</p>`
  if (connected && missing.length === 0)
    return html`<p>
      The domain is connected: nobody in it has to sign in for Waybill to read Drive.
    </p>`
  return html`<h2>Connect the domain</h2>
    <ol>
      <li>
        In Google’s Admin console, open Security, Access and data control, API controls, Manage
        domain-wide delegation, and add this client:
        <p><code>${clientId}</code></p>
      </li>
      <li>
        Give it these scopes:
        <ul>
          ${scopes.map(
            ({ scope, granted }) =>
              html`<li><code>${scope}</code>: ${granted ? 'authorised' : 'missing'}</li>`,
          )}
        </ul>
      </li>
      <li>Come back as an administrator, some minutes later.</li>
    </ol>
    ${act(`${path}/delegation`, form, 'Check and connect')}`
}

function policyForm({ policy }: Seen['policy'], { form }: SignedIn): Html {
  const { wholeDrive } = policy
  const who = typeof wholeDrive === 'string' ? wholeDrive : 'people'
  const named = typeof wholeDrive === 'string' ? [] : wholeDrive.people
  const clouds = (name: 'sources' | 'destinations'): readonly Html[] =>
    accountProviders.map((each) =>
      choice('checkbox', name, each, accountNames[each], policy[name].includes(each)),
    )
  const fields = html`<fieldset>
      <legend>May be copied from</legend>
      ${clouds('sources')}
    </fieldset>
    <fieldset>
      <legend>May be copied to</legend>
      ${clouds('destinations')}
    </fieldset>
    <fieldset>
      <legend>Accounts outside your domain</legend>
      ${choice('radio', 'personalAccounts', 'yes', 'May be copied to', policy.personalAccounts)}
      ${choice('radio', 'personalAccounts', 'no', 'May not', !policy.personalAccounts)}
    </fieldset>
    <p>
      <label for="places">
        Copies may go only here; anywhere if left empty. One in each line: the cloud
        (${accountProviders.join(', ')}), a domain or the id of an account, a folder if you like.
      </label>
    </p>
    <textarea id="places" name="places" rows="4" cols="50">
${(policy.places ?? []).map(lineOf).join('\n')}</textarea>
    <fieldset>
      <legend>Who may let Waybill read a whole Drive</legend>
      ${choice('radio', 'wholeDrive', 'everybody', 'Everybody', who === 'everybody')}
      ${choice('radio', 'wholeDrive', 'nobody', 'Nobody', who === 'nobody')}
      ${choice('radio', 'wholeDrive', 'people', 'These, one address in each line', who === 'people')}
    </fieldset>
    <p><label for="people">People</label></p>
    <textarea id="people" name="people" rows="4" cols="50">${named.join('\n')}</textarea>`
  return html`<h2>Policy</h2>
    <p>It holds for everybody in the domain. What it forbids stops within 20 seconds.</p>
    ${act(`${path}/policy`, form, 'Save the policy', fields)}`
}

function choice(
  type: 'checkbox' | 'radio',
  name: string,
  value: string,
  label: string,
  isChosen: boolean,
): Html {
  const id = `${name}-${value}`
  return html`<p class="choice">
    <input
      type="${type}"
      id="${id}"
      name="${name}"
      value="${value}"
      ${isChosen ? html`checked` : null}
    />
    <label for="${id}">${label}</label>
  </p>`
}

function lineOf({ provider, account, folder }: Place): string {
  const whose = 'id' in account ? account.id : account.domain
  return [provider, whose, folder ?? ''].join(' ').trim()
}

function peopleList(
  { frozenSince }: Seen['policy'],
  { people, next }: Seen['people'],
  { form }: SignedIn,
  locale: string,
): Html {
  return html`<h2>Who uses Waybill</h2>
    ${
      people.length === 0
        ? html`<p>Nobody yet.</p>`
        : html`<ul class="cards">
            ${people.map((each) => personCard(each, form, locale))}
          </ul>`
    }
    ${next === null ? null : html`<p>There are more than can be shown here.</p>`}
    ${
      frozenSince === null
        ? act(`${path}/freeze`, form, 'Freeze everybody')
        : act(`${path}/unfreeze`, form, 'End the freeze of everybody')
    }`
}

function personCard(
  { user, address, connections, jobs, frozen }: PersonView,
  form: string,
  locale: string,
): Html {
  const whom = hidden('user', user)
  const who = address ?? user
  return html`<li>
    <p class="account">${who}</p>
    <p>
      Accounts: ${amount(connections, locale)}. Jobs:
      ${amount(jobs, locale)}.${frozen ? ' Everything is frozen.' : null}
    </p>
    ${
      frozen
        ? act(`${path}/unfreeze`, form, `End the freeze of ${who}`, whom, 'other')
        : act(`${path}/freeze`, form, `Freeze ${who}`, whom, 'other')
    }
  </li>`
}

function log({ lines, next }: Seen['audit'], { people }: Seen['people'], locale: string): Html {
  const addresses = new Map(people.map(({ user, address }) => [user, address]))
  const named = (user: string | null): string =>
    user === null ? 'Somebody who is erased' : (addresses.get(user) ?? user)
  return html`<h2>What was done</h2>
    <ol>
      ${lines.map(
        ({ user, entry: { line } }) =>
          html`<li value="${line.number + 1}">
            ${dateTime(line.at, locale)} ${named(user)}:
            ${actWords(line.act)}${line.result === 'done' ? null : ` (${line.result})`}
          </li>`,
      )}
    </ol>
    ${next === null ? null : html`<p><a href="${path}?from=${next}">Later acts</a></p>`}`
}
