import { Dropbox } from 'dropbox'
import type { SimulatedDropbox } from './start.ts'

/** A fetch that sends what is meant for Dropbox's hosts to a simulated Dropbox. */
export function rewritingFetch(url: string): typeof fetch {
  return (target, init) => {
    const { pathname, search } = new URL(target instanceof Request ? target.url : target)
    // Without `error`, Node's fetch keeps a copy of every streamed body for a redirect that never comes.
    return fetch(`${url}${pathname}${search}`, { ...init, redirect: 'error' })
  }
}

/** The official SDK as a client of a simulated Dropbox. */
export function sdkFor(
  dropbox: Pick<SimulatedDropbox, 'url' | 'account'>,
  accessToken: string | null = dropbox.account.accessToken,
): Dropbox {
  const { refreshToken, clientId, clientSecret } = dropbox.account
  return new Dropbox({
    ...(accessToken === null ? { refreshToken } : { accessToken }),
    clientId,
    clientSecret,
    fetch: rewritingFetch(dropbox.url),
  })
}

/** The bytes of a download through the SDK, which puts them beside the metadata. */
export function downloaded(result: object): Buffer {
  const bytes: unknown = Reflect.get(result, 'fileBinary')
  if (!Buffer.isBuffer(bytes)) throw new Error('the SDK gave no bytes')
  return bytes
}

/** An answer as plain HTTP shows it. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** What is at these keys of the JSON body; undefined when there is nothing. */
  at(...keys: readonly (string | number)[]): unknown
}

/** Calls a route of a simulated Dropbox without the SDK. */
export interface PlainClient {
  rpc(route: string, argument?: unknown, headers?: Record<string, string>): Promise<PlainAnswer>
  upload(
    route: string,
    argument: unknown,
    body?: Buffer | string,
    headers?: Record<string, string>,
  ): Promise<PlainAnswer>
}

/** A client with nothing but fetch. */
export function plainClient(
  dropbox: Pick<SimulatedDropbox, 'url'>,
  accessToken: string,
): PlainClient {
  async function call(
    route: string,
    body: Buffer | string,
    headers: Record<string, string>,
  ): Promise<PlainAnswer> {
    const response = await fetch(`${dropbox.url}/2/${route}`, {
      method: 'POST',
      redirect: 'error',
      headers: { authorization: `Bearer ${accessToken}`, ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      at(...keys) {
        let value: unknown = JSON.parse(text)
        for (const key of keys)
          value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
        return value
      },
    }
  }

  return {
    rpc: (route, argument, headers = {}) =>
      call(route, JSON.stringify(argument ?? null), {
        'content-type': 'application/json',
        ...headers,
      }),
    upload: (route, argument, body = '', headers = {}) =>
      call(route, body, {
        'content-type': 'application/octet-stream',
        'dropbox-api-arg': JSON.stringify(argument),
        ...headers,
      }),
  }
}
