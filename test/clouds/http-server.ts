import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Call, Route } from './call.ts'
import { isRefusal } from './call.ts'
import type { CallLog } from './call-log.ts'
import type { Faults } from './faults.ts'
import { incomingCall } from './incoming-call.ts'
import type { IncomingCall } from './incoming-call.ts'
import { createRouter } from './router.ts'
import type { Match } from './router.ts'
import { sendAnswer } from './send-answer.ts'

/** What a simulated cloud is served with. */
export interface ServeOptions {
  /** 0 or nothing for a free port. */
  readonly port?: number
  readonly routes: readonly Route[]
  readonly calls: CallLog
  readonly faults?: Faults
  /** Milliseconds that every counted call waits before it is handled. */
  readonly latencyMs?: number
  /** Asked before each counted handler but the token endpoint's, for credentials and quota; null lets the call through. */
  guard?(call: Call, units: number): Answer | null
  /** The provider's way of saying that there is no such route. */
  unknownRoute?(method: string, path: string): Answer
}

/** A simulated cloud that listens. */
export interface Served {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** While true, every counted call is reset before it is handled, as if the network were gone. */
  readonly setOffline: (offline: boolean) => void
  /** Ends every connection and stops listening. */
  readonly close: () => Promise<void>
}

/** Starts an HTTP server on 127.0.0.1 for these routes. Throws when the port is taken. */
export async function serve(options: ServeOptions): Promise<Served> {
  const find = createRouter(options.routes)
  let offline = false
  let url = ''

  const server = createServer((request, response) => {
    answerCall(request, response).catch((error: unknown) => {
      // A mistake of the simulator: the test that met it should see what it was.
      if (!response.headersSent) response.writeHead(599, { 'content-type': 'text/plain' })
      response.end(error instanceof Error ? error.stack : 'unknown error')
    })
  })
  // Node closes idle connections after 5 s by default, which races with clients that reuse them.
  server.keepAliveTimeout = 60_000
  server.requestTimeout = 0

  async function answerCall(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/'
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
    const match = find(request.method ?? 'GET', path, query, request.headers)
    if (match === null) {
      options.calls.add('unknown', { calls: 1, refused: 1 })
      const unknown = options.unknownRoute?.(request.method ?? 'GET', path) ?? { status: 404 }
      await sendAnswer(request, response, unknown, null)
      return
    }
    const call = incomingCall(request, match, path, query, url, options.calls)
    if (match.kind === 'control') {
      await sendAnswer(request, response, await handled(match.route, call), null)
      return
    }
    await countedCall(request, response, match, call)
  }

  async function countedCall(
    request: IncomingMessage,
    response: ServerResponse,
    match: Match,
    call: IncomingCall,
  ): Promise<void> {
    const { calls, faults, latencyMs = 0 } = options
    const { name, kind } = match
    const units =
      typeof match.route.units === 'function'
        ? match.route.units(call.query)
        : (match.route.units ?? 0)
    calls.add(name, { calls: 1, units })
    if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs))
    if (offline) {
      request.socket.destroy()
      calls.add(name, { refused: 1 })
      return
    }
    const injected =
      faults?.choose({ route: name, kind, key: `${call.method} ${call.path}` }) ?? null
    if (injected !== null) calls.add(name, { faulted: 1 })
    const act = injected?.fault.act
    if (act?.kind === 'reset') {
      request.socket.destroy()
      calls.add(name, { refused: 1 })
      return
    }
    if (injected !== null && act?.kind === 'inside')
      call.fault = { id: injected.fault.id, random: injected.random }
    if (act?.kind === 'no-range') delete request.headers.range
    if (act?.kind === 'slow') await waited(request, act.ms)

    let answer: Answer
    if (act?.kind === 'answer') answer = faultAnswer(act.status, act.headers ?? {}, act.body)
    else
      answer =
        (kind !== 'token' && options.guard?.(call, units)) || (await handled(match.route, call))

    const fine = (answer.status ?? 200) < 400
    if (act?.kind === 'lost' && fine) {
      request.socket.destroy()
      calls.add(name, { refused: 1 })
      return
    }
    if (act?.kind === 'lost-behind' && fine) answer = faultAnswer(act.status, {}, act.body)
    if (act?.kind === 'garbled' && fine)
      answer = { headers: { 'content-type': 'application/json' }, body: act.body }
    if (act?.kind === 'rewrite' && fine && isRecord(answer.json))
      answer = { ...answer, json: act.rewrite(answer.json, call.query) }
    const sent = await sendAnswer(request, response, answer, injected)
    calls.add(name, { bytesOut: sent, refused: (answer.status ?? 200) >= 400 ? 1 : 0 })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  url = `http://127.0.0.1:${address.port}`

  return {
    url,
    setOffline(next) {
      offline = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Less than `ms` milliseconds when the client goes away. */
function waited({ socket }: IncomingMessage, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    socket.once('close', done)
  })
}

async function handled(route: Route, call: Call): Promise<Answer> {
  try {
    return await route.handle(call)
  } catch (thrown) {
    if (isRefusal(thrown)) return thrown.answer
    throw thrown
  }
}

function faultAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Answer {
  if (body === null) return { status, headers }
  return typeof body === 'string' ? { status, headers, body } : { status, headers, json: body }
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
