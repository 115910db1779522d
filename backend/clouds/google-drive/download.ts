import { WaybillError } from '../../../shared/errors.ts'
import type { ExportForm, Item } from '../../../shared/item.ts'
import type { Body, Source, TokenSource } from '../cloud.ts'
import { readRefusal } from '../http.ts'
import type { Http, HttpAnswer } from '../http.ts'
import { strangeAnswer } from '../http-errors.ts'
import { rangeHeader, toBody } from '../ranges.ts'
import { driveError } from './errors.ts'

export interface DriveDownloadOptions {
  readonly token: TokenSource
  readonly rootUrl: string
  readonly http: Http
  /** Milliseconds since 1970. */
  readonly now: () => number
}

type Signal = AbortSignal | undefined

/**
 * Drive's data path. Google's own client would do, at several times the work for each small file.
 *
 * @returns `open` of the source
 */
export function createDriveDownload(options: DriveDownloadOptions): Source['open'] {
  const { token, rootUrl, http, now } = options
  const files = new URL('drive/v3/files/', rootUrl).href
  const ownOrigin = new URL(rootUrl).origin

  async function openBytes(item: Item, from: number, signal: Signal): Promise<Body> {
    const url = `${files}${encodeURIComponent(item.id)}?alt=media&supportsAllDrives=true`
    const bearer = await token.get()
    const headers = { authorization: `Bearer ${bearer}`, ...rangeHeader(from) }
    const answer = await http.request(url, { headers, signal })
    return (await toBody(answer, from)) ?? (await refused(answer, bearer))
  }

  async function openForm(item: Item, form: ExportForm, signal: Signal): Promise<Body> {
    const linked = form.url === undefined ? null : await openLink(form.url, form, signal)
    if (linked !== null) return linked
    const url =
      `${files}${encodeURIComponent(item.id)}/export?mimeType=` + encodeURIComponent(form.mimeType)
    const bearer = await token.get()
    const answer = await http.request(url, {
      headers: { authorization: `Bearer ${bearer}` },
      signal,
    })
    return answer.status === 200 ? await exported(answer, form) : await refused(answer, bearer)
  }

  /**
   * Follows an export link, which knows no limit of size.
   *
   * @returns null if it leads nowhere: `files.export` is asked then
   */
  async function openLink(link: string, form: ExportForm, signal: Signal): Promise<Body | null> {
    const bearer = await token.get()
    let url = URL.parse(link)
    for (let hops = 0; hops < 5 && url !== null; hops++) {
      if (!isGoogle(url, ownOrigin)) return null
      const headers: Record<string, string> = takesToken(url, ownOrigin)
        ? { authorization: `Bearer ${bearer}` }
        : {}
      // Where it leads is known from the answer.
      // oxlint-disable-next-line no-await-in-loop
      const answer = await http.request(url.href, { headers, signal })
      // oxlint-disable-next-line no-await-in-loop
      if (answer.status === 200) return await exported(answer, form)
      const location = answer.header('location')
      if (answer.status < 300 || answer.status > 399 || location === undefined) {
        const { status, header } = answer
        // oxlint-disable-next-line no-await-in-loop
        const error = driveError(
          'download',
          { status, header, body: await readRefusal(answer.body) },
          now(),
        )
        if (error.code === 'unavailable' || error.code === 'rate_limited') throw error
        return null
      }
      // oxlint-disable-next-line no-await-in-loop
      await answer.body.dump()
      url = URL.parse(location, url.href)
    }
    return null
  }

  async function refused(answer: HttpAnswer, bearer: string): Promise<never> {
    const { status, header } = answer
    if (status === 401) token.reject(bearer)
    throw driveError('download', { status, header, body: await readRefusal(answer.body) }, now())
  }

  return async (item, { from, form, signal }) => {
    if (item.kind === 'file') return openBytes(item, from, signal)
    if (form !== undefined && item.kind === 'document') return openForm(item, form, signal)
    throw new WaybillError('not_exportable', 'It has no bytes of its own.')
  }
}

async function exported(answer: HttpAnswer, form: ExportForm): Promise<Body> {
  const type = answer.header('content-type') ?? ''
  // A page for people in the place of the document: asks to sign in, or says that something went wrong.
  if (type.startsWith('text/html') && !form.mimeType.startsWith('text/html')) {
    await answer.body.dump()
    throw strangeAnswer()
  }
  const length = answer.header('content-length')
  return {
    stream: answer.body,
    length: length === undefined ? null : Number(length),
    from: 0,
  }
}

/** Whether an export may be fetched there: nothing that a link says leads anywhere else. */
function isGoogle(url: URL, ownOrigin: string): boolean {
  return takesToken(url, ownOrigin) || isUnder(url, 'googleusercontent.com')
}

/** Whether the token may be shown there. Documents come from docs.google.com; who serves user content is not told. */
function takesToken(url: URL, ownOrigin: string): boolean {
  return url.origin === ownOrigin || isUnder(url, 'google.com') || isUnder(url, 'googleapis.com')
}

function isUnder(url: URL, domain: string): boolean {
  return url.protocol === 'https:' && url.port === '' && `.${url.hostname}`.endsWith(`.${domain}`)
}
