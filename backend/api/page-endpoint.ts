import { timingSafeEqual } from 'node:crypto'
import express from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { WaybillError } from '../../shared/errors.ts'
import { hashed } from '../records/hashed-secret.ts'
import type { Session, Sessions } from '../records/sessions.ts'
import { readCookie, sessionCookie } from './cookies.ts'
import { asAnswer, statusOf } from './errors.ts'
import type { Gate } from './gate.ts'
import { problemPage } from './pages/connect-pages.ts'
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
}

export interface PageEndpoint {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly handle: RequestHandler
}

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const text = express.text({ limit: '8kb', inflate: false, type: () => true })

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
): PageEndpoint {
  const handle: RequestHandler = async (request, response) => {
    setHeaders(response)
    const { gate } = serving
    const isCallback = path.startsWith('/oauth/')
    const isSignIn = isCallback || path === '/connect/sign-in'
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
      const form = method === 'post' ? await readForm(request, response) : new URLSearchParams()
      const token = session === null ? null : hashed('form', secret ?? '')
      if (method === 'post' && token !== null) requireToken(form, token)
      const signedIn = session && token !== null ? { label: session.label, form: token } : null
      try {
        await act({ request, response, session, signedIn, query, form })
      } catch (error) {
        if (isGuess(error)) await gate?.failed(request, session?.user ?? null)
        throw error
      }
    }
    await observe(request, response, path, serving, answer, refuse)
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

function setHeaders(response: Response): void {
  // With it, the sidebar would not notice that the tab it has opened is closed:
  // https://developers.google.com/apps-script/reference/card-service/open-link
  response.removeHeader('Cross-Origin-Opener-Policy')
  response.set({
    'Content-Security-Policy': policy,
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

async function readForm(request: Request, response: Response): Promise<URLSearchParams> {
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

const titles: Readonly<Record<number, string>> = {
  400: 'That did not work',
  401: 'Sign in again',
  403: 'Not for you',
  404: 'Nothing here',
  409: 'Not now',
  429: 'Wait a little',
}

function refuse(response: Response, error: WaybillError): void {
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
  response.send(problemPage(titles[status] ?? 'Something went wrong', error.message))
}
