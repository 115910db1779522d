import { Readable } from 'node:stream'
import { request } from 'undici'
import { itemFields } from '../../backend/clouds/google-drive/item.ts'
import type { ForkedClouds } from '../clouds/fork.ts'

interface ChildrenPage {
  readonly files: readonly { readonly id: string }[]
  readonly nextPageToken?: string
}

type Bytes = Uint8Array | AsyncIterable<Uint8Array>

/** A few calls of both clouds with nothing around them: what a copy costs at least. Each throws unless it is answered with 200. */
export interface BareCalls {
  /** The bytes of a file in the Drive. */
  download(id: string): Promise<Readable>
  /** A page of the children of folders in the Drive, with what a copy has to know of them. */
  list(folders: readonly string[], pageToken: string | null): Promise<ChildrenPage>
  /** An rpc call of Dropbox. */
  ask(route: string, argument: object): Promise<unknown>
  /** A content call of Dropbox; `length` in bytes. */
  send(route: string, argument: object, bytes: Bytes, length: number): Promise<unknown>
}

/** @returns the calls, with undici and the tokens that the clouds began with. */
export function bareCalls({ drive, dropbox }: ForkedClouds): BareCalls {
  const asDrive = { authorization: `Bearer ${drive.accessToken}` }
  const asDropbox = { authorization: `Bearer ${dropbox.accessToken}` }

  const answered = async (answer: Awaited<ReturnType<typeof request>>): Promise<unknown> => {
    if (answer.statusCode !== 200) throw new Error(`a bare call: ${await answer.body.text()}`)
    return answer.body.json()
  }

  return {
    download: async (id) => {
      const answer = await request(`${drive.url}/drive/v3/files/${id}?alt=media`, {
        headers: asDrive,
      })
      if (answer.statusCode !== 200) throw new Error(`a bare download: ${answer.statusCode}`)
      return answer.body
    },
    list: async (folders, pageToken) => {
      const query = new URLSearchParams({
        q: `(${folders.map((id) => `'${id}' in parents`).join(' or ')}) and trashed=false`,
        pageSize: '1000',
        fields: `nextPageToken,files(${itemFields})`,
        ...(pageToken === null ? {} : { pageToken }),
      })
      const url = `${drive.url}/drive/v3/files?${query.toString()}`
      const answer = await answered(await request(url, { headers: asDrive }))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the simulated Drive answers so
      return answer as ChildrenPage
    },
    ask: async (route, argument) =>
      answered(
        await request(`${dropbox.url}/2/files/${route}`, {
          method: 'POST',
          headers: { ...asDropbox, 'content-type': 'application/json' },
          body: JSON.stringify(argument),
        }),
      ),
    send: async (route, argument, bytes, length) =>
      answered(
        await request(`${dropbox.url}/2/files/${route}`, {
          method: 'POST',
          headers: {
            ...asDropbox,
            'dropbox-api-arg': JSON.stringify(argument),
            'content-type': 'application/octet-stream',
            'content-length': String(length),
          },
          body: bytes instanceof Uint8Array ? bytes : Readable.from(bytes, { objectMode: false }),
        }),
      ),
  }
}
