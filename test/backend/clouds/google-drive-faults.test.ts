import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { buffer } from 'node:stream/consumers'
import type { Source } from '../../../backend/clouds/cloud.ts'
import { createDriveSource } from '../../../backend/clouds/google-drive/source.ts'
import { hasCode } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import type { Item } from '../../../shared/item.ts'
import { startDrive } from '../../clouds/drive/start.ts'
import type { SimulatedDrive } from '../../clouds/drive/start.ts'

const now = Date.parse('2026-10-21T07:27:00Z')

describe('Google Drive fails with', () => {
  let drive: SimulatedDrive
  let source: Source
  let file: Item
  let document: Item

  beforeEach(async () => {
    drive = await startDrive()
    source = createDriveSource({
      token: { get: () => Promise.resolve(drive.account.accessToken), reject: () => {} },
      rootUrl: `${drive.url}/`,
      idleMs: 200,
      now: () => now,
    })
    const [first, second] = await Promise.all([
      source.get(drive.addFile('root', 'file', Buffer.alloc(300_000, 7))),
      source.get(drive.addDocument('root', 'document')),
    ])
    if (first === null || second === null) throw new Error('both items should be there')
    file = first
    document = second
  })
  afterEach(() => drive.close())

  const listing = { kind: 'corpus', corpus: 'my-drive' } as const
  const calls = {
    'drive.files.get': () => source.get(file.id),
    'drive.files.list': () => source.list(listing, null),
    'drive.changes.list': () => source.changes('my-drive', '1'),
    'drive.changes.getStartPageToken': () => source.changesToken('my-drive'),
    'drive.drives.list': () => source.sharedDrives(),
    'drive.files.download': () => read(file),
  } as const
  type Route = keyof typeof calls

  async function read(item: Item): Promise<number> {
    const [form] = item.exports
    const at = form === undefined ? { from: 0 } : { from: 0, form }
    return (await buffer((await source.open(item, at)).stream)).length
  }

  const everywhere = Object.keys(calls).filter((route): route is Route => route in calls)
  const meanings: readonly (readonly [string, ErrorCode, readonly Route[]])[] = [
    ['goauth.expired', 'token_expired', everywhere],
    ['goauth.scope_insufficient', 'connection_expired', everywhere],
    ['drive.userRateLimitExceeded', 'rate_limited', everywhere],
    ['drive.rateLimitExceeded403', 'rate_limited', everywhere],
    ['drive.rateLimitExceeded429', 'rate_limited', everywhere],
    ['drive.dailyLimitExceeded', 'provider_limit', everywhere],
    ['drive.domainPolicy', 'forbidden', everywhere],
    ['drive.backendError', 'unavailable', everywhere],
    ['drive.internal503', 'unavailable', everywhere],
    ['drive.downloadQuotaExceeded', 'download_quota', ['drive.files.download']],
    ['drive.notFound', 'gone', ['drive.files.download']],
    ['drive.appNotAuthorizedToFile', 'item_forbidden', ['drive.files.download']],
    ['drive.cannotDownloadFile', 'download_forbidden', ['drive.files.download']],
    ['drive.abusive', 'flagged_as_abusive', ['drive.files.download']],
    ['drive.fileNotDownloadable', 'not_exportable', ['drive.files.download']],
    ['drive.td_membership', 'source_missing', ['drive.files.list']],
    ['drive.bad_page_token', 'cursor_lost', ['drive.changes.list']],
    ['net.reset_before_response', 'unavailable', everywhere],
    ['net.html_502', 'unavailable', everywhere],
    ['net.empty_503', 'unavailable', everywhere],
    ['net.408', 'unavailable', everywhere],
    ['net.retry_after_huge', 'rate_limited', everywhere],
    ['net.stall', 'unavailable', ['drive.files.download', 'drive.files.list']],
    ['net.reset_mid_download', 'unavailable', ['drive.files.download']],
    ['net.short_body_clean_close', 'unavailable', ['drive.files.download']],
  ]
  const rows = meanings.flatMap(([fault, code, routes]) =>
    routes.map((route) => [code, fault, route] as const),
  )

  it.each(rows)('%s for %s at %s', async (code, fault, route) => {
    drive.faults.plan({ route, fault })
    await expect(calls[route]()).rejects.toEqual(
      expect.objectContaining({ name: 'WaybillError', code }),
    )
  })

  it.each([
    ['net.retry_after_huge', 86_400_000],
    ['net.retry_after_date', 60_000],
  ])('the time to wait that %s names', async (fault, retryAfterMs) => {
    for (const route of ['drive.files.list', 'drive.files.download'] as const) {
      drive.faults.plan({ route, fault })
      // oxlint-disable-next-line no-await-in-loop
      await expect(calls[route]()).rejects.toEqual(expect.objectContaining({ retryAfterMs }))
    }
  })

  it('listing_restarted for a page that leads back to itself', async () => {
    for (let at = 0; at < 1001; at++) drive.addFile('root', `file ${at}`, '1')
    const { cursor } = await source.list(listing, null)
    drive.faults.plan({ route: 'drive.files.list', fault: 'net.page_token_loop' })
    await expect(source.list(listing, cursor)).rejects.toEqual(
      expect.objectContaining({ code: 'listing_restarted' }),
    )
    drive.faults.plan({ route: 'drive.changes.list', fault: 'net.page_token_loop' })
    await expect(source.changes('my-drive', '1')).rejects.toEqual(
      expect.objectContaining({ code: 'cursor_lost' }),
    )
  })

  it('nothing if the range is ignored, and says so', async () => {
    drive.faults.plan({ route: 'drive.files.download', fault: 'net.range_ignored' })
    const body = await source.open(file, { from: 100_000 })
    expect(body).toMatchObject({ from: 0, length: 300_000 })
    expect((await buffer(body.stream)).length).toBe(300_000)
    const again = await source.open(file, { from: 100_000 })
    expect(again).toMatchObject({ from: 100_000, length: 200_000 })
    expect((await buffer(again.stream)).length).toBe(200_000)
  })

  it('internal, and not with an empty result, for what nobody has classified', async () => {
    const body = { error: { code: 418, errors: [{ reason: 'teapot' }] } }
    const fault = {
      id: 'test.teapot',
      provider: 'google',
      routes: ['drive.*'],
      transient: false,
      act: { kind: 'answer', status: 418, body },
    } as const
    for (const [route, call] of Object.entries(calls)) {
      drive.faults.plan({ route, fault })
      // oxlint-disable-next-line no-await-in-loop
      await expect(call()).rejects.toEqual(expect.objectContaining({ code: 'internal' }))
    }
  })

  it('unavailable for a success that is a page for people', async () => {
    const act = { kind: 'answer', status: 200, headers: html, body: '<html></html>' } as const
    const fault = {
      id: 'test.page',
      provider: 'google',
      routes: [],
      transient: false,
      act,
    } as const
    for (const route of ['drive.files.list', 'drive.exportLink']) {
      drive.faults.plan({ route, fault })
      const call = route === 'drive.exportLink' ? read(document) : calls['drive.files.list']()
      // oxlint-disable-next-line no-await-in-loop
      await expect(call).rejects.toEqual(expect.objectContaining({ code: 'unavailable' }))
    }
  })

  it('no word of what Google sent', async () => {
    drive.faults.plan({ route: 'drive.files.download', fault: 'drive.cannotDownloadFile' })
    const error = await read(file).catch((thrown: unknown) => thrown)
    expect(hasCode(error, 'download_forbidden')).toBe(true)
    expect(JSON.stringify(error)).not.toContain('cannotDownloadFile')
    expect(String(error)).not.toContain('by the user')
  })

  describe('exports that', () => {
    it('fall back to files.export where the link leads nowhere', async () => {
      drive.faults.plan({ route: 'drive.exportLink', fault: 'drive.badExportMime' })
      expect(await read(document)).toBeGreaterThan(0)
      const { byRoute } = drive.calls.snapshot()
      expect(byRoute['drive.files.export']?.calls).toBe(1)
    })

    it.each([
      ['drive.exportSizeLimitExceeded', 'export_too_large'],
      ['drive.badExportMime', 'not_exportable'],
    ])('meet %s: %s', async (fault, code) => {
      drive.faults.plan({ route: 'drive.exportLink', fault: 'drive.badExportMime' })
      drive.faults.plan({ route: 'drive.files.export', fault })
      await expect(read(document)).rejects.toEqual(expect.objectContaining({ code }))
    })

    it('are larger than files.export allows come by their link', async () => {
      const id = drive.addDocument('root', 'large', 11 * 1024 * 1024)
      const large = await source.get(id)
      expect(large === null ? 0 : await read(large)).toBeGreaterThan(10 * 1024 * 1024)
    })
  })
})

const html = { 'content-type': 'text/html' }
