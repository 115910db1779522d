import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Dropbox } from 'dropbox'
import { downloaded, plainClient, sdkFor } from './client.ts'
import type { PlainClient } from './client.ts'
import { startDropbox } from './start.ts'
import type { SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let client: PlainClient
let sdk: Dropbox

beforeEach(async () => {
  dropbox = await startDropbox({ limits: { asyncFolders: 3 } })
  client = plainClient(dropbox, dropbox.account.accessToken)
  sdk = sdkFor(dropbox)
})

afterEach(() => dropbox.close())

describe('folders', () => {
  it('are created with those above them', async () => {
    const { result } = await sdk.filesCreateFolderV2({ path: '/a/B/c' })
    expect(result.metadata).toMatchObject({ name: 'c', path_display: '/a/B/c' })
    expect('.tag' in result.metadata).toBe(false)
    expect(Object.keys(await dropbox.dump())).toEqual(['a', 'a/B', 'a/B/c'])
  })

  it('conflict with what is there', async () => {
    dropbox.makeFolder('/a')
    await dropbox.put('/f', 'x')
    const folder = await client.rpc('files/create_folder_v2', { path: '/A' })
    expect(folder.at('error')).toEqual({
      '.tag': 'path',
      path: { '.tag': 'conflict', conflict: { '.tag': 'folder' } },
    })
    const file = await client.rpc('files/create_folder_v2', { path: '/f' })
    expect(file.at('error_summary')).toBe('path/conflict/file/..')
    const below = await client.rpc('files/create_folder_v2', { path: '/f/g' })
    expect(below.at('error_summary')).toBe('path/conflict/file_ancestor/..')
    const renamed = await client.rpc('files/create_folder_v2', { path: '/a', autorename: true })
    expect(renamed.at('metadata', 'name')).toBe('a (2)')
  })

  it('are created in a batch, entry by entry, a repeated path once', async () => {
    dropbox.makeFolder('/b')
    const answer = await client.rpc('files/create_folder_batch', { paths: ['/a', '/b'] })
    expect(answer.at()).toMatchObject({
      '.tag': 'complete',
      entries: [
        { '.tag': 'success', metadata: { path_display: '/a' } },
        {
          '.tag': 'failure',
          failure: { '.tag': 'path', path: { '.tag': 'conflict', conflict: { '.tag': 'folder' } } },
        },
      ],
    })
    const twice = await client.rpc('files/create_folder_batch', { paths: ['/c', '/C'] })
    expect(twice.at('entries', 1)).toEqual(twice.at('entries', 0))
  })

  it.each([{ paths: ['/a', '/b', '/c'] }, { paths: ['/a'], force_async: true }])(
    'are created by a job when they are many, or when asked',
    async (argument) => {
      const launched = await sdk.filesCreateFolderBatch(argument)
      if (launched.result['.tag'] !== 'async_job_id') throw new Error('it was no job')
      const id = launched.result.async_job_id
      const poll = { async_job_id: id }
      expect((await sdk.filesCreateFolderBatchCheck(poll)).result).toEqual({
        '.tag': 'in_progress',
      })
      const { result } = await sdk.filesCreateFolderBatchCheck(poll)
      if (result['.tag'] !== 'complete') throw new Error('the job was not complete')
      expect(result.entries[0]).toMatchObject({ '.tag': 'success', metadata: { name: 'a' } })
      const unknown = await client.rpc('files/create_folder_batch/check', { async_job_id: 'x' })
      expect(unknown.at('error')).toEqual({ '.tag': 'invalid_async_job_id' })
    },
  )

  it('are at most 10,000 in a batch', async () => {
    const paths = Array.from({ length: 10_001 }, (_, at) => `/${at}`)
    expect((await client.rpc('files/create_folder_batch', { paths })).status).toBe(400)
  })
})

describe('moving', () => {
  it('keeps ids and takes along what is below', async () => {
    const { id } = await dropbox.put('/a/b/c', 'x')
    const { result } = await sdk.filesMoveV2({ from_path: '/a/b', to_path: '/n/z' })
    expect(result.metadata).toMatchObject({ '.tag': 'folder', path_display: '/n/z' })
    const moved = await sdk.filesGetMetadata({ path: id })
    expect(moved.result).toMatchObject({ id, path_display: '/n/z/c' })
  })

  it('is refused where it cannot be', async () => {
    await dropbox.put('/a/b', 'x')
    await dropbox.put('/c', 'x')
    const move = async (from: string, to: string): Promise<unknown> => {
      const answer = await client.rpc('files/move_v2', { from_path: from, to_path: to })
      return answer.at('error_summary')
    }
    expect(await move('/none', '/x')).toBe('from_lookup/not_found/..')
    expect(await move('/a', '/a/x')).toBe('cant_move_folder_into_itself/..')
    expect(await move('/a/b', '/c')).toBe('to/conflict/file/..')
    expect(await move('/a/b', '/x ')).toBe('to/malformed_path/..')
  })
})

describe('deleting', () => {
  it('takes everything below along and answers with what there was', async () => {
    await dropbox.put('/a/b/c', 'x')
    const { result } = await sdk.filesDeleteV2({ path: '/a' })
    expect(result.metadata).toMatchObject({ '.tag': 'folder', path_display: '/a' })
    expect(await dropbox.dump()).toEqual({})
    const again = await client.rpc('files/delete_v2', { path: '/a' })
    expect(again.at('error')).toEqual({
      '.tag': 'path_lookup',
      path_lookup: { '.tag': 'not_found' },
    })
  })

  it('can be bound to a rev', async () => {
    const { rev } = await dropbox.put('/a', 'x')
    const { rev: second } = await dropbox.put('/a', 'y')
    const stale = await client.rpc('files/delete_v2', { path: '/a', parent_rev: rev })
    expect(stale.at('error_summary')).toBe('path_write/conflict/file/..')
    const right = await client.rpc('files/delete_v2', { path: '/a', parent_rev: second })
    expect(right.status).toBe(200)
  })
})

describe('metadata', () => {
  it('is found by path, id and rev', async () => {
    const put = await dropbox.put('/Ab', 'x')
    for (const path of ['/aB', put.id, `rev:${put.rev}`])
      expect((await sdk.filesGetMetadata({ path })).result).toEqual({ '.tag': 'file', ...put })
  })

  it('of the root is not supported, and of nothing is not found', async () => {
    const root = await client.rpc('files/get_metadata', { path: '' })
    expect(root.status).toBe(400)
    expect(root.text).toContain('The root folder is unsupported.')
    const none = await client.rpc('files/get_metadata', { path: '/a' })
    expect(none.at()).toEqual({
      error_summary: 'path/not_found/..',
      error: { '.tag': 'path', path: { '.tag': 'not_found' } },
    })
  })

  it('remembers what was deleted', async () => {
    await dropbox.put('/a', 'x')
    dropbox.remove('/a')
    const { result } = await sdk.filesGetMetadata({ path: '/a', include_deleted: true })
    expect(result).toEqual({ '.tag': 'deleted', name: 'a', path_lower: '/a', path_display: '/a' })
  })

  it('has the revisions of a path, newest first', async () => {
    const one = await dropbox.put('/a', '1')
    const two = await dropbox.put('/a', '2')
    const { result } = await sdk.filesListRevisions({ path: '/a' })
    expect(result).toEqual({ is_deleted: false, entries: [two, one], has_more: false })
    const old = await sdk.filesDownload({ path: `rev:${one.rev}` })
    expect(String(downloaded(old.result))).toBe('1')
    dropbox.remove('/a')
    expect((await sdk.filesListRevisions({ path: '/a' })).result.is_deleted).toBe(true)
  })
})
