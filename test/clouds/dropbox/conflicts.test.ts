import { afterEach, describe, expect, it } from '@jest/globals'
import { plainClient } from './client.ts'
import type { PlainAnswer, PlainClient } from './client.ts'
import { startDropbox } from './start.ts'
import type { DropboxOptions, SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let client: PlainClient

async function begin(options: DropboxOptions = {}): Promise<void> {
  dropbox = await startDropbox(options)
  client = plainClient(dropbox, dropbox.account.accessToken)
}

function upload(path: string, body: string, more: object = {}): Promise<PlainAnswer> {
  return client.upload('files/upload', { path, ...more }, body)
}

afterEach(() => dropbox.close())

describe('saving a file', () => {
  it('makes the folders above it and keeps the case of the first writer', async () => {
    await begin()
    await upload('/Photos/Summer/One.jpg', 'one')
    const again = await upload('/PHOTOS/summer/two.jpg', 'two')
    expect(again.at('path_display')).toBe('/Photos/Summer/two.jpg')
    expect(again.at('path_lower')).toBe('/photos/summer/two.jpg')
    expect(Object.keys(await dropbox.dump())).toEqual([
      'Photos',
      'Photos/Summer',
      'Photos/Summer/One.jpg',
      'Photos/Summer/two.jpg',
    ])
  })

  it('treats the composed and the decomposed form of a name as the same', async () => {
    await begin()
    // A header is ASCII: what is above goes as an escape, as the SDK does it.
    const header = { 'dropbox-api-arg': '{"path":"/cafe\\u0301.txt"}' }
    const composed = { 'dropbox-api-arg': '{"path":"/CAF\\u00c9.txt"}' }
    const first = await client.upload('files/upload', null, 'x', header)
    const second = await client.upload('files/upload', null, 'x', composed)
    expect(first.at('name')).toBe('caf\u00e9.txt')
    expect(second.at()).toEqual(first.at())
  })

  it('writes nothing when the same content is already there', async () => {
    await begin()
    const first = await upload('/a.txt', 'same', { client_modified: '2020-01-02T03:04:05Z' })
    for (const mode of ['add', 'overwrite', { '.tag': 'update', update: first.at('rev') }]) {
      const again = await upload('/A.TXT', 'same', {
        mode,
        client_modified: '2024-01-02T03:04:05Z',
      })
      expect(again.at()).toEqual(first.at())
    }
  })

  it('calls the same content a conflict when asked to be strict', async () => {
    await begin()
    await upload('/a.txt', 'same')
    const again = await upload('/a.txt', 'same', { strict_conflict: true })
    expect(again.status).toBe(409)
    expect(again.at('error', 'reason')).toEqual({
      '.tag': 'conflict',
      conflict: { '.tag': 'file' },
    })
  })

  it('refuses another content with mode add, and keeps what was uploaded', async () => {
    await begin()
    await upload('/a.txt', 'one')
    const refused = await upload('/a.txt', 'two')
    expect(refused.status).toBe(409)
    expect(refused.at('error_summary')).toBe('path/conflict/file/..')
    expect(refused.at('error', '.tag')).toBe('path')
    const cursor = { session_id: refused.at('error', 'upload_session_id'), offset: 3 }
    const saved = await client.upload('files/upload_session/finish', {
      cursor,
      commit: { path: '/b.txt' },
    })
    expect(saved.at()).toMatchObject({ path_display: '/b.txt', size: 3 })
  })

  it('renames on a conflict when it may', async () => {
    await begin()
    await upload('/a.b.txt', 'one')
    await upload('/none', 'one')
    const renamed = async (path: string, more: object = {}): Promise<unknown> =>
      (await upload(path, `other ${Math.random()}`, { autorename: true, ...more })).at('name')
    expect(await renamed('/a.b.txt')).toBe('a.b (2).txt')
    expect(await renamed('/a.b.txt')).toBe('a.b (3).txt')
    expect(await renamed('/none')).toBe('none (2)')
    const mode = { '.tag': 'update', update: '0123456789ab' }
    expect(await renamed('/a.b.txt', { mode })).toBe('a.b (conflicted copy).txt')
  })

  it('overwrites with a new rev and the same id', async () => {
    await begin()
    const first = await upload('/a.txt', 'one')
    const second = await upload('/a.txt', 'two', { mode: { '.tag': 'overwrite' } })
    expect(second.at('id')).toBe(first.at('id'))
    expect(second.at('rev')).not.toBe(first.at('rev'))
  })

  it('updates only the rev that is there', async () => {
    await begin()
    const first = await upload('/a.txt', 'one')
    const mode = { '.tag': 'update', update: first.at('rev') }
    expect((await upload('/a.txt', 'two', { mode })).status).toBe(200)
    const stale = await upload('/a.txt', 'three', { mode })
    expect(stale.at('error', 'reason', 'conflict', '.tag')).toBe('file')
    expect((await upload('/gone.txt', 'x', { mode })).status).toBe(200)
    const strict = await upload('/gone2.txt', 'x', { mode, strict_conflict: true })
    expect(strict.at('error', 'reason', 'conflict', '.tag')).toBe('file')
  })

  it.each(['add', 'overwrite'])('never replaces a folder with mode %s', async (mode) => {
    await begin()
    dropbox.makeFolder('/a')
    const refused = await upload('/a', 'one', { mode })
    expect(refused.at('error', 'reason', 'conflict', '.tag')).toBe('folder')
  })

  it('refuses a path below a file', async () => {
    await begin()
    await upload('/a', 'one')
    const refused = await upload('/a/b/c', 'two')
    expect(refused.at('error_summary')).toBe('path/conflict/file_ancestor/..')
  })

  it('refuses when the space is used up, and counts a replaced file only once', async () => {
    await begin({ space: 10 })
    await upload('/a', '12345678')
    const refused = await upload('/b', '123')
    expect(refused.at('error', 'reason')).toEqual({ '.tag': 'insufficient_space' })
    expect((await upload('/a', '1234567890', { mode: 'overwrite' })).status).toBe(200)
    dropbox.setSpace(20)
    expect((await upload('/b', '123')).status).toBe(200)
    const usage = await client.rpc('users/get_space_usage')
    expect(usage.at()).toEqual({
      used: 13,
      allocation: { '.tag': 'individual', allocated: 20 },
    })
  })

  it('refuses writes at and below a folder that is read-only', async () => {
    await begin()
    dropbox.makeFolder('/view')
    await dropbox.put('/view/a/b', 'x')
    dropbox.setReadOnly('/view')
    const refused = await upload('/view/a/c', 'y')
    expect(refused.at('error', 'reason')).toEqual({ '.tag': 'no_write_permission' })
    const folder = await client.rpc('files/create_folder_v2', { path: '/view/new' })
    expect(folder.at('error', 'path', '.tag')).toBe('no_write_permission')
    const removed = await client.rpc('files/delete_v2', { path: '/view/a/b' })
    expect(removed.at('error', 'path_write', '.tag')).toBe('no_write_permission')
    const moved = await client.rpc('files/move_v2', { from_path: '/view/a/b', to_path: '/b' })
    expect(moved.at('error', 'from_write', '.tag')).toBe('no_write_permission')
  })

  it.each(['/a\\b', '/a ', '/a.', '/.', '/a/../b', '/a//b', '/a/', `/${'x'.repeat(256)}`])(
    'calls %j malformed',
    async (path) => {
      await begin()
      const refused = await upload(path, 'x')
      expect(refused.status).toBe(409)
      expect(refused.at('error', 'reason', '.tag')).toBe('malformed_path')
    },
  )

  it.each(['desktop.ini', 'Thumbs.db', '.DS_Store', 'icon\r', '.dropbox', '.dropbox.attr'])(
    'disallows the name %j',
    async (name) => {
      await begin()
      const refused = await upload(`/folder/${name}`, 'x')
      expect(refused.at('error_summary')).toBe('path/disallowed_name/..')
    },
  )

  it('stores a name of 255 characters', async () => {
    await begin()
    expect((await upload(`/${'x'.repeat(255)}`, 'x')).status).toBe(200)
  })

  it('keeps the modification time in whole seconds and refuses any other form', async () => {
    await begin({ now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) })
    const given = await upload('/a', 'a', { client_modified: '2001-02-03T04:05:06Z' })
    expect(given.at()).toMatchObject({
      client_modified: '2001-02-03T04:05:06Z',
      server_modified: '2026-01-02T03:04:05Z',
    })
    expect((await upload('/b', 'b')).at('client_modified')).toBe('2026-01-02T03:04:05Z')
    const fractions = await upload('/c', 'c', { client_modified: '2001-02-03T04:05:06.789Z' })
    expect(fractions.status).toBe(400)
  })

  it('lets in only one write of a namespace at a time', async () => {
    await begin({ limits: { writeMs: 200 } })
    const other = dropbox.addAccount('dbid:other', 'other@dropbox.example')
    const elsewhere = plainClient(dropbox, other.accessToken)
    const [one, two, three] = await Promise.all([
      upload('/a', 'a'),
      upload('/b', 'b'),
      elsewhere.upload('files/upload', { path: '/c' }, 'c'),
    ])
    expect(new Set([one.status, two.status])).toEqual(new Set([200, 429]))
    const refused = one.status === 429 ? one : two
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.at('error')).toEqual({
      reason: { '.tag': 'too_many_write_operations' },
      retry_after: 1,
    })
    expect(three.status).toBe(200)
  })
})
