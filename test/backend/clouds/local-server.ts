import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'

/** A server of a test's own. */
export interface LocalServer {
  /** Such as `http://127.0.0.1:40123/`. */
  readonly url: string
  /** What is called for each request from now on. */
  answer(listener: RequestListener): void
  close(): Promise<void>
}

/** Starts a server on 127.0.0.1 that answers nothing yet. */
export async function startServer(): Promise<LocalServer> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    answer: (listener) => void server.removeAllListeners('request').on('request', listener),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
