import { html } from './html.ts'
import type { Html } from './html.ts'
import { layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { contactLink, operatorName } from './operator.ts'
import type { Operator } from './operator.ts'
import { permissionGroups } from './permission-words.ts'
import type { PermissionGroup } from './permission-words.ts'

/** @returns answers to what people ask first. */
export function helpPage(signedIn: SignedIn | null): string {
  return layout(
    'Help',
    signedIn,
    html`<h2>Connecting an account</h2>
      <p>
        You get a link from Waybill’s sidebar, or choose
        <a href="/connect/new">Connect an account</a> here. You sign in at the provider itself, and
        see there what you allow. Then Waybill shows you which account it is: no job uses it before
        you have confirmed it.
      </p>
      <p>
        <a href="/help/permissions">Every permission that Waybill asks for, and why</a>
      </p>
      <h2>A link does not work</h2>
      <p>
        A link is good for ten minutes, for one sign-in, and for the person who asked for it. Ask
        for a new one, and stay in the browser in which you began.
      </p>
      <h2>Files that are missing</h2>
      <p>
        A Drive with picked files shows Waybill nothing but those: also of a folder, only the files
        in it that you have picked. What could not be copied is in the receipt, each with its
        reason.
      </p>
      <h2>Stopping</h2>
      <p>
        Open <a href="/connect/accounts">your accounts</a>, choose one, then “Disconnect this
        account”. Copies that were made stay where they are.
      </p>
      <h2>Managing and deleting your data</h2>
      <p>
        What Waybill knows about you is on the page about <a href="/privacy">privacy</a>. You can
        <a href="/delete-my-data">delete all of it</a>.
      </p>
      <h2>Anything else</h2>
      <p><a href="/support">Write to support</a></p>`,
  )
}

/** @returns every permission in words. */
export function permissionsPage(signedIn: SignedIn | null): string {
  return layout(
    'What Waybill asks to be allowed',
    signedIn,
    html`<p class="lead">
        These are all permissions that Waybill ever asks for, what each is for, and what Waybill
        does not do with it. You can take each back at any time: disconnect the account here, or
        remove Waybill at the provider.
      </p>
      ${permissionGroups.map(section)}`,
  )
}

function section({ id, title, about, permissions }: PermissionGroup): Html {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    <p>${about}</p>
    <dl>
      ${permissions.map(
        ({ scope, allows, why, never }) =>
          html`<dt><code>${scope}</code></dt>
            <dd>
              <p><strong>What it allows:</strong> ${allows}</p>
              <p><strong>Why:</strong> ${why}</p>
              <p><strong>Never:</strong> ${never}</p>
            </dd>`,
      )}
    </dl>
  </section>`
}

/** @returns who can be asked, and what to tell them. */
export function supportPage(operator: Operator, signedIn: SignedIn | null): string {
  return layout(
    'Support',
    signedIn,
    html`<p class="lead">
        This Waybill is run by ${operatorName(operator)}. Write to ${contactLink(operator)}.
      </p>
      <h2>What helps</h2>
      <ul>
        <li>What you wanted to do, and what you saw instead.</li>
        <li>When it was, with your time zone.</li>
        <li>The code that the page or the sidebar showed, if there was one.</li>
      </ul>
      <p>
        Never send a password or a token. Nobody here needs one, and nobody who asks for one is from
        Waybill.
      </p>
      <h2>Before you write</h2>
      <p><a href="/help">Help</a> has answers to what is asked most.</p>
      <h2>A weakness in Waybill</h2>
      <p>
        If you found something that puts people’s data at risk, say so in your message: it is looked
        at first.
      </p>`,
  )
}
