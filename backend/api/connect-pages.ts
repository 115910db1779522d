import type { Response } from 'express'
import { accountNames, accountProviders } from '../../shared/account.ts'
import { WaybillError } from '../../shared/errors.ts'
import type { Connecting, Departure } from '../connect/connecting.ts'
import type { SigningIn } from '../connect/signing-in.ts'
import { isSecret } from '../records/hashed-secret.ts'
import { signInMs } from '../records/sign-ins.ts'
import type { Authenticate } from './authenticate.ts'
import { callbackFailure, failureOf, linkFailure } from './connect-failures.ts'
import { clearCookie, readCookie, sessionCookie, setCookie, signInCookie } from './cookies.ts'
import { page, requireSession } from './page-endpoint.ts'
import type { PageEndpoint, PageServing } from './page-endpoint.ts'
import {
  askPage,
  choosePage,
  leavingPage,
  signedOutPage,
  signInPage,
} from './pages/connect-pages.ts'
import { failurePage } from './pages/failure-pages.ts'
import type { Attempt } from './pages/failure-pages.ts'
import { connectRequest } from './schemas.ts'

export interface ConnectServing extends PageServing {
  readonly connecting: Connecting
  readonly signingIn: SigningIn
  /** What can be connected here. */
  readonly offers: readonly Attempt[]
  /** Checks an ID token that was made for the pages. */
  readonly authenticateBrowser: Authenticate
}

/** Where a sign-in may go on to, besides a link: the page on which files are picked, with those that are to be picked. */
const pickPath = /^accounts\/[A-Za-z0-9_-]{1,64}\/pick(?:\?files=[A-Za-z0-9_,-]{1,4000})?$/

/** @returns the pages by which a person signs in and connects an account. */
export function connectEndpoints(serving: ConnectServing): readonly PageEndpoint[] {
  const { connecting, signingIn, sessions } = serving

  const leave = (response: Response, name: string, departure: Departure): void => {
    // Who comes back is known by this to have begun here.
    serving.gate?.proven(response.req, departure.state)
    send(response, name, departure)
  }

  const begin = async (user: string, label: string | null, response: Response): Promise<void> => {
    const secret = await sessions.begin({ user, label })
    setCookie(response, sessionCookie, secret, undefined)
  }

  return [
    page(serving, 'post', '/connect/sign-in', async ({ response, form }) => {
      const onward = form.get('onward') ?? ''
      const isKnown = isSecret(onward) || pickPath.test(onward)
      leave(response, 'Google', await signingIn.begin(isKnown ? onward : null))
    }),
    page(
      serving,
      'get',
      '/oauth/google/callback',
      async ({ request, response, query, session }) => {
        const cookie = signInCookie(query.get('state'))
        const browser = readCookie(request, cookie)
        clearCookie(response, cookie)
        const signedIn = await signingIn.finish(query, browser)
        if (signedIn === null) {
          response.send(failurePage('not_signed_in', null, null))
          return
        }
        const user = await serving.authenticateBrowser([`Bearer ${signedIn.idToken}`])
        if (session !== null) await sessions.end(readCookie(request, sessionCookie))
        await begin(user, signedIn.email, response)
        response.redirect(303, `/connect/${signedIn.ticket ?? 'accounts'}`)
      },
      { explain: callbackFailure(null) },
    ),
    page(serving, 'post', '/connect/sign-out', async ({ request, response }) => {
      await sessions.end(readCookie(request, sessionCookie))
      clearCookie(response, sessionCookie)
      response.redirect(303, '/signed-out')
    }),
    page(serving, 'get', '/signed-out', async ({ response }) => {
      response.send(signedOutPage())
    }),
    page(serving, 'get', '/connect/new', async ({ response, signedIn }) => {
      response.send(signedIn === null ? signInPage(null) : choosePage(serving.offers, signedIn))
    }),
    page(
      serving,
      'post',
      '/connect/new',
      async (visit) => {
        const { user } = requireSession(visit)
        const { url } = await connecting.start(user, attemptIn(visit.form))
        visit.response.redirect(303, new URL(url).pathname)
      },
      { explain: (error, { signedIn, form }) => failureOf(error, form, signedIn) },
    ),
    page(
      serving,
      'get',
      '/connect/:ticket',
      async ({ request, response, session, signedIn, locale }) => {
        const secret = String(request.params['ticket'])
        const ticket = await connecting.look(secret)
        if (session === null && !ticket.bearer) {
          response.send(signInPage(secret))
          return
        }
        if (session !== null && session.user !== ticket.user && !ticket.bearer) throw somebodyElse()
        response.send(askPage({ ...ticket, ticket: secret }, signedIn, locale))
      },
      { explain: linkFailure },
    ),
    page(
      serving,
      'post',
      '/connect/:ticket',
      async ({ request, response, session }) => {
        const secret = String(request.params['ticket'])
        const ticket = await connecting.look(secret)
        const user = ticket.bearer ? ticket.user : session?.user
        if (user === undefined) throw somebodyElse()
        const departure = await connecting.begin(secret, user)
        if (session?.user !== user) await begin(user, null, response)
        leave(response, accountNames[ticket.provider], departure)
      },
      { explain: linkFailure },
    ),
    ...accountProviders.map((at) =>
      page(
        serving,
        'get',
        `/oauth/${at}/callback`,
        async ({ request, response, query, session, signedIn }) => {
          const cookie = signInCookie(query.get('state'))
          const browser = readCookie(request, cookie)
          clearCookie(response, cookie)
          const arrival = await connecting.finish(at, query, browser, session?.user ?? null)
          if (arrival.kind === 'connected')
            response.redirect(303, `/connect/accounts/${arrival.connection.id}`)
          else response.send(failurePage(arrival.kind, { provider: at, tier: null }, signedIn))
        },
        { explain: callbackFailure(at) },
      ),
    ),
  ]
}

function attemptIn(form: URLSearchParams) {
  const [provider, tier] = [form.get('provider'), form.get('tier')]
  const asked = connectRequest.safeParse({ provider, ...(tier === null ? {} : { tier }) })
  if (!asked.success)
    throw new WaybillError('invalid_request', 'There is nothing of that kind to connect.')
  return asked.data
}

/**
 * Sends the browser to a provider by a page of ours: a redirect that answers a form is held back by the browser, since
 * `form-action` names no other site, and the providers send on to sites that nobody can list.
 */
function send(response: Response, name: string, { url, state, browser }: Departure): void {
  setCookie(response, signInCookie(state), browser, signInMs)
  response.set('Refresh', `0; url=${url}`).send(leavingPage(name, url))
}

function somebodyElse(): WaybillError {
  return new WaybillError(
    'forbidden',
    'This link was made for somebody else. Sign in with the Google account in which you asked for it.',
  )
}
