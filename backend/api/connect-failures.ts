import { isAccountProvider } from '../../shared/account.ts'
import type { AccountProvider } from '../../shared/account.ts'
import type { ErrorCode, WaybillError } from '../../shared/errors.ts'
import { readCookie, signInCookie } from './cookies.ts'
import type { PageOptions } from './page-endpoint.ts'
import { failurePage } from './pages/failure-pages.ts'
import type { Attempt, FailureKind } from './pages/failure-pages.ts'
import type { SignedIn } from './pages/layout.ts'

type Explain = NonNullable<PageOptions['explain']>

/** What a person is told of a link that does not lead to a provider; null for what is not about links. */
export const linkFailure: Explain = ({ code }, { signedIn, session }) => {
  const kind = aboutLinks[code]
  if (kind === undefined) return null
  const isSignedOut = kind === 'wrong_person' && session === null
  return failurePage(isSignedOut ? 'signed_out' : kind, null, signedIn)
}

const aboutLinks: Partial<Record<ErrorCode, FailureKind>> = {
  not_found: 'link_over',
  wrong_state: 'link_used',
  forbidden: 'wrong_person',
  frozen: 'frozen',
}

/**
 * @param provider from which the browser comes back; null for signing in to Waybill itself
 * @returns what a person is told whose sign-in there was not taken; null for what is not about it
 */
export function callbackFailure(provider: AccountProvider | null): Explain {
  return ({ code }, { request, query, session, signedIn }) => {
    const kind = aboutCallbacks[code]
    if (kind === undefined) return null
    const hasCookie = readCookie(request, signInCookie(query.get('state'))) !== undefined
    const attempt = provider === null ? null : { provider, tier: null }
    if (kind === 'sign_in_over' && !hasCookie)
      return failurePage('cookie_missing', attempt, signedIn)
    const isSignedOut = kind === 'wrong_person' && session === null
    return failurePage(isSignedOut ? 'signed_out' : kind, attempt, signedIn)
  }
}

const aboutCallbacks: Partial<Record<ErrorCode, FailureKind>> = {
  not_found: 'sign_in_over',
  forbidden: 'wrong_person',
  unavailable: 'provider_down',
  rate_limited: 'provider_down',
  invalid_request: 'answer_refused',
  connection_expired: 'answer_refused',
  settings_invalid: 'not_set_up',
  frozen: 'frozen',
}

/** What a person is told who cannot even begin; null for what is not about the account they chose. */
export function failureOf(
  { code }: WaybillError,
  form: URLSearchParams,
  signedIn: SignedIn | null,
): string | null {
  const provider = form.get('provider')
  const attempt: Attempt | null = isAccountProvider(provider) ? { provider, tier: null } : null
  if (code === 'settings_invalid' && attempt !== null)
    return failurePage('not_set_up', attempt, signedIn)
  return code === 'frozen' ? failurePage('frozen', attempt, signedIn) : null
}
