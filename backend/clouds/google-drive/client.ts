import { drive } from 'googleapis/build/src/apis/drive/index.js'
import type { drive_v3 } from 'googleapis/build/src/apis/drive/index.js'
import type { TokenSource } from '../cloud.ts'
import type { Http } from '../http.ts'
import { strangeAnswer, transportError } from '../http-errors.ts'
import { member } from '../json.ts'
import { driveError } from './errors.ts'
import type { DriveCall } from './errors.ts'

/** Where Drive is. */
export const googleRootUrl = 'https://www.googleapis.com/'

/** Drive's control calls, by Google's own client. */
export interface DriveClient {
  get(fileId: string, fields: string): Promise<drive_v3.Schema$File>
  /** `call` says how to read a refusal. */
  list(
    call: DriveCall,
    params: drive_v3.Params$Resource$Files$List,
  ): Promise<drive_v3.Schema$FileList>
  about(fields: string): Promise<drive_v3.Schema$About>
  drives(params: drive_v3.Params$Resource$Drives$List): Promise<drive_v3.Schema$DriveList>
  startPageToken(
    params: drive_v3.Params$Resource$Changes$Getstartpagetoken,
  ): Promise<drive_v3.Schema$StartPageToken>
  changes(params: drive_v3.Params$Resource$Changes$List): Promise<drive_v3.Schema$ChangeList>
}

export interface DriveClientOptions {
  readonly token: TokenSource
  readonly rootUrl: string
  readonly http: Http
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Options {
  readonly headers: Record<string, string>
}

interface Answer<T> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | number | undefined>>
  readonly data: T
}

/** @returns the calls. Each fails with a WaybillError and is tried once. */
export function createDriveClient({ token, rootUrl, http, now }: DriveClientOptions): DriveClient {
  const api = drive({
    version: 'v3',
    rootUrl,
    retry: false,
    responseType: 'json',
    // Its own would follow redirects with the token and open connections of its own.
    fetchImplementation: (url: string | URL | Request, init?: RequestInit) =>
      http.fetch(new Request(url).url, new Headers(init?.headers)),
    // A refusal is an answer here: an error of Google's client holds the whole request, with its token.
    validateStatus: () => true,
  })

  async function ask<T>(
    call: DriveCall,
    send: (options: Options) => Promise<Answer<T>>,
  ): Promise<T> {
    const bearer = await token.get()
    const answer = await sent(send({ headers: { authorization: `Bearer ${bearer}` } }))
    if (answer.status === 401) token.reject(bearer)
    if (answer.status !== 200) {
      const header = (name: string) => answer.headers[name]?.toString()
      throw driveError(call, { status: answer.status, header, body: answer.data }, now())
    }
    if (typeof answer.data !== 'object' || answer.data === null) throw strangeAnswer()
    return answer.data
  }

  return {
    get: (fileId, fields) =>
      ask('get', (options) => api.files.get({ fileId, fields, supportsAllDrives: true }, options)),
    list: (call, params) => ask(call, (options) => api.files.list(params, options)),
    about: (fields) => ask('account', (options) => api.about.get({ fields }, options)),
    drives: (params) => ask('account', (options) => api.drives.list(params, options)),
    startPageToken: (params) =>
      ask('account', (options) => api.changes.getStartPageToken(params, options)),
    changes: (params) => ask('changes', (options) => api.changes.list(params, options)),
  }
}

async function sent<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    // Google's client wraps whatever the connection failed with.
    throw transportError(member(error, 'cause') ?? error)
  }
}
