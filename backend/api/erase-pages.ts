import { hasCode } from '../../shared/errors.ts'
import type { Rights } from '../rights/rights.ts'
import { clearCookie, readCookie, sessionCookie } from './cookies.ts'
import { page, requireSession } from './page-endpoint.ts'
import type { PageEndpoint, PageServing, Visit } from './page-endpoint.ts'
import { erasedPage, erasePage } from './pages/erase-pages.ts'

export interface EraseServing extends PageServing {
  readonly rights: Pick<Rights, 'eraseAsk' | 'erase'>
}

const path = '/delete-my-data'

/** @returns the pages on which a person has everything deleted. */
export function eraseEndpoints(serving: EraseServing): readonly PageEndpoint[] {
  const { rights, sessions } = serving
  const ask = async (visit: Visit, isRefused: boolean): Promise<void> => {
    const { user, signedIn } = requireSession(visit)
    const given = await rights.eraseAsk(user)
    visit.response.send(erasePage({ kind: 'asked', ...given, isRefused }, signedIn, visit.locale))
  }
  return [
    page(serving, 'get', path, async ({ response, signedIn, locale }) => {
      const kind = signedIn === null ? 'not_signed_in' : 'signed_in'
      response.send(erasePage({ kind }, signedIn, locale))
    }),
    page(serving, 'post', `${path}/confirm`, async (visit) => ask(visit, false)),
    page(serving, 'post', path, async (visit) => {
      const { request, response, form } = visit
      const { user } = requireSession(visit)
      const begun = await rights.erase(user, form.get('code') ?? '').catch((error: unknown) => {
        if (hasCode(error, 'invalid_request')) return null
        throw error
      })
      if (begun === null) {
        await ask(visit, true)
        return
      }
      await sessions.end(readCookie(request, sessionCookie))
      clearCookie(response, sessionCookie)
      const { id, secret } = begun
      response.send(
        erasedPage(
          `${serving.publicUrl()}/v1/certificates/${id}?secret=${encodeURIComponent(secret)}`,
        ),
      )
    }),
  ]
}
