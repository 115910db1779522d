import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Dropbox, files } from 'dropbox'
import { plainClient, sdkFor } from './client.ts'
import { startDropbox } from './start.ts'
import type { SimulatedDropbox } from './start.ts'

let dropbox: SimulatedDropbox
let sdk: Dropbox

beforeEach(async () => {
  dropbox = await startDropbox()
  sdk = sdkFor(dropbox)
})

afterEach(() => dropbox.close())

interface Listed {
  readonly rows: readonly string[]
  readonly cursor: string
  readonly pages: number
}

async function follow(first: files.ListFolderResult): Promise<Listed> {
  const rows: string[] = []
  let pages = 0
  for (
    let page = first;
    ;
    page = (await sdk.filesListFolderContinue({ cursor: page.cursor })).result
  ) {
    pages++
    rows.push(...page.entries.map((entry) => `${entry['.tag']} ${entry.path_display}`))
    if (!page.has_more) return { rows, cursor: page.cursor, pages }
  }
}

async function list(argument: files.ListFolderArg): Promise<Listed> {
  return follow((await sdk.filesListFolder(argument)).result)
}

async function changes(cursor: string): Promise<Listed> {
  return follow((await sdk.filesListFolderContinue({ cursor })).result)
}

describe('listing a folder', () => {
  it('shows its files and folders with full metadata', async () => {
    const put = await dropbox.put('/A/One.txt', 'one', '2020-01-02T03:04:05Z')
    dropbox.makeFolder('/A/Two')
    const { result } = await sdk.filesListFolder({ path: '/a' })
    expect(result.entries[0]).toEqual({ '.tag': 'file', ...put })
    expect(result.entries[1]).toMatchObject({ '.tag': 'folder', name: 'Two', path_lower: '/a/two' })
    expect(result.has_more).toBe(false)
  })

  it('gives pages of the size that was asked for', async () => {
    for (let at = 0; at < 7; at++) await dropbox.put(`/f/${at}`, 'x')
    const flat = await list({ path: '/f', limit: 3 })
    expect(flat.pages).toBe(3)
    expect(flat.rows).toHaveLength(7)
    const deep = await list({ path: '', recursive: true, limit: 3 })
    expect(deep.pages).toBe(3)
    expect(deep.rows).toEqual(['folder /f', ...flat.rows])
  })

  it('lists a folder itself when it goes into its depth, folders before what is in them', async () => {
    await dropbox.put('/a/b/c.txt', 'x')
    await dropbox.put('/other.txt', 'x')
    const deep = await list({ path: '/a', recursive: true })
    expect(deep.rows).toEqual(['folder /a', 'folder /a/b', 'file /a/b/c.txt'])
  })

  it('knows folders by id too', async () => {
    await dropbox.put('/a/b.txt', 'x')
    const { id } = dropbox.makeFolder('/c')
    dropbox.move('/a/b.txt', '/c/b.txt')
    expect((await list({ path: id })).rows).toEqual(['file /c/b.txt'])
  })

  it('never misses or repeats what changes between two pages', async () => {
    for (let at = 0; at < 6; at++) await dropbox.put(`/f/${at}`, 'x')
    for (const argument of [
      { path: '/f', limit: 2 },
      { path: '', recursive: true, limit: 2 },
    ]) {
      const first = (await sdk.filesListFolder(argument)).result
      await dropbox.put('/f/0', `${argument.path} changed`)
      await dropbox.put('/f/5', `${argument.path} changed`)
      const rest = await follow(first)
      const later = await changes(rest.cursor)
      const seen = new Set([...rest.rows, ...later.rows])
      for (let at = 0; at < 6; at++) expect(seen).toContain(`file /f/${at}`)
      expect(later.rows).toEqual(['file /f/0', 'file /f/5'])
    }
  })

  it('shows what was deleted only when asked', async () => {
    await dropbox.put('/f/a', 'x')
    await dropbox.put('/f/b', 'x')
    dropbox.remove('/f/a')
    expect((await list({ path: '/f' })).rows).toEqual(['file /f/b'])
    const all = await list({ path: '/f', include_deleted: true })
    expect(all.rows).toEqual(['file /f/b', 'deleted /f/a'])
  })

  it('shows nothing of what went away with a folder above it', async () => {
    await dropbox.put('/a/b/c', 'x')
    await dropbox.put('/d/e', 'x')
    dropbox.remove('/a')
    dropbox.move('/d', '/f')
    const deep = await list({ path: '', recursive: true })
    expect(deep.rows).toEqual(['folder /f', 'file /f/e'])
  })

  it('refuses a path that is no folder', async () => {
    const client = plainClient(dropbox, dropbox.account.accessToken)
    await dropbox.put('/a', 'x')
    const file = await client.rpc('files/list_folder', { path: '/a' })
    expect(file.at('error')).toEqual({ '.tag': 'path', path: { '.tag': 'not_folder' } })
    const none = await client.rpc('files/list_folder', { path: '/none' })
    expect(none.at('error_summary')).toBe('path/not_found/..')
    const slash = await client.rpc('files/list_folder', { path: '/' })
    expect(slash.status).toBe(400)
    expect(slash.text).toContain('Specify the root folder as an empty string')
    const limit = await client.rpc('files/list_folder', { path: '', limit: 2001 })
    expect(limit.status).toBe(400)
  })
})

describe('a cursor', () => {
  it('tells what changed since', async () => {
    await dropbox.put('/a/one', '1')
    await dropbox.put('/a/two', '2')
    const { cursor } = await list({ path: '', recursive: true })
    expect((await changes(cursor)).rows).toEqual([])
    await dropbox.put('/a/one', '1 again')
    await dropbox.put('/a/b/three', '3')
    dropbox.remove('/a/two')
    const later = await changes(cursor)
    expect(later.rows).toEqual(['file /a/one', 'folder /a/b', 'file /a/b/three', 'deleted /a/two'])
    expect((await changes(later.cursor)).rows).toEqual([])
  })

  it('tells a move as a deletion and what is new', async () => {
    await dropbox.put('/a/b/c', 'x')
    const { cursor } = await list({ path: '', recursive: true })
    dropbox.move('/a/b', '/z')
    expect((await changes(cursor)).rows).toEqual(['deleted /a/b', 'folder /z', 'file /z/c'])
  })

  it('tells that a folder went away even when a new one has its name', async () => {
    await dropbox.put('/a/old', 'x')
    const { cursor } = await list({ path: '', recursive: true })
    dropbox.remove('/a')
    await dropbox.put('/a/new', 'x')
    expect((await changes(cursor)).rows).toEqual(['deleted /a', 'folder /a', 'file /a/new'])
  })

  it('of one folder tells nothing of others', async () => {
    await dropbox.put('/a/one', '1')
    const { cursor } = await list({ path: '/a' })
    await dropbox.put('/a/deep/two', '2')
    await dropbox.put('/b', '3')
    expect((await changes(cursor)).rows).toEqual(['folder /a/deep'])
  })

  it('of now starts without any entries', async () => {
    await dropbox.put('/a/one', '1')
    const { result } = await sdk.filesListFolderGetLatestCursor({ path: '', recursive: true })
    await dropbox.put('/a/two', '2')
    expect((await changes(result.cursor)).rows).toEqual(['file /a/two'])
  })

  it('is refused once the service has forgotten it, when its folder is gone, or when it is nonsense', async () => {
    const client = plainClient(dropbox, dropbox.account.accessToken)
    await dropbox.put('/a/one', '1')
    const { cursor } = await list({ path: '/a' })
    dropbox.remove('/a')
    const gone = await client.rpc('files/list_folder/continue', { cursor })
    expect(gone.at('error')).toEqual({ '.tag': 'path', path: { '.tag': 'not_found' } })
    dropbox.resetCursors()
    const reset = await client.rpc('files/list_folder/continue', { cursor })
    expect(reset.at()).toEqual({ error_summary: 'reset/..', error: { '.tag': 'reset' } })
    const nonsense = await client.rpc('files/list_folder/continue', { cursor: 'abc' })
    expect(nonsense.status).toBe(400)
  })
})
