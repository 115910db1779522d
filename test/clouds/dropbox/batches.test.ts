import { afterEach, describe, expect, it } from '@jest/globals'
import { plainClient, sdkFor } from './client.ts'
import type { PlainAnswer, PlainClient } from './client.ts'
import { contentHashOf } from './content-hash.ts'
import { startDropbox } from './start.ts'
import type { DropboxOptions, SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let client: PlainClient

async function begin(options: DropboxOptions = {}): Promise<void> {
  dropbox = await startDropbox(options)
  client = plainClient(dropbox, dropbox.account.accessToken)
}

async function sessions(count: number): Promise<readonly string[]> {
  const started = await sdkFor(dropbox).filesUploadSessionStartBatch({ num_sessions: count })
  return started.result.session_ids
}

interface Piece {
  readonly session: string
  readonly text: string
  readonly offset?: number
  readonly close?: boolean
}

function appendAll(pieces: readonly Piece[], more: object = {}): Promise<PlainAnswer> {
  const entries = pieces.map(({ session, text, offset = 0, close = true }) => ({
    cursor: { session_id: session, offset },
    length: text.length,
    close,
  }))
  const body = pieces.map((piece) => piece.text).join('')
  return client.upload('files/upload_session/append_batch', { entries, ...more }, body)
}

function finishEntry(session: string, offset: number, path: string): object {
  return { cursor: { session_id: session, offset }, commit: { path } }
}

function finishAll(entries: readonly object[]): Promise<PlainAnswer> {
  return client.rpc('files/upload_session/finish_batch_v2', { entries })
}

afterEach(() => dropbox.close())

describe('batches of upload sessions', () => {
  it('start, fill and save many files in three calls, through the official SDK', async () => {
    await begin()
    const sdk = sdkFor(dropbox)
    const texts = ['one', '', 'three']
    const ids = await sessions(3)
    const appended = await sdk.filesUploadSessionAppendBatch({
      entries: texts.map((text, at) => ({
        cursor: { session_id: ids[at] ?? '', offset: 0 },
        length: text.length,
        close: true,
      })),
      content_hash: contentHashOf(Buffer.from(texts.join(''))),
      contents: Buffer.from(texts.join('')),
    })
    expect(appended.result.entries).toEqual(texts.map(() => ({ '.tag': 'success' })))
    const finished = await sdk.filesUploadSessionFinishBatchV2({
      entries: texts.map((text, at) => ({
        cursor: { session_id: ids[at] ?? '', offset: text.length },
        commit: { path: `/folder/${at}.txt` },
      })),
    })
    expect(finished.result.entries).toMatchObject(
      texts.map((text, at) => ({
        '.tag': 'success',
        path_display: `/folder/${at}.txt`,
        size: text.length,
        content_hash: contentHashOf(Buffer.from(text)),
      })),
    )
    expect(dropbox.calls.snapshot().calls).toBe(3)
  })

  it('start at most 1000 sessions', async () => {
    await begin()
    expect(await sessions(1000)).toHaveLength(1000)
    const refused = await client.rpc('files/upload_session/start_batch', { num_sessions: 1001 })
    expect(refused.status).toBe(400)
  })

  it('take each piece on its own merits', async () => {
    await begin()
    const [one = '', two = ''] = await sessions(2)
    const answer = await appendAll([
      { session: one, text: 'abc', close: false },
      { session: 'pid_upload_session:none', text: 'skipped' },
      { session: two, text: 'wrong', offset: 7 },
      { session: one, text: 'def', offset: 3 },
    ])
    expect(answer.at('entries')).toEqual([
      { '.tag': 'success' },
      { '.tag': 'failure', failure: { '.tag': 'not_found' } },
      { '.tag': 'failure', failure: { '.tag': 'incorrect_offset', correct_offset: 0 } },
      { '.tag': 'success' },
    ])
    const saved = await finishAll([finishEntry(one, 6, '/a')])
    expect(saved.at('entries', 0, 'content_hash')).toBe(contentHashOf(Buffer.from('abcdef')))
  })

  it('take nothing at all when the body is damaged or of another length', async () => {
    await begin()
    const [one = ''] = await sessions(1)
    const piece = { session: one, text: 'abc' }
    const wrong = await appendAll([piece], { content_hash: contentHashOf(Buffer.from('x')) })
    expect(wrong.at('error')).toEqual({ '.tag': 'content_hash_mismatch' })
    const entries = [{ cursor: { session_id: one, offset: 0 }, length: 4, close: true }]
    const short = await client.upload('files/upload_session/append_batch', { entries }, 'abc')
    expect(short.at('error')).toEqual({ '.tag': 'length_mismatch' })
    const right = await appendAll([piece], { content_hash: contentHashOf(Buffer.from('abc')) })
    expect(right.at('entries')).toEqual([{ '.tag': 'success' }])
  })

  it('take no more than a request may have', async () => {
    await begin({ limits: { request: 5 } })
    const [one = ''] = await sessions(1)
    const refused = await appendAll([{ session: one, text: 'abcdef' }])
    expect(refused.at('error')).toEqual({ '.tag': 'payload_too_large' })
  })

  it('save what can be saved, in order, and say why the others cannot', async () => {
    await begin()
    await dropbox.put('/taken.txt', 'taken')
    const ids = await sessions(4)
    const [a = '', b = '', c = '', d = ''] = ids
    await appendAll([
      { session: a, text: 'aaa' },
      { session: b, text: 'bbb', close: false },
      { session: c, text: 'ccc' },
      { session: d, text: 'ddd' },
    ])
    const answer = await finishAll([
      finishEntry(a, 3, '/a.txt'),
      finishEntry(b, 3, '/b.txt'),
      finishEntry(c, 3, '/taken.txt'),
      finishEntry(d, 1, '/d.txt'),
      finishEntry('pid_upload_session:none', 0, '/e.txt'),
      finishEntry(a, 3, '/a.txt'),
    ])
    const failed = (error: object): object => ({ '.tag': 'failure', failure: error })
    const lookup = (error: object): object =>
      failed({ '.tag': 'lookup_failed', lookup_failed: error })
    expect(answer.at('entries')).toMatchObject([
      { '.tag': 'success', name: 'a.txt', size: 3 },
      lookup({ '.tag': 'not_closed' }),
      failed({ '.tag': 'path', path: { '.tag': 'conflict', conflict: { '.tag': 'file' } } }),
      lookup({ '.tag': 'incorrect_offset', correct_offset: 3 }),
      lookup({ '.tag': 'not_found' }),
      lookup({ '.tag': 'closed' }),
    ])
    const retried = await finishAll([finishEntry(c, 3, '/c.txt')])
    expect(retried.at('entries', 0, '.tag')).toBe('success')
  })

  it('wait for nobody: a second one at the same time is refused as a whole', async () => {
    await begin({ limits: { writeMs: 200 } })
    const [a = '', b = ''] = await sessions(2)
    await appendAll([
      { session: a, text: 'aaa' },
      { session: b, text: 'bbb' },
    ])
    const answers = await Promise.all([
      finishAll([finishEntry(a, 3, '/a')]),
      finishAll([finishEntry(b, 3, '/b')]),
    ])
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200, 429]))
  })

  it('lose single entries to an injected fault, and keep their sessions', async () => {
    await begin()
    const ids = await sessions(5)
    await appendAll(ids.map((session) => ({ session, text: session.slice(-4) })))
    const entries = ids.map((session, at) => finishEntry(session, 4, `/${at}`))
    dropbox.faults.plan({
      route: 'dropbox.files/upload_session/finish_batch_v2',
      fault: 'dropbox.too_many_write_operations_entry',
    })
    const failure = { '.tag': 'failure', failure: { '.tag': 'too_many_write_operations' } }
    const first = await finishAll(entries)
    const lost = ids.flatMap((_, at) => (first.at('entries', at, '.tag') === 'failure' ? [at] : []))
    expect(lost.length).toBeGreaterThan(0)
    expect(lost.length).toBeLessThan(5)
    expect(first.at('entries', lost[0] ?? 0)).toEqual(failure)
    const second = await finishAll(lost.map((at) => entries[at] ?? {}))
    expect(second.at('entries')).toMatchObject(lost.map(() => ({ '.tag': 'success' })))
    expect(Object.keys(await dropbox.dump())).toHaveLength(5)
  })

  it.each([
    ['upload', { '.tag': 'path', reason: { '.tag': 'no_write_permission' } }],
    ['upload_session/finish', { '.tag': 'path', path: { '.tag': 'no_write_permission' } }],
  ])('show an injected write error of %s in the shape of that route', async (route, error) => {
    await begin()
    const session = (await client.upload('files/upload_session/start', {}, 'abc')).at('session_id')
    dropbox.faults.plan({ route: `dropbox.files/${route}`, fault: 'dropbox.no_write_permission' })
    const refused =
      route === 'upload'
        ? await client.upload('files/upload', { path: '/a' }, 'abc')
        : await client.upload(`files/${route}`, finishEntry(String(session), 3, '/a'))
    expect(refused.at('error')).toMatchObject(error)
    const kept = refused.at('error', 'upload_session_id') ?? session
    const saved = await client.upload(
      'files/upload_session/finish',
      finishEntry(String(kept), 3, '/a'),
    )
    expect(saved.at('size')).toBe(3)
  })
})
