import { WaybillError } from '../../shared/errors.ts'
import type { Connections } from '../connect/connections-view.ts'
import type { Connecting } from '../connect/connecting.ts'
import type { Disconnecting } from '../connect/disconnect.ts'
import { page } from './page-endpoint.ts'
import type { PageEndpoint, PageServing, Visit } from './page-endpoint.ts'
import { accountPage, accountsPage, disconnectedPage } from './pages/account-pages.ts'
import { signInPage } from './pages/connect-pages.ts'
import { id } from './schemas.ts'

export interface AccountServing extends PageServing {
  readonly connections: Connections
  readonly connecting: Pick<Connecting, 'get' | 'confirm'>
  readonly disconnecting: Disconnecting
}

const path = '/connect/accounts'

/** @returns the pages on which a person sees, confirms and disconnects their accounts. */
export function accountEndpoints(serving: AccountServing): readonly PageEndpoint[] {
  const { connections, connecting, disconnecting } = serving

  return [
    page(serving, 'get', path, async ({ response, session, signedIn }) => {
      if (session === null || signedIn === null) {
        response.send(signInPage(null))
        return
      }
      const { user } = session
      const [all, pending] = [await connections.list(user), await disconnecting.pending(user)]
      response.send(accountsPage(all, pending, signedIn))
    }),
    page(serving, 'get', `${path}/:id`, async (visit) => {
      const { user, signedIn } = requireSession(visit)
      visit.response.send(accountPage(await connecting.get(user, idOf(visit)), signedIn))
    }),
    page(serving, 'post', `${path}/:id/confirm`, async (visit) => {
      const { user } = requireSession(visit)
      const { id: confirmed } = await connecting.confirm(user, idOf(visit))
      visit.response.redirect(303, `${path}/${confirmed}`)
    }),
    page(serving, 'post', `${path}/:id/disconnect`, async (visit) => {
      const { user, signedIn } = requireSession(visit)
      const outcome = await disconnecting.disconnect(user, idOf(visit))
      visit.response.send(disconnectedPage(outcome, signedIn))
    }),
  ]
}

function requireSession({ session, signedIn }: Visit) {
  if (session === null || signedIn === null)
    throw new WaybillError('unauthenticated', 'Nobody is signed in here any more. Begin again.')
  return { user: session.user, signedIn }
}

function idOf({ request }: Visit): string {
  const read = id.safeParse(request.params['id'])
  if (!read.success) throw new WaybillError('not_found', 'There is nothing here.')
  return read.data
}
