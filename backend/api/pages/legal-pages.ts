import { html } from './html.ts'
import { layout } from './layout.ts'
import type { SignedIn } from './layout.ts'
import { contactLink, operatorName } from './operator.ts'
import type { Operator } from './operator.ts'

const googlePolicy = 'https://developers.google.com/terms/api-services-user-data-policy'

/** @returns what is known about people, for how long, and what is never done with it. */
export function privacyPage(operator: Operator, signedIn: SignedIn | null): string {
  return layout(
    'Privacy',
    signedIn,
    html`<p class="lead">
        Waybill knows as little about you as it can do its work with, keeps that encrypted, and
        gives it to nobody but the clouds that you choose.
      </p>
      <p>
        This Waybill is run by ${operatorName(operator)}, who answers for it. Questions:
        ${contactLink(operator)}.
      </p>
      <h2>What Waybill uses, and what for</h2>
      <dl>
        <dt>Who you are</dt>
        <dd>
          A number that Google has for you, your e-mail address and, of an account at work, its
          domain: to show your accounts and jobs to you and to nobody else.
        </dd>
        <dt>Where you come from</dt>
        <dd>
          The last networks and countries from which you, or keys of yours, used Waybill: to notice
          somebody who is not you.
        </dd>
        <dt>The accounts you connect</dt>
        <dd>
          Their addresses, to show you which they are, and the tokens that the providers give, to
          read and write in your name. Waybill never learns a password.
        </dd>
        <dt>Your files</dt>
        <dd>
          Content passes through memory from one cloud to the other, and is never written to a disk.
          Names, folders, sizes, dates and checksums are kept, so that the next run knows what is
          copied already.
        </dd>
        <dt>What you did</dt>
        <dd>
          A log of acts, such as connecting an account or starting a job. You can read yours. Where
          administrators of your domain manage Waybill, they can too, and see which accounts are
          connected.
        </dd>
      </dl>
      <h2>How it is kept</h2>
      <p>
        Addresses, tokens, names and ids of files are sealed with keys of your own before they are
        stored. In the clear are only states, counts, times and numbers of Waybill’s own. Logs of
        the program have no names, addresses or tokens.
      </p>
      <h2>For how long</h2>
      <ul>
        <li>
          Tokens: until you disconnect the account. If its provider cannot be reached to take the
          access back, for a week at most.
        </li>
        <li>Receipts: 90 days.</li>
        <li>Which files you picked: a day, then only in the jobs that copy them.</li>
        <li>Signing in here: 12 hours at most, 30 minutes without use.</li>
        <li>
          Jobs and what they remember: until you <a href="/delete-my-data">delete your data</a>.
        </li>
        <li>
          Lines of the log of acts stay for good, as others can check them; once your keys are
          deleted, nobody can tell that they were yours.
        </li>
      </ul>
      <h2>Google user data</h2>
      <p>
        Waybill’s use and transfer to any other app of information received from Google APIs will
        adhere to the
        <a href="${googlePolicy}" rel="noreferrer">Google API Services User Data Policy</a>,
        including the Limited Use requirements. That means:
      </p>
      <ul>
        <li>
          Data from Google is used only for what you see Waybill do: copying what you choose to
          where you choose, and telling you about it.
        </li>
        <li>
          It goes to nobody but the cloud that you name as the destination, unless the law demands
          it or it is needed against abuse.
        </li>
        <li>It is never used for advertising, never sold, and no model is trained with it.</li>
        <li>
          No human reads it, unless you agree to it for the very file, it is needed for security, or
          the law demands it.
        </li>
      </ul>
      <h2>Cookies</h2>
      <p>
        Two, both needed: one knows that you are signed in, one that a sign-in at a provider was
        begun in this browser. These pages load nothing from elsewhere and watch nobody. Only the
        page on which you pick files shows Google’s own file picker, with Google’s script.
      </p>
      <h2>What you can do</h2>
      <ul>
        <li><a href="/connect/accounts">See and disconnect your accounts</a></li>
        <li><a href="/help/permissions">See what each permission is for</a></li>
        <li><a href="/delete-my-data">Delete your data</a></li>
      </ul>`,
  )
}

/** @returns what people and operator can expect of each other. */
export function termsPage(operator: Operator, signedIn: SignedIn | null): string {
  return layout(
    'Terms',
    signedIn,
    html`<p class="lead">
        By using this Waybill you agree with ${operatorName(operator)}, who runs it, on what
        follows.
      </p>
      <h2>What Waybill does</h2>
      <p>
        It copies files that you choose from your Google Drive to an account of yours elsewhere,
        when you ask for it or by a schedule that you set. What it could not copy is in the receipt
        of the run.
      </p>
      <h2>What is yours</h2>
      <p>
        Your files stay yours, on both sides. You allow Waybill to read and write them only as far
        as copying needs it, and you can end that at any time by disconnecting the account.
      </p>
      <h2>What is up to you</h2>
      <ul>
        <li>Connect only accounts that you may use, and copy only what you may copy.</li>
        <li>Keep to the rules of the clouds that you connect.</li>
        <li>Do not disturb Waybill for others, or try to get at what is theirs.</li>
        <li>Look at the receipts. A backup that nobody looks at may not be the one you need.</li>
      </ul>
      <h2>What nobody can promise</h2>
      <p>
        Waybill depends on other services, which may fail or change. It is provided as it is. As far
        as the law allows, nobody is liable for losses that come from using it or from not being
        able to use it.
      </p>
      <h2>The end</h2>
      <p>
        You can stop at any time and <a href="/delete-my-data">delete your data</a>. Whoever breaks
        these terms can be shut out. If the terms change, this page says so.
      </p>
      <p>Questions: ${contactLink(operator)}.</p>`,
  )
}
