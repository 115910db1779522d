import type { IncomingMessage } from 'node:http'
import { refusal } from './call.ts'
import type { Call } from './call.ts'
import type { CallLog } from './call-log.ts'
import type { Match } from './router.ts'

/** A call whose fault may still be set. */
export type IncomingCall = Call & { fault: Call['fault'] }

/** What a handler sees of a request that matched a route; the bytes of its body are counted. */
export function incomingCall(
  request: IncomingMessage,
  match: Match,
  path: string,
  query: URLSearchParams,
  baseUrl: string,
  calls: CallLog,
): IncomingCall {
  async function* chunks(): AsyncIterable<Buffer> {
    // A reader that stops early must not take the connection with it: the answer still has to go out.
    const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
    for await (const piece of pieces) {
      calls.add(match.name, { bytesIn: piece.length })
      yield piece
    }
  }
  return {
    route: match.name,
    kind: match.kind,
    method: request.method ?? 'GET',
    path,
    params: match.params,
    query,
    headers: request.headers,
    baseUrl,
    fault: null,
    request,
    chunks,
    async body(limit = Infinity) {
      const pieces: Buffer[] = []
      let length = 0
      for await (const piece of chunks()) {
        length += piece.length
        if (length > limit) throw refusal({ status: 413 })
        pieces.push(piece)
      }
      return Buffer.concat(pieces, length)
    },
  }
}
