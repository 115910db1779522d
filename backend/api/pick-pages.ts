import { randomBytes } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { Picking } from '../connect/picking.ts'
import { connectionId } from './account-pages.ts'
import { page, policyWith, requireSession } from './page-endpoint.ts'
import type { PageEndpoint, PageServing } from './page-endpoint.ts'
import { pickPage, pickedPage } from './pages/pick-pages.ts'
import { signInPage } from './pages/connect-pages.ts'
import { itemIds } from './schemas.ts'

const path = '/connect/accounts/:id/pick'

/** @returns the page on which files are picked, and what takes them. */
export function pickEndpoints(
  serving: PageServing & { readonly picking: Picking },
): readonly PageEndpoint[] {
  const { picking } = serving
  return [
    page(serving, 'get', path, async (visit) => {
      const { response, session, query } = visit
      const id = connectionId(visit)
      const wanted = itemIds.safeParse((query.get('files') ?? '').split(','))
      if (session === null) {
        const files = wanted.success ? `?files=${wanted.data.join(',')}` : ''
        response.send(signInPage(`accounts/${id}/pick${files}`))
        return
      }
      const { user, signedIn } = requireSession(visit)
      const picker = await picking.open(user, id)
      const nonce = randomBytes(18).toString('base64url')
      response.set('Content-Security-Policy', pickPolicy(nonce, picker.scriptUrl))
      // Google lets a key be used by our site only if it is told which one asks: never more than that.
      response.set('Referrer-Policy', 'strict-origin')
      response.send(
        pickPage({ id, ...picker, files: wanted.success ? wanted.data : [], nonce }, signedIn),
      )
    }),
    page(
      serving,
      'post',
      path,
      async (visit) => {
        const { user, signedIn } = requireSession(visit)
        const id = connectionId(visit)
        const ids = itemIds.safeParse((visit.form.get('ids') ?? '').split(','))
        if (!ids.success)
          throw new WaybillError('invalid_request', 'Pick at least one file, and at most 1,000.')
        await picking.keep(user, id, ids.data)
        visit.response.send(pickedPage(id, ids.data.length, signedIn, visit.locale))
      },
      { formKib: 256 },
    ),
  ]
}

/**
 * The only page that runs a script. What Google's needs is allowed here and nowhere else, as its own example has it:
 * https://github.com/googleworkspace/drive-picker-element/blob/main/examples/csp/index.html. It loads scripts of its own,
 * to which `strict-dynamic` hands on the trust that the nonce gives it (https://csp.withgoogle.com/docs/strict-csp.html).
 */
function pickPolicy(nonce: string, scriptUrl: string): string {
  return policyWith({
    'script-src': `'nonce-${nonce}' 'strict-dynamic'`,
    'style-src': "'self' 'unsafe-inline'",
    'frame-src': `https://docs.google.com https://drive.google.com ${new URL(scriptUrl).origin}`,
  })
}
