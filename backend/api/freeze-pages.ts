import type { Freezing } from '../run/freezing.ts'
import { page } from './page-endpoint.ts'
import type { PageEndpoint, PageServing } from './page-endpoint.ts'
import { signInPage } from './pages/connect-pages.ts'
import { freezePage } from './pages/freeze-page.ts'

const path = '/connect/freeze'

/** @returns the page on which a person sees whether everything is frozen, and ends that: once they have signed in anew, if an alarm did it. */
export function freezeEndpoints(
  serving: PageServing & { readonly freezing: Freezing },
): readonly PageEndpoint[] {
  const { freezing } = serving
  return [
    page(serving, 'get', path, async ({ response, session, signedIn, locale }) => {
      if (session === null || signedIn === null) response.send(signInPage(null))
      else response.send(freezePage(await freezing.look(session.user), signedIn, locale))
    }),
    page(serving, 'post', path, async ({ response, session, signedIn, locale }) => {
      if (session === null || signedIn === null) {
        response.send(signInPage(null))
        return
      }
      const view = await freezing.unfreezeSignedIn(session.user, session.begunAt)
      response.send(freezePage(view, signedIn, locale))
    }),
  ]
}
