import { html } from './html.ts'
import { act, layout } from './layout.ts'
import type { SignedIn } from './layout.ts'

/** @returns the first page: what Waybill does, and the way in. */
export function homePage(signedIn: SignedIn | null): string {
  return layout(
    'Your Google Drive, copied to another cloud',
    signedIn,
    html`<p class="lead">
        Waybill copies what you keep in Google Drive to another cloud, and proves every file that it
        carried.
      </p>
      ${
        signedIn === null
          ? html`${act('/connect/sign-in', null, 'Sign in with Google')}
              <p class="quiet-text">
                Google tells Waybill who you are and your address, nothing else. What Waybill may
                read is asked when you connect a Drive.
              </p>`
          : html`<p><a class="button" href="/connect/accounts">Your accounts</a></p>`
      }
      <h2>What you can count on</h2>
      <ul>
        <li>
          <strong>Nothing is lost, nothing is silent.</strong> A receipt has a line for every file:
          copied, and how that was proven; or not copied, and why.
        </li>
        <li>
          <strong>No content is kept.</strong> Files pass through memory on their way, and are never
          written to a disk of ours.
        </li>
        <li>
          <strong>You can leave at any time.</strong> Disconnect an account, and Waybill forgets its
          tokens and has the access taken back.
        </li>
      </ul>
      <h2>How it goes</h2>
      <ol>
        <li>Connect your Google Drive, and the cloud that the copies go to.</li>
        <li>Confirm that these are the accounts you mean.</li>
        <li>Choose in Waybill’s sidebar what to copy, and where to.</li>
      </ol>
      <p><a href="/help">More about how Waybill works</a></p>`,
  )
}
