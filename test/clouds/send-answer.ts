import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './call.ts'
import { bytesContent } from './content.ts'
import type { Content } from './content.ts'
import type { InjectedFault } from './faults.ts'
import { randomBelow } from './random.ts'

/**
 * Sends an answer, with what a fault does to its body. Resolves with the bytes of body that were
 * written, also when the client went away.
 */
export async function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  injected: InjectedFault | null,
): Promise<number> {
  await drain(request)
  const { content, from, to, type, chunked } = bodyOf(answer)
  const length = to - from
  const status = answer.status ?? 200
  const headers: Record<string, string | number> = { ...answer.headers }
  if (type !== null) headers['content-type'] ??= type
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304
  if (chunked !== true && status !== 204) headers['content-length'] = length
  response.writeHead(status, headers)
  if (bodiless || content === null || length === 0) {
    response.end()
    return 0
  }

  const act = injected?.fault.act.kind
  // Half of the body or less arrives before a body is cut off.
  const spoilAt = injected === null ? 0 : from + randomBelow(injected.random, Math.ceil(length / 2))
  const end = act === 'cut' || act === 'short' || act === 'stall' ? spoilAt : to
  // A fault at the very first byte comes after the headers, too.
  if (end !== to) response.flushHeaders()
  const sent = await pour(response, content, from, end, act === 'flip' ? spoilAt : -1)
  if (end === to || response.destroyed) {
    if (!response.destroyed) response.end()
    return sent
  }
  const { socket } = request
  // A reset throws away what the kernel was not yet given: the part before the fault has to be on its way.
  do await new Promise((resolve) => setTimeout(resolve, 1))
  while (socket.writableLength > 0 && !socket.destroyed)
  if (act === 'cut') socket.resetAndDestroy()
  else if (act === 'short') socket.end()
  else if (!socket.destroyed) await once(socket, 'close')
  return sent
}

/** Reads and forgets what a handler left of the request: half-read uploads confuse many clients. */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  // A reader that has just stopped still counts as one until the next tick, and nothing would flow.
  await new Promise((resolve) => setImmediate(resolve))
  if (request.complete || request.destroyed) return
  request.resume()
  await new Promise<void>((resolve) => {
    request.once('end', resolve)
    request.once('close', resolve)
    request.once('error', () => resolve())
  })
}

async function pour(
  response: ServerResponse,
  content: Content,
  from: number,
  to: number,
  flipAt: number,
): Promise<number> {
  let at = from
  if (to > from)
    for await (const piece of content.pieces(from, to)) {
      let bytes = piece
      if (flipAt >= at && flipAt < at + piece.length) {
        bytes = Buffer.from(piece)
        bytes[flipAt - at] = (bytes[flipAt - at] ?? 0) ^ 0x20
      }
      at += piece.length
      if (response.destroyed) break
      if (!response.write(bytes) && !response.destroyed) await drainedOrClosed(response)
    }
  return at - from
}

function drainedOrClosed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

interface Body {
  readonly content: Content | null
  readonly from: number
  readonly to: number
  readonly type: string | null
  readonly chunked?: boolean
}

function bodyOf(answer: Answer): Body {
  if (answer.content !== undefined) return { type: 'application/octet-stream', ...answer.content }
  if (answer.json !== undefined)
    return { ...whole(JSON.stringify(answer.json)), type: 'application/json; charset=UTF-8' }
  if (answer.body !== undefined) return { ...whole(answer.body), type: 'text/plain; charset=UTF-8' }
  return { content: null, from: 0, to: 0, type: null }
}

function whole(body: Buffer | string): { content: Content; from: number; to: number } {
  const content = bytesContent(body)
  return { content, from: 0, to: content.size }
}
