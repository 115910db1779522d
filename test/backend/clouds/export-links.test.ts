import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { text } from 'node:stream/consumers'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { createDriveSource } from '../../../backend/clouds/google-drive/source.ts'
import { someItem } from '../../some-item.ts'
import { startServer } from './local-server.ts'
import type { LocalServer } from './local-server.ts'

interface Asked {
  readonly url: string
  readonly token: boolean
}

/** What the whole internet answers: a status and a place to go to, or 200 with the URL as the text. */
type Internet = Readonly<Record<string, string>>

const mimeType = 'application/pdf'
const exportUrl = `https://www.googleapis.com/drive/v3/files/document/export?mimeType=application%2Fpdf`

describe('a link to an export', () => {
  let server: LocalServer
  let agent: Agent

  beforeEach(async () => {
    agent = new Agent()
    server = await startServer()
  })
  afterEach(async () => {
    await agent.destroy()
    await server.close()
  })

  /** Opens a document by its link, with every name of the internet leading to the server of the test. */
  async function open(link: string, internet: Internet = {}) {
    const asked: Asked[] = []
    server.answer((request, response) => {
      const url = String(request.url).slice(1)
      asked.push({ url, token: request.headers.authorization === 'Bearer secret' })
      const location = internet[url]
      if (location === undefined) response.writeHead(200, { 'content-type': mimeType }).end(url)
      else response.writeHead(307, { location }).end('Temporary Redirect')
    })
    const toServer: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
      dispatch(
        { ...options, origin: server.url, path: `/${String(options.origin)}${options.path}` },
        handler,
      )
    const source = createDriveSource({
      token: { get: () => Promise.resolve('secret'), reject: () => {} },
      dispatcher: agent.compose(toServer),
    })
    const form = { mimeType, extension: 'pdf', url: link }
    const body = await source.open(document, { from: 0, form })
    return { asked, text: await text(body.stream) }
  }

  it('of Google’s is followed with the token', async () => {
    const link = 'https://docs.google.com/document/export?id=1'
    expect(await open(link)).toEqual({ asked: [{ url: link, token: true }], text: link })
  })

  it('is followed to where Google keeps user content, without the token', async () => {
    const link = 'https://docs.google.com/document/export?id=1'
    const content = 'https://doc-0k-docstext.googleusercontent.com/export/1'
    expect(await open(link, { [link]: content })).toEqual({
      asked: [
        { url: link, token: true },
        { url: content, token: false },
      ],
      text: content,
    })
  })

  it.each([
    'https://docs.google.com.evil.example/document',
    'https://evilgoogle.com/document',
    'http://docs.google.com/document',
    'https://docs.google.com:8443/document',
    'https://docs.google.com@evil.example/document',
    'https://127.0.0.1/document',
    'file:///etc/passwd',
    'no url',
  ])('that leads elsewhere (%s) is not followed: files.export is asked', async (link) => {
    expect((await open(link)).asked).toEqual([{ url: exportUrl, token: true }])
  })

  it('is not followed to anywhere else either', async () => {
    const link = 'https://docs.google.com/document/export?id=1'
    const { asked } = await open(link, { [link]: 'https://evil.example/' })
    expect(asked.map(({ url }) => url)).toEqual([link, exportUrl])
  })

  it('is not followed for ever', async () => {
    const link = 'https://docs.google.com/document/export?id=1'
    const { asked } = await open(link, { [link]: link })
    expect(asked.length).toBeLessThan(10)
    expect(asked.at(-1)?.url).toBe(exportUrl)
  })
})

const document = someItem({
  id: 'document',
  kind: 'document',
  mimeType: 'application/vnd.google-apps.document',
  size: null,
})
