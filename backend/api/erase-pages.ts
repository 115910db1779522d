import { hasCode } from '../../shared/errors.ts'
import { clearCookie, readCookie, sessionCookie } from './cookies.ts'
import { page, requireSession } from './page-endpoint.ts'
import type { PageEndpoint, PageServing, Visit } from './page-endpoint.ts'
import { erasedPage, erasePage } from './pages/erase-pages.ts'
import type { Operator } from './pages/operator.ts'

/** Deleting all that is known about a person, as the pages need it. */
export interface ErasingByPage {
  /** A code by which the person says that they mean it, and until when it is good, RFC 3339. */
  giveCode(user: string): Promise<{ readonly code: string; readonly until: string }>
  /**
   * Begins; gives the address of the certificate, null without one. Throws `invalid_request` for anything but the code.
   */
  begin(user: string, code: string): Promise<{ readonly certificate: string | null }>
}

export interface EraseServing extends PageServing {
  /** Null where people have to ask for it. */
  readonly erasing: ErasingByPage | null
  readonly operator: Operator
}

const path = '/delete-my-data'

/** @returns the pages on which a person has everything deleted. */
export function eraseEndpoints(serving: EraseServing): readonly PageEndpoint[] {
  const { erasing, operator, sessions } = serving
  const shown = page(serving, 'get', path, async ({ response, signedIn, locale }) => {
    const kind = signedIn === null ? 'not_signed_in' : 'signed_in'
    const erasure =
      erasing === null ? ({ kind: 'by_hand', operator } as const) : ({ kind } as const)
    response.send(erasePage(erasure, signedIn, locale))
  })
  if (erasing === null) return [shown]

  const ask = async (visit: Visit, isRefused: boolean): Promise<void> => {
    const { user, signedIn } = requireSession(visit)
    const given = await erasing.giveCode(user)
    visit.response.send(erasePage({ kind: 'asked', ...given, isRefused }, signedIn, visit.locale))
  }
  return [
    shown,
    page(serving, 'post', `${path}/confirm`, async (visit) => ask(visit, false)),
    page(serving, 'post', path, async (visit) => {
      const { request, response, form } = visit
      const { user } = requireSession(visit)
      const begun = await erasing.begin(user, form.get('code') ?? '').catch((error: unknown) => {
        if (hasCode(error, 'invalid_request')) return null
        throw error
      })
      if (begun === null) {
        await ask(visit, true)
        return
      }
      await sessions.end(readCookie(request, sessionCookie))
      clearCookie(response, sessionCookie)
      response.send(erasedPage(begun.certificate))
    }),
  ]
}
