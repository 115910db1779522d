import { timingSafeEqual } from 'node:crypto'
import express from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { WaybillError } from '../../shared/errors.ts'
import { hashed } from '../records/hashed-secret.ts'
import type { Session, Sessions } from '../records/sessions.ts'
import { readCookie, sessionCookie } from './cookies.ts'
import { asAnswer, statusOf } from './errors.ts'
import type { Gate } from './gate.ts'
import { refusalPage } from './pages/failure-pages.ts'
import { localeFor } from './pages/localized.ts'
import type { SignedIn } from './pages/layout.ts'
import { observe } from './serve-route.ts'
import type { Observing } from './serve-route.ts'

/** What every page needs. */
export interface PageServing extends Observing {
  readonly sessions: Sessions
  /** Where browsers find this Waybill. */
  readonly publicUrl: () => string
  /** Absent where nothing is limited or watched. */
  readonly gate?: Gate
}

/** One request for a page. */
export interface Visit {
  readonly request: Request
  readonly response: Response
  /** Who is signed in; null if nobody is. */
  readonly session: Session | null
  /** The same for the page; null if nobody is signed in. */
  readonly signedIn: SignedIn | null
  readonly query: URLSearchParams
  /** Empty unless something is posted. */
  readonly form: URLSearchParams
  /** In which dates and numbers are written. */
  readonly locale: string
}

/** In what a page differs from the others. */
export interface PageOptions {
  /** How long a form may be, in KiB. */
  readonly formKib?: number
  /** Says in words of its own what went wrong: a whole page, or null for the usual one. */
  readonly explain?: (error: WaybillError, visit: Visit) => string | null
}

export interface PageEndpoint {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly handle: RequestHandler
}

const usualPolicy = {
  'default-src': "'none'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
}

const usualFormKib = 8

/**
 * A page, or what a button on one does. A post has to come from our own page: its `Origin` says so, and where somebody is
 * signed in, it holds what only our page for this very session can know.
 *
 * @param act answers; what it throws is shown as a page
 */
export function page(
  serving: PageServing,
  method: 'get' | 'post',
  path: string,
  act: (visit: Visit) => Promise<void>,
  options: PageOptions = {},
): PageEndpoint {
  const text = express.text({
    limit: (options.formKib ?? usualFormKib) * 1024,
    inflate: false,
    type: () => true,
  })
  const handle: RequestHandler = async (request, response) => {
    setHeaders(response)
    const { gate } = serving
    const isCallback = path.startsWith('/oauth/')
    const isSignIn = isCallback || path === '/connect/sign-in'
    let visit: Visit | null = null
    const answer = async (): Promise<void> => {
      await gate?.arrive(request, isSignIn ? 'signIn' : 'pages')
      if (method === 'post') requireOwnOrigin(request, serving.publicUrl())
      const secret = readCookie(request, sessionCookie)
      const query = new URL(request.originalUrl, 'http://localhost').searchParams
      // Only where there is something to guess: else a guesser could keep who shares their address from signing in.
      if (isCallback) await gate?.refuseLocked(request, query.get('state'))
      if (path === '/connect/:ticket') await gate?.refuseLocked(request, secret ?? null)
      const session = await serving.sessions.find(secret)
      if (session !== null) await admit(request, session, secret ?? '', gate)
      const form =
        method === 'post' ? await readForm(text, request, response) : new URLSearchParams()
      const token = session === null ? null : hashed('form', secret ?? '')
      if (method === 'post' && token !== null) requireToken(form, token)
      const signedIn = session && token !== null ? { label: session.label, form: token } : null
      const locale = localeFor(request.acceptsLanguages())
      visit = { request, response, session, signedIn, query, form, locale }
      try {
        await act(visit)
      } catch (error) {
        if (isGuess(error)) await gate?.failed(request, session?.user ?? null)
        throw error
      }
    }
    const refusing = (to: Response, error: WaybillError): void => {
      refuse(to, error, visit, options.explain)
    }
    await observe(request, response, path, serving, answer, refusing)
  }
  return { method, path, handle }
}

async function admit(
  request: Request,
  { user }: Session,
  secret: string,
  gate: Gate | undefined,
): Promise<void> {
  gate?.proven(request, secret)
  await gate?.spend('user', user)
  await gate?.seen(request, { user })
}

/** Whether somebody has asked for what they cannot know of, or what is not theirs: people seldom do, guessers often. */
function isGuess(error: unknown): boolean {
  const { code } = asAnswer(error)
  return code === 'not_found' || code === 'forbidden' || code === 'unauthenticated'
}

/** Who is signed in; throws `unauthenticated` if nobody is. */
export function requireSession({ session, signedIn }: Visit): {
  readonly user: string
  readonly signedIn: SignedIn
} {
  if (session === null || signedIn === null)
    throw new WaybillError('unauthenticated', 'Nobody is signed in here any more. Begin again.')
  return { user: session.user, signedIn }
}

/** @returns the policy of a page: the usual one, but for the directives in `other`. */
export function policyWith(other: Readonly<Record<string, string>>): string {
  return Object.entries({ ...usualPolicy, ...other })
    .map((directive) => directive.join(' '))
    .join('; ')
}

function setHeaders(response: Response): void {
  // With it, the sidebar would not notice that the tab it has opened is closed:
  // https://developers.google.com/apps-script/reference/card-service/open-link
  response.removeHeader('Cross-Origin-Opener-Policy')
  response.set({
    'Content-Security-Policy': policyWith({}),
    // Other sites are told nothing; our own forms need it, or their `Origin` would be `null`.
    'Referrer-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  })
}

function requireOwnOrigin(request: Request, publicUrl: string): void {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const isOwn = origin === new URL(publicUrl).origin && (site ?? 'same-origin') === 'same-origin'
  if (!isOwn) throw forged()
}

function requireToken(form: URLSearchParams, token: string): void {
  const [given, more] = form.getAll('form').map((each) => Buffer.from(each))
  const wanted = Buffer.from(token)
  const isSame =
    given !== undefined &&
    more === undefined &&
    given.length === wanted.length &&
    timingSafeEqual(given, wanted)
  if (!isSame) throw forged()
}

async function readForm(
  text: RequestHandler,
  request: Request,
  response: Response,
): Promise<URLSearchParams> {
  await new Promise<void>((resolve, reject) => {
    text(request, response, (error?: unknown) => {
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
  const body: unknown = request.body
  if (typeof body !== 'string' || body === '') return new URLSearchParams()
  if (request.is('application/x-www-form-urlencoded') === false)
    throw new WaybillError('invalid_request', 'This is not a form.')
  return new URLSearchParams(body)
}

function forged(): WaybillError {
  return new WaybillError('forbidden', 'This did not come from a page of Waybill. Open it again.')
}

/** What is shown where there is nothing, or where a path cannot be read: to browsers, in place of the API's answer. */
export function refuseBrowser(response: Response, error: WaybillError): void {
  setHeaders(response)
  refuse(response, error, null)
}

/** @returns whether it is somebody's browser that asks for a page, and not a program that asks the API. */
export function wantsPage(request: Request): boolean {
  return !request.path.startsWith('/v1/') && request.accepts(['json', 'html']) === 'html'
}

function refuse(
  response: Response,
  error: WaybillError,
  visit: Visit | null,
  explain: PageOptions['explain'] = () => null,
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  // For operators it is an error, and the log has it as one. But providers say this also of a sign-in that its own visitor
  // has tampered with, who breaks nothing of ours.
  const status = error.code === 'settings_invalid' ? 409 : statusOf(error.code)
  if (error.retryAfterMs !== undefined)
    response.set('Retry-After', `${Math.max(1, Math.ceil(error.retryAfterMs / 1_000))}`)
  response.status(status).type('html')
  const explained = visit === null ? null : explain(error, visit)
  response.send(explained ?? refusalPage(status, error, visit?.signedIn ?? null))
}
