import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { driveClient, getFrom } from './drive/client.ts'
import { startDrive } from './drive/start.ts'
import type { SimulatedDrive } from './drive/start.ts'

let drive: SimulatedDrive

beforeEach(async () => {
  drive = await startDrive()
})

afterEach(() => drive.close())

describe('a Drive seeded from a real folder', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'seed-'))
    await mkdir(join(folder, 'deep', 'er'), { recursive: true })
    await writeFile(join(folder, 'deep', 'er', 'note.md'), 'text')
    await utimes(join(folder, 'deep', 'er', 'note.md'), 0, new Date('2019-05-01T10:00:00Z'))
    await writeFile(join(folder, 'empty'), '')
    await symlink('/etc/hostname', join(folder, 'link'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('has its files, names and times, and no links', async () => {
    expect(await drive.seedFolder(folder)).toEqual({ folders: 2, files: 2, bytes: 4 })
    const dump = await drive.dump()
    expect(Object.keys(dump)).toEqual(['deep', 'deep/er', 'deep/er/note.md', 'empty'])
    expect(dump['deep/er/note.md']).toMatchObject({
      kind: 'file',
      size: 4,
      modified: '2019-05-01T10:00:00.000Z',
    })
  })

  it('reads a file when it is downloaded', async () => {
    await drive.seedFolder(folder)
    await writeFile(join(folder, 'deep', 'er', 'note.md'), 'late')
    const id = drive.idOf('deep/er/note.md') ?? ''
    expect(await (await getFrom(drive, `/drive/v3/files/${id}?alt=media`)).text()).toBe('late')
  })
})

describe('a dump', () => {
  it('tells twins apart and has a place for everything', async () => {
    drive.addFile('root', 'twin', 'a')
    drive.addFile('root', 'twin', 'b')
    drive.addFolder('twin')
    drive.addFile('root', 'gone', 'c', { trashed: true })
    drive.addFile(drive.addSharedDrive('team'), 'plan', 'd')
    drive.add({ name: 'theirs', sharedWithMe: true })
    drive.add({ name: 'lost', parent: null })
    const kinds = Object.entries(await drive.dump()).map(([path, { kind }]) => `${path}: ${kind}`)
    expect(kinds).toEqual([
      'twin: file',
      'twin #2: file',
      'twin #3: folder',
      'Shared drives/team/plan: file',
      'Shared with me/theirs: file',
      'Orphans/lost: file',
    ])
  })
})

describe('a large Drive', () => {
  it('of 100,000 items is listed flat in a hundred calls, nothing twice', async () => {
    const { files, folders } = drive.addTree({
      folders: 1000,
      filesPerFolder: 99,
      fileSize: 10,
      depth: 10,
    })
    const client = driveClient(drive)
    const found = new Set<string>()
    let pageToken: string | undefined
    do {
      const { data } = await client.files.list({
        pageSize: 1000,
        q: 'trashed=false',
        fields: 'nextPageToken,files(id)',
        ...(pageToken === undefined ? {} : { pageToken }),
      })
      for (const { id } of data.files ?? []) found.add(id ?? '')
      pageToken = data.nextPageToken ?? undefined
    } while (pageToken !== undefined)
    expect(found.size).toBe(files.length + folders.length)
    expect(drive.calls.snapshot()).toMatchObject({ calls: 100, units: 10_000 })
  })
})
