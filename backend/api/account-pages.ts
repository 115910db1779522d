import { WaybillError } from '../../shared/errors.ts'
import type { Connections } from '../connect/connections-view.ts'
import type { Connecting } from '../connect/connecting.ts'
import type { Disconnecting } from '../connect/disconnect.ts'
import type { Picking } from '../connect/picking.ts'
import { page, requireSession } from './page-endpoint.ts'
import type { PageEndpoint, PageServing, Visit } from './page-endpoint.ts'
import { accountPage, accountsPage, disconnectedPage } from './pages/account-pages.ts'
import { signInPage } from './pages/connect-pages.ts'
import { id } from './schemas.ts'

export interface AccountServing extends PageServing {
  readonly connections: Connections
  readonly connecting: Pick<Connecting, 'get' | 'confirm'>
  readonly disconnecting: Disconnecting
  readonly picking: Pick<Picking, 'picked'>
}

const path = '/connect/accounts'

/** @returns the pages on which a person sees, confirms and disconnects their accounts. */
export function accountEndpoints(serving: AccountServing): readonly PageEndpoint[] {
  const { connections, connecting, disconnecting, picking } = serving

  return [
    page(serving, 'get', path, async ({ response, session, signedIn, locale }) => {
      if (session === null || signedIn === null) {
        response.send(signInPage(null))
        return
      }
      const { user } = session
      const [all, pending] = [await connections.list(user), await disconnecting.pending(user)]
      response.send(accountsPage(all, pending, signedIn, locale))
    }),
    page(serving, 'get', `${path}/:id`, async (visit) => {
      const { user, signedIn } = requireSession(visit)
      const connection = await connecting.get(user, connectionId(visit))
      const { ids, pickedAt } = await picking.picked(user, connection.id)
      const picked = pickedAt === null ? null : { count: ids.length, at: pickedAt }
      visit.response.send(accountPage(connection, signedIn, { picked, locale: visit.locale }))
    }),
    page(serving, 'post', `${path}/:id/confirm`, async (visit) => {
      const { user } = requireSession(visit)
      const { id: confirmed } = await connecting.confirm(user, connectionId(visit))
      visit.response.redirect(303, `${path}/${confirmed}`)
    }),
    page(serving, 'post', `${path}/:id/disconnect`, async (visit) => {
      const { user, signedIn } = requireSession(visit)
      const outcome = await disconnecting.disconnect(user, connectionId(visit))
      visit.response.send(disconnectedPage(outcome, signedIn))
    }),
  ]
}

/** @returns the id in the address; throws `not_found` for what cannot be one of ours. */
export function connectionId({ request }: Visit): string {
  const read = id.safeParse(request.params['id'])
  if (!read.success) throw new WaybillError('not_found', 'There is nothing here.')
  return read.data
}
