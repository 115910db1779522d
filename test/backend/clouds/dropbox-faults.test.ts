import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { buffer } from 'node:stream/consumers'
import type { Copy, Destination, Folder } from '../../../backend/clouds/cloud.ts'
import { createDropbox } from '../../../backend/clouds/dropbox/destination.ts'
import { entryError } from '../../../backend/clouds/dropbox/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { startDropbox } from '../../clouds/dropbox/start.ts'
import type { SimulatedDropbox } from '../../clouds/dropbox/start.ts'
import { commitOf, ok, upload } from '../../contract/destination-under-test.ts'

const now = Date.parse('2026-10-21T07:27:00Z')

describe('Dropbox fails with', () => {
  let dropbox: SimulatedDropbox
  let destination: Destination
  let top: Folder
  let copy: Copy

  beforeEach(async () => {
    dropbox = await startDropbox()
    destination = createDropbox({
      token: { get: () => Promise.resolve(dropbox.account.accessToken), reject: () => {} },
      apiUrl: dropbox.url,
      contentUrl: dropbox.url,
      idleMs: 200,
      now: () => now,
    })
    top = await destination.openFolder('/top')
    const bytes = Buffer.alloc(300_000, 7)
    copy = ok(await upload(destination, bytes, { parent: top, name: 'copy' }))
  })
  afterEach(() => dropbox.close())

  const bytes = Buffer.from('1')
  const calls = {
    'files/create_folder_v2': () => destination.openFolder('/a'),
    'files/create_folder_batch': () => destination.ensureFolders([{ parent: top, name: 'a' }]),
    'files/upload_session/start_batch': () => destination.stage?.([bytes]),
    'files/upload_session/append_batch': () => destination.stage?.([bytes]),
    'files/upload_session/start': () => destination.begin(bytes, true),
    'files/upload_session/append_v2': () => destination.append('session', 0, bytes, true),
    'files/upload_session/finish_batch_v2': () =>
      destination.commit([commitOf('session', bytes, { parent: top, name: 'b' })]),
    'files/get_metadata': () => destination.find({ parent: top, name: 'copy' }),
    'files/move_v2': () => destination.move(copy, { parent: top, name: 'moved' }),
    'files/download': async () => buffer((await destination.open(copy, { from: 0 })).stream),
    'files/list_folder': () => destination.changesSince(top, null),
    'files/list_folder/continue': () => destination.changesSince(top, 'cursor'),
    'users/get_current_account': () => destination.account(),
  } as const
  type Route = keyof typeof calls

  const everywhere = Object.keys(calls).filter((route): route is Route => route in calls)
  const appends = [
    'files/upload_session/start',
    'files/upload_session/append_v2',
    'files/upload_session/append_batch',
  ] as const
  const meanings: readonly (readonly [string, ErrorCode, readonly Route[]])[] = [
    ['dropbox.expired_access_token', 'token_expired', everywhere],
    ['dropbox.invalid_access_token', 'token_expired', everywhere],
    ['dropbox.user_suspended', 'connection_expired', everywhere],
    ['dropbox.missing_scope', 'connection_expired', everywhere],
    ['dropbox.too_many_requests', 'rate_limited', everywhere],
    ['dropbox.429_text', 'rate_limited', everywhere],
    ['dropbox.too_many_write_operations_429', 'busy', ['files/move_v2', 'files/create_folder_v2']],
    ['dropbox.session_not_found', 'session_lost', ['files/upload_session/append_v2']],
    ['dropbox.content_hash_mismatch', 'damaged_in_transit', appends],
    ['dropbox.data_transport_limit', 'provider_limit', appends],
    ['dropbox.cursor_reset', 'cursor_lost', ['files/list_folder/continue']],
    ['dropbox.bad_request_text', 'internal', everywhere],
    ['dropbox.5xx', 'unavailable', everywhere],
    ['net.reset_before_response', 'unavailable', everywhere],
    ['net.html_502', 'unavailable', everywhere],
    ['net.empty_503', 'unavailable', everywhere],
    ['net.408', 'unavailable', everywhere],
    ['net.retry_after_huge', 'rate_limited', everywhere],
    ['net.stall', 'unavailable', ['files/download', 'files/get_metadata']],
    ['net.reset_mid_download', 'unavailable', ['files/download']],
    ['net.short_body_clean_close', 'unavailable', ['files/download']],
  ]
  const rows = meanings.flatMap(([fault, code, routes]) =>
    routes.map((route) => [code, fault, route] as const),
  )

  it.each(rows)('%s for %s at %s', async (code, fault, route) => {
    dropbox.faults.plan({ route: `dropbox.${route}`, fault })
    await expect(calls[route]()).rejects.toEqual(
      expect.objectContaining({ name: 'WaybillError', code }),
    )
  })

  it.each([
    ['net.retry_after_huge', 86_400_000],
    ['net.retry_after_date', 60_000],
    ['dropbox.too_many_requests', 1000],
  ])('the time to wait that %s names', async (fault, retryAfterMs) => {
    for (const route of ['files/get_metadata', 'files/download'] as const) {
      dropbox.faults.plan({ route: `dropbox.${route}`, fault })
      // oxlint-disable-next-line no-await-in-loop
      await expect(calls[route]()).rejects.toEqual(expect.objectContaining({ retryAfterMs }))
    }
  })

  it.each([
    ['name', ['file 1', 'file 2'], ['1', '2']],
    ['size', ['file', 'file'], ['1', '22']],
    ['name and folder', ['a', 'A'], ['1', '2']],
  ])('internal for files of another %s than was asked for', async (_, names, texts) => {
    const folders = await destination.ensureFolders([{ parent: top, name: 'other' }])
    const parents = [top, ok(folders[0])]
    const bodies = texts.map((content) => Buffer.from(content))
    const sessions = await Promise.all(bodies.map((body) => destination.begin(body, true)))
    const act = { kind: 'rewrite', rewrite: reversed } as const
    const fault = {
      id: 'test.order',
      provider: 'dropbox',
      routes: [],
      transient: false,
      act,
    } as const
    dropbox.faults.plan({ route: 'dropbox.files/upload_session/finish_batch_v2', fault })
    const results = await destination.commit(
      bodies.map((body, nth) => {
        const place = { parent: parents[nth] ?? top, name: names[nth] ?? '' }
        return commitOf(sessions[nth] ?? '', body, place)
      }),
    )
    expect(results).toMatchObject([
      { error: { code: 'internal' } },
      { error: { code: 'internal' } },
    ])
  })

  it('unavailable for a success that is a page for people', async () => {
    const act = { kind: 'answer', status: 200, body: '<html></html>' } as const
    const fault = {
      id: 'test.page',
      provider: 'dropbox',
      routes: [],
      transient: false,
      act,
    } as const
    for (const [route, call] of Object.entries(calls).filter(
      ([name]) => name !== 'files/download',
    )) {
      dropbox.faults.plan({ route: `dropbox.${route}`, fault })
      // oxlint-disable-next-line no-await-in-loop
      await expect(call()).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }))
    }
  })
})

function reversed(json: Record<string, unknown>): unknown {
  return { ...json, entries: Array.isArray(json['entries']) ? json['entries'].toReversed() : [] }
}

describe('an error of Dropbox means', () => {
  const write = (reason: object) => ({ '.tag': 'path', path: reason })
  const conflict = (tag: string) => ({ '.tag': 'conflict', conflict: { '.tag': tag } })
  const lookup = (reason: object) => ({ '.tag': 'lookup_failed', lookup_failed: reason })

  it.each<readonly [ErrorCode, object]>([
    ['name_taken', write(conflict('file'))],
    ['name_taken', write(conflict('folder'))],
    ['name_taken', write(conflict('file_ancestor'))],
    ['name_taken', { '.tag': 'path', reason: conflict('file'), upload_session_id: 'x' }],
    ['destination_full', write({ '.tag': 'insufficient_space' })],
    ['name_refused', write({ '.tag': 'disallowed_name' })],
    ['name_refused', write({ '.tag': 'malformed_path', malformed_path: null })],
    ['destination_forbidden', write({ '.tag': 'no_write_permission' })],
    ['destination_forbidden', write({ '.tag': 'access_restricted' })],
    ['destination_forbidden', { '.tag': 'encryption_not_supported' }],
    ['busy', { '.tag': 'too_many_write_operations' }],
    ['busy', write({ '.tag': 'too_many_write_operations' })],
    ['session_lost', lookup({ '.tag': 'not_found' })],
    ['session_lost', lookup({ '.tag': 'closed' })],
    ['session_lost', lookup({ '.tag': 'not_closed' })],
    ['session_lost', lookup({ '.tag': 'incorrect_offset', correct_offset: 1 })],
    ['too_large', lookup({ '.tag': 'too_large' })],
    ['damaged_in_transit', { '.tag': 'content_hash_mismatch' }],
    ['internal', { '.tag': 'payload_too_large' }],
    ['internal', { '.tag': 'other' }],
    ['internal', {}],
  ])('%s: %j', (code, error) => {
    expect(entryError('session', error).code).toBe(code)
  })

  it('that a file cannot be read for legal reasons', () => {
    const error = write({ '.tag': 'restricted_content' })
    expect(entryError('read', error).code).toBe('download_forbidden')
  })
})
