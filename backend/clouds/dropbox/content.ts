import type { Body } from '../cloud.ts'
import { readJson, readRefusal } from '../http.ts'
import type { HttpAnswer } from '../http.ts'
import { rangeHeader, toBody } from '../ranges.ts'
import type { DropboxEndpoint } from './client.ts'
import { dropboxError } from './errors.ts'
import type { DropboxCall } from './errors.ts'

/** Dropbox's content routes: arguments in a header, bytes in the body. Its own client holds whole files in memory. */
export interface DropboxContent {
  /** Sends bytes. @returns what the answer's JSON says; nothing where the route has nothing to say. */
  upload(
    route: string,
    argument: unknown,
    bytes: readonly Uint8Array[],
  ): Promise<Readonly<Record<string, unknown>>>
  /** @returns the bytes of a file from `from` on. */
  download(id: string, from: number, signal: AbortSignal | undefined): Promise<Body>
}

/** @returns the calls. Each fails with a WaybillError and is tried once. */
export function createDropboxContent(endpoint: DropboxEndpoint): DropboxContent {
  const { token, contentUrl, http, now } = endpoint
  const base = new URL('/2/files/', contentUrl).href

  async function refused(call: DropboxCall, answer: HttpAnswer, bearer: string): Promise<never> {
    const { status, header } = answer
    if (status === 401) token.reject(bearer)
    throw dropboxError(call, { status, header, body: await readRefusal(answer.body) }, now())
  }

  return {
    async upload(route, argument, bytes) {
      const bearer = await token.get()
      const answer = await http.request(base + route, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bearer}`,
          'dropbox-api-arg': headerSafe(argument),
          'content-type': 'application/octet-stream',
        },
        body: bytes,
      })
      if (answer.status !== 200) return await refused('session', answer, bearer)
      const said = await readJson(answer.body)
      return typeof said === 'object' && said !== null ? { ...said } : {}
    },

    async download(id, from, signal) {
      const bearer = await token.get()
      const answer = await http.request(`${base}download`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${bearer}`,
          'dropbox-api-arg': headerSafe({ path: id }),
          ...rangeHeader(from),
        },
        signal,
      })
      return (await toBody(answer, from)) ?? (await refused('read', answer, bearer))
    },
  }
}

/**
 * @returns JSON of ASCII characters only, as a header holds no others
 *
 * https://www.dropbox.com/developers/reference/json-encoding
 */
export function headerSafe(argument: unknown): string {
  return JSON.stringify(argument).replaceAll(
    /[\u007F-\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
