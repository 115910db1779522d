import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { DropboxResponseError } from 'dropbox'
import { downloaded, plainClient, sdkFor } from './client.ts'
import type { PlainAnswer, PlainClient } from './client.ts'
import { blockSize, contentHashOf } from './content-hash.ts'
import { startDropbox } from './start.ts'
import type { DropboxOptions, SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let client: PlainClient

async function begin(options: DropboxOptions = {}): Promise<void> {
  dropbox = await startDropbox(options)
  client = plainClient(dropbox, dropbox.account.accessToken)
}

async function open(argument: object = {}, body: Buffer | string = ''): Promise<string> {
  const started = await client.upload('files/upload_session/start', argument, body)
  return String(started.at('session_id'))
}

function append(
  session: string,
  offset: number,
  body: Buffer | string,
  more: object = {},
): Promise<PlainAnswer> {
  const argument = { cursor: { session_id: session, offset }, ...more }
  return client.upload('files/upload_session/append_v2', argument, body)
}

function finish(
  session: string,
  offset: number,
  path: string,
  body: Buffer | string = '',
  more: object = {},
): Promise<PlainAnswer> {
  const argument = { cursor: { session_id: session, offset }, commit: { path }, ...more }
  return client.upload('files/upload_session/finish', argument, body)
}

afterEach(() => dropbox.close())

describe('a sequential upload session', () => {
  it('takes bytes with every call, through the official SDK', async () => {
    await begin()
    const sdk = sdkFor(dropbox)
    const started = await sdk.filesUploadSessionStart({ contents: Buffer.from('one') })
    const session = started.result.session_id
    await sdk.filesUploadSessionAppendV2({
      cursor: { session_id: session, offset: 3 },
      contents: Buffer.from('two'),
    })
    const finished = await sdk.filesUploadSessionFinish({
      cursor: { session_id: session, offset: 6 },
      commit: { path: '/a.txt' },
      contents: Buffer.from('three'),
    })
    expect(finished.result).toMatchObject({
      size: 11,
      content_hash: contentHashOf(Buffer.from('onetwothree')),
    })
    expect('.tag' in finished.result).toBe(false)
  })

  it('answers a wrong offset with the right one', async () => {
    await begin()
    const session = await open({}, 'abc')
    const early = await append(session, 2, 'x')
    expect(early.status).toBe(409)
    expect(early.at()).toEqual({
      error_summary: 'incorrect_offset/..',
      error: { '.tag': 'incorrect_offset', correct_offset: 3 },
    })
    const finished = await finish(session, 9, '/a')
    expect(finished.at('error')).toEqual({
      '.tag': 'lookup_failed',
      lookup_failed: { '.tag': 'incorrect_offset', correct_offset: 3 },
    })
  })

  it('takes nothing more once it is closed, and can then be saved', async () => {
    await begin()
    const session = await open({}, 'abc')
    expect((await append(session, 3, 'def', { close: true })).text).toBe('null')
    expect((await append(session, 6, 'x')).at('error')).toEqual({ '.tag': 'closed' })
    expect((await finish(session, 6, '/a', 'x')).at('error', 'lookup_failed', '.tag')).toBe(
      'closed',
    )
    expect((await finish(session, 6, '/a')).at('size')).toBe(6)
  })

  it('is closed for ever once it is saved', async () => {
    await begin()
    const session = await open({}, 'abc')
    await finish(session, 3, '/a')
    const again = await finish(session, 3, '/a')
    expect(again.at('error')).toEqual({
      '.tag': 'lookup_failed',
      lookup_failed: { '.tag': 'closed' },
    })
    expect((await append(session, 3, 'x')).at('error')).toEqual({ '.tag': 'closed' })
    expect(dropbox.openSessions()).toBe(0)
  })

  it('keeps its bytes when the path cannot be written', async () => {
    await begin()
    dropbox.makeFolder('/a')
    const session = await open({}, 'abc')
    const refused = await finish(session, 3, '/a', 'def')
    expect(refused.at()).toEqual({
      error_summary: 'path/conflict/folder/..',
      error: { '.tag': 'path', path: { '.tag': 'conflict', conflict: { '.tag': 'folder' } } },
    })
    expect((await finish(session, 6, '/b')).at('size')).toBe(6)
  })

  it('lives for seven days', async () => {
    let now = Date.UTC(2026, 0, 1)
    await begin({ now: () => now })
    dropbox.tokens.setLifetime(1e9)
    const session = await open({}, 'abc')
    now += 7 * 24 * 3600 * 1000 - 1
    const fresh = await fetch(`${dropbox.url}/oauth2/token`, {
      method: 'POST',
      redirect: 'error',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: dropbox.account.refreshToken,
        client_id: dropbox.account.clientId,
        client_secret: dropbox.account.clientSecret,
      }),
    })
    const { access_token: token }: { access_token: string } = JSON.parse(await fresh.text())
    client = plainClient(dropbox, token)
    expect((await append(session, 3, 'd')).status).toBe(200)
    now += 1
    expect((await append(session, 4, 'e')).at('error')).toEqual({ '.tag': 'not_found' })
    const finished = await finish(session, 4, '/a')
    expect(finished.at('error', 'lookup_failed', '.tag')).toBe('not_found')
  })

  it('takes no damaged bytes', async () => {
    await begin()
    const session = await open({}, 'abc')
    const right = contentHashOf(Buffer.from('def'))
    const damaged = await append(session, 3, 'dxf', { content_hash: right })
    expect(damaged.at('error')).toEqual({ '.tag': 'content_hash_mismatch' })
    expect((await append(session, 3, 'def', { content_hash: right })).status).toBe(200)
    const bad = await finish(session, 6, '/a', 'g', { content_hash: right })
    expect(bad.at('error')).toEqual({ '.tag': 'content_hash_mismatch' })
    const finished = await finish(session, 6, '/a')
    expect(finished.at('content_hash')).toBe(contentHashOf(Buffer.from('abcdef')))
  })

  it('forgets the bytes of a call whose connection broke', async () => {
    await begin({ inMemory: 1000 })
    const first = randomBytes(5000)
    const session = await open({}, first)
    const argument = JSON.stringify({ cursor: { session_id: session, offset: 5000 } })
    const { hostname, port } = new URL(dropbox.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /2/files/upload_session/append_v2 HTTP/1.1\r\nhost: x\r\n` +
        `authorization: Bearer ${dropbox.account.accessToken}\r\ndropbox-api-arg: ${argument}\r\n` +
        `content-type: application/octet-stream\r\ncontent-length: 9000\r\n\r\n`,
    )
    socket.resume()
    socket.end(randomBytes(8000))
    await once(socket, 'close')
    const second = randomBytes(3000)
    expect((await append(session, 5000, second)).status).toBe(200)
    const finished = await finish(session, 8000, '/a')
    expect(finished.at('content_hash')).toBe(contentHashOf(Buffer.concat([first, second])))
    const down = await sdkFor(dropbox).filesDownload({ path: '/a' })
    expect(downloaded(down.result)).toEqual(Buffer.concat([first, second]))
  })

  it('refuses more than a request and a file may have', async () => {
    await begin({ limits: { request: 10, file: 15 } })
    const session = await open({}, '0123456789')
    const long = await append(session, 10, '0123456789x')
    expect(long.at('error')).toEqual({ '.tag': 'payload_too_large' })
    expect((await append(session, 10, '012345')).at('error')).toEqual({ '.tag': 'too_large' })
    expect((await append(session, 10, '01234')).status).toBe(200)
    const upload = await client.upload('files/upload', { path: '/a' }, '0123456789x')
    expect(upload.at('error')).toEqual({ '.tag': 'payload_too_large' })
  })

  it('gives the SDK a typed error', async () => {
    await begin()
    const missing = sdkFor(dropbox).filesUploadSessionAppendV2({
      cursor: { session_id: 'pid_upload_session:none', offset: 0 },
      contents: Buffer.from('x'),
    })
    const error: unknown = await missing.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DropboxResponseError)
    expect(error).toMatchObject({ status: 409, error: { error: { '.tag': 'not_found' } } })
  })
})

describe('a concurrent upload session', () => {
  const bytes = randomBytes(2 * blockSize + 100)
  const concurrent = { session_type: { '.tag': 'concurrent' } }

  it('takes pieces in any order and at the same time', async () => {
    await begin()
    const session = await open(concurrent)
    const taken = await Promise.all([
      append(session, 2 * blockSize, bytes.subarray(2 * blockSize), { close: true }),
      append(session, blockSize, bytes.subarray(blockSize, 2 * blockSize)),
      append(session, 0, bytes.subarray(0, blockSize)),
    ])
    expect(taken.map((answer) => answer.status)).toEqual([200, 200, 200])
    const finished = await finish(session, bytes.length, '/a')
    expect(finished.at('content_hash')).toBe(contentHashOf(bytes))
    const down = await sdkFor(dropbox).filesDownload({ path: '/a' })
    expect(contentHashOf(downloaded(down.result))).toBe(contentHashOf(bytes))
  })

  it('demands whole blocks of 4 MiB, but not of the closing piece', async () => {
    await begin()
    const session = await open(concurrent)
    const offset = await append(session, 5, bytes.subarray(0, blockSize))
    expect(offset.at('error', '.tag')).toBe('concurrent_session_invalid_offset')
    const size = await append(session, 0, 'abc')
    expect(size.at('error', '.tag')).toBe('concurrent_session_invalid_data_size')
    expect((await append(session, 0, 'abc', { close: true })).status).toBe(200)
  })

  it('brings no bytes when it starts or ends, and has to be closed', async () => {
    await begin()
    const start = await client.upload('files/upload_session/start', concurrent, 'abc')
    expect(start.at('error', '.tag')).toBe('concurrent_session_data_not_allowed')
    const closed = await client.upload('files/upload_session/start', { ...concurrent, close: true })
    expect(closed.at('error', '.tag')).toBe('concurrent_session_close_not_allowed')
    const session = await open(concurrent)
    const early = await finish(session, 0, '/a')
    expect(early.at('error', '.tag')).toBe('concurrent_session_not_closed')
    const data = await finish(session, 0, '/a', 'abc')
    expect(data.at('error', '.tag')).toBe('concurrent_session_data_not_allowed')
  })

  it('cannot be saved while a piece is missing', async () => {
    await begin()
    const session = await open(concurrent)
    await append(session, blockSize, 'abc', { close: true })
    const refused = await finish(session, blockSize + 3, '/a')
    expect(refused.at('error', '.tag')).toBe('concurrent_session_missing_data')
    await append(session, 0, bytes.subarray(0, blockSize))
    const again = await append(session, 0, bytes.subarray(0, blockSize))
    expect(again.status).toBe(200)
    expect((await finish(session, blockSize + 3, '/a')).at('size')).toBe(blockSize + 3)
  })
})
