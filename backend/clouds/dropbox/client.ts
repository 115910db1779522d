import { Dropbox, DropboxResponseError } from 'dropbox'
import type { DropboxResponse } from 'dropbox'
import type { TokenSource } from '../cloud.ts'
import type { Http } from '../http.ts'
import { strangeAnswer, transportError } from '../http-errors.ts'
import { dropboxError } from './errors.ts'
import type { DropboxCall } from './errors.ts'

/** Who asks, where, and by which clock. */
export interface DropboxEndpoint {
  readonly token: TokenSource
  /** Such as `https://api.dropboxapi.com`. */
  readonly apiUrl: string
  /** Such as `https://content.dropboxapi.com`. */
  readonly contentUrl: string
  readonly http: Http
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * A control call by Dropbox's own client.
 *
 * @param call how to read a refusal
 * @param send makes the call
 * @returns the result; fails with a WaybillError
 */
export type Ask = <T>(
  call: DropboxCall,
  send: (api: Dropbox) => Promise<DropboxResponse<T>>,
) => Promise<T>

/** @returns `ask`. Each call is tried once. */
export function createDropboxClient({ token, apiUrl, http, now }: DropboxEndpoint): Ask {
  // The client would always go to api.dropboxapi.com, and with a token of its own.
  async function fetchThere(url: string, init: RequestInit) {
    const bearer = await token.get()
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${bearer}`)
    const there = new URL(new URL(url).pathname, apiUrl).href
    const body = typeof init.body === 'string' ? init.body : ''
    const answer = await http.fetch(there, headers, body)
    if (answer.status === 401) token.reject(bearer)
    return answer
  }
  const api = new Dropbox({ fetch: fetchThere })

  return async (call, send) => {
    try {
      const { result } = await send(api)
      // The client gives what is not JSON as text.
      if (typeof result !== 'object' || result === null) throw strangeAnswer()
      return result
    } catch (error) {
      if (!(error instanceof DropboxResponseError)) throw transportError(error)
      const { status, headers, error: body } = error as DropboxResponseError<unknown> & Refused
      const header = (name: string) => headers.get(name) ?? undefined
      throw dropboxError(call, { status, header, body }, now())
    }
  }
}

interface Refused {
  readonly status: number
  readonly headers: Headers
}
