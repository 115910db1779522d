import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, RequestHandler, Response } from 'express'
import { WaybillError } from '../../shared/errors.ts'
import type { Log } from '../log.ts'
import type { Tracing } from '../log/tracing.ts'
import { callerOf, type Knowing } from './caller.ts'
import { asAnswer, placeOf, sendError, statusOf } from './errors.ts'
import { readJson } from './request-body.ts'
import type { Answer, Route } from './route.ts'

const piece = 16 * 1024

/** What writes about requests. */
export interface Observing {
  readonly log: Log
  readonly tracing?: Tracing
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

/** What is around every request: who asks, and what is written about it. */
export interface Serving extends Observing, Knowing {
  /** Aborted when the process is to end: who waits is answered then. */
  readonly stop?: AbortSignal
}

/** @returns `route` as an Express handler: who asks comes first, then what they ask for, then the answer. */
export function serveRoute(route: Route, serving: Serving): RequestHandler {
  return async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    await observe(request, response, route.path, serving, async () => {
      if (!route.signedIn) await serving.gate?.arrive(request, 'address')
      const user = route.signedIn ? await callerOf(request, route, serving) : ''
      const hasBody = route.method === 'post' || route.method === 'put'
      const body = hasBody ? await readJson(request, response) : undefined
      const { params, query } = request
      const { stop } = serving
      const signal = stop === undefined ? gone.signal : AbortSignal.any([gone.signal, stop])
      const answer = await route.answer({ user, params, query, body, signal })
      await send(response, route.success.status, answer)
    })
  }
}

/** Sends the answer for what went wrong. */
export type Refuse = (response: Response, error: WaybillError) => void

/** Nothing is served at the path, or not by this method. `refuseFor` says how whoever asks is told. */
export function serveNothing(
  serving: Observing,
  refuseFor: (request: Request) => Refuse,
): RequestHandler {
  return async (request, response) => {
    await serveError(
      new WaybillError('not_found', 'There is nothing here.'),
      request,
      response,
      serving,
      refuseFor(request),
    )
  }
}

/** Answers with what went wrong before a route was found. */
export async function serveError(
  thrown: unknown,
  request: Request,
  response: Response,
  serving: Observing,
  refuse: Refuse,
): Promise<void> {
  await observe(request, response, undefined, serving, () => Promise.reject(thrown), refuse)
}

/**
 * Answers by `act`, or with what it throws, and writes one line about the request when it is over.
 *
 * @param route the pattern of its path, if there is one
 * @param refuse sends the answer for what was thrown
 */
export async function observe(
  request: Request,
  response: Response,
  route: string | undefined,
  serving: Observing,
  act: () => Promise<void>,
  refuse: Refuse = sendError,
): Promise<void> {
  const answer = async () => observed(request, response, route, serving, act, refuse)
  const { tracing } = serving
  await (tracing === undefined ? answer() : tracing.run(request.get('traceparent'), answer))
}

async function observed(
  request: Request,
  response: Response,
  route: string | undefined,
  { log, clock }: Observing,
  act: () => Promise<void>,
  refuse: Refuse,
): Promise<void> {
  const began = clock()
  const over = new Promise<void>((resolve) => {
    response.once('close', resolve)
  })
  let error: WaybillError | undefined
  try {
    await act()
  } catch (thrown) {
    error =
      response.destroyed && isLeaving(thrown)
        ? new WaybillError('cancelled', 'The client has gone.')
        : asAnswer(thrown)
    refuse(response, error)
  }
  await over
  const at = error && placeOf(error)
  // An answer that broke off halfway still says 200.
  const severity = error !== undefined && statusOf(error.code) >= 500 ? 'error' : 'info'
  log[severity]('request', {
    method: request.method,
    status: response.statusCode,
    ms: clock() - began,
    ...(route !== undefined && { route }),
    ...(error !== undefined && { code: error.code }),
    ...(at !== undefined && { at }),
  })
}

/** Whether it is what a wait, a stream or the body's reader throws when the client goes. */
function isLeaving(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false
  const name = 'name' in thrown ? thrown.name : undefined
  const code = 'code' in thrown ? thrown.code : undefined
  return name === 'AbortError' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNABORTED'
}

async function send(response: Response, status: number, answer: Answer): Promise<void> {
  if ('json' in answer) {
    if (answer.location !== undefined) response.location(answer.location)
    response.status(status).json(answer.json)
    return
  }
  const lines = answer.lines[Symbol.asyncIterator]()
  try {
    // Only when there is a first line is it known that there is a receipt at all.
    const first = await lines.next()
    response.status(status).type('application/jsonl')
    await pipeline(Readable.from(pieces(first, lines)), response)
  } finally {
    await lines.return?.()
  }
}

/** Lines joined to pieces of about 16 KiB: a long receipt is neither held in memory nor sent line by line. */
async function* pieces(
  first: IteratorResult<string>,
  lines: AsyncIterator<string>,
): AsyncGenerator<string> {
  let held = ''
  for (let next = first; next.done !== true; next = await lines.next()) {
    held += `${next.value}\n`
    if (held.length < piece) continue
    yield held
    held = ''
  }
  if (held !== '') yield held
}
