import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { drive_v3 } from 'googleapis'
import { driveClient, getFrom, reasonOf } from './drive/client.ts'
import { startDrive } from './drive/start.ts'
import type { SimulatedDrive } from './drive/start.ts'

let drive: SimulatedDrive
let client: drive_v3.Drive
let photos: string
let empty: string
let team: string
let teamFolder: string

beforeAll(async () => {
  drive = await startDrive({ now: () => Date.parse('2026-11-20T08:00:00Z') })
  client = driveClient(drive)
  photos = drive.addFolder('photos')
  empty = drive.addFolder('empty')
  drive.addFile(photos, 'sea 10.jpg', 'a', {
    mimeType: 'image/jpeg',
    modifiedTime: Date.parse('2020-01-01T00:00:00Z'),
  })
  drive.addFile(photos, 'sea 9.jpg', 'bb', { mimeType: 'image/jpeg', starred: true })
  drive.addFile('root', "it's \\ odd", 'c')
  drive.addFile('root', 'HelloWorld.txt', 'd', { mimeType: 'text/plain' })
  drive.addFile('root', 'gone', 'e', { trashed: true })
  drive.addDocument('root', 'letter')
  drive.add({ name: 'shared', sharedWithMe: true, content: 'f' })
  drive.add({ name: 'orphan', parent: null, content: 'g', appProperties: { key1: "v'1" } })
  team = drive.addSharedDrive('team')
  teamFolder = drive.addFolder('plans', team)
  drive.addFile(teamFolder, 'plan', 'h')
})

afterAll(() => drive.close())

async function names(params: drive_v3.Params$Resource$Files$List): Promise<string[]> {
  const { data } = await client.files.list({ ...params, fields: 'files(name)' })
  return (data.files ?? []).map((file) => file.name ?? '')
}

const allDrives = { includeItemsFromAllDrives: true, supportsAllDrives: true } as const

describe('a query', () => {
  it.each([
    ["name = 'it\\'s \\\\ odd'", ["it's \\ odd"]],
    ["name='HELLOWORLD.TXT'", ['HelloWorld.txt']],
    ["name contains 'hello'", ['HelloWorld.txt']],
    ["name contains 'world'", []],
    ["name contains 'sea' and not starred = true", ['sea 10.jpg']],
    ["mimeType contains 'image/' and modifiedTime > '2021-01-01T00:00:00'", ['sea 9.jpg']],
    ["mimeType='application/vnd.google-apps.folder' and 'root' in parents", ['photos', 'empty']],
    ['trashed=true', ['gone']],
    ['sharedWithMe', ['shared']],
    ['sharedWithMe and trashed = false', ['shared']],
    ["not 'me' in owners", ['shared']],
    ["appProperties has { key='key1' and value='v\\'1' }", ['orphan']],
    ["(name = 'orphan' or (name = 'shared')) and trashed != true", ['shared', 'orphan']],
    ["modifiedTime <= '2020-01-01T00:00:00Z'", ['sea 10.jpg']],
  ])('%s finds what it says', async (q, expected) => {
    expect(await names({ q })).toEqual(expected)
  })

  it('names many parents at once', async () => {
    const q = `trashed=false and ('${photos}' in parents or '${empty}' in parents)`
    expect(await names({ q })).toEqual(['sea 10.jpg', 'sea 9.jpg'])
  })

  it.each([
    "name = 'open",
    'nonsense = 1',
    "name > 'a'",
    "'x' in pockets",
    'trashed = maybe',
    "(name = 'a'",
    "name = 'a' name = 'b'",
    "modifiedTime > 'soon'",
  ])('%s is refused', async (q) => {
    const response = await getFrom(drive, `/drive/v3/files?q=${encodeURIComponent(q)}`)
    expect([response.status, await reasonOf(response)]).toEqual([400, 'invalid'])
  })

  it('that names a parent which is not there is answered with 404', async () => {
    await expect(names({ q: "'nobody' in parents" })).rejects.toMatchObject({ status: 404 })
  })
})

describe('a page', () => {
  it('is as long as was asked for, and all pages together are the whole', async () => {
    const found: string[] = []
    let pageToken: string | undefined
    let pages = 0
    do {
      const { data } = await client.files.list({
        pageSize: 3,
        fields: 'nextPageToken,files(name)',
        ...(pageToken === undefined ? {} : { pageToken }),
      })
      found.push(...(data.files ?? []).map((file) => file.name ?? ''))
      pageToken = data.nextPageToken ?? undefined
      pages++
    } while (pageToken !== undefined)
    expect(pages).toBe(4)
    expect(found).toEqual(await names({}))
    expect(found).toHaveLength(10)
  })

  it.each([
    'pageToken=forged',
    'pageSize=0',
    'pageSize=1001',
    'orderBy=colour',
    'corpora=everything',
    'spaces=cupboard',
  ])('with %s is refused', async (query) => {
    expect((await getFrom(drive, `/drive/v3/files?${query}`)).status).toBe(400)
  })

  it('needs its token to be asked for by name, and to belong to the same question', async () => {
    const first = await client.files.list({
      pageSize: 1,
      q: 'trashed=false',
      fields: 'nextPageToken',
    })
    const pageToken = first.data.nextPageToken ?? ''
    await expect(
      client.files.list({ pageSize: 1, q: 'trashed=true', pageToken }),
    ).rejects.toMatchObject({ status: 400 })
    expect(
      (await client.files.list({ pageSize: 1, fields: 'files(id)' })).data.nextPageToken,
    ).toBeUndefined()
  })

  it('is refused after its token has expired', async () => {
    const first = await client.files.list({ pageSize: 1, fields: 'nextPageToken' })
    drive.expirePageTokens()
    const pageToken = first.data.nextPageToken ?? ''
    await expect(client.files.list({ pageSize: 1, pageToken })).rejects.toMatchObject({
      status: 400,
    })
  })

  it('can be in an order', async () => {
    const q = `'${photos}' in parents`
    expect(await names({ q, orderBy: 'name_natural' })).toEqual(['sea 9.jpg', 'sea 10.jpg'])
    expect(await names({ q, orderBy: 'name_natural desc' })).toEqual(['sea 10.jpg', 'sea 9.jpg'])
    expect(await names({ q, orderBy: 'folder,modifiedTime desc' })).toEqual([
      'sea 9.jpg',
      'sea 10.jpg',
    ])
  })
})

describe('fields', () => {
  const q = "name = 'sea 9.jpg'"

  it('are few unless asked for', async () => {
    const { data } = await client.files.list({ q })
    expect(Object.keys(data).toSorted()).toEqual(['files', 'incompleteSearch', 'kind'])
    expect(Object.keys(data.files?.[0] ?? {})).toEqual(['kind', 'id', 'name', 'mimeType'])
  })

  it('are masked, also nested ones', async () => {
    const { data } = await client.files.list({
      q,
      fields: 'files(id,capabilities/canDownload,owners(emailAddress))',
    })
    expect(data).toEqual({
      files: [
        {
          id: expect.any(String),
          capabilities: { canDownload: true },
          owners: [{ emailAddress: 'person@example.com' }],
        },
      ],
    })
  })

  it('are all there with a star', async () => {
    const { data } = await client.files.list({ q, fields: '*' })
    expect(data.files?.[0]).toMatchObject({
      parents: [photos],
      size: '2',
      md5Checksum: '21ad0bd836b90d08f4cf640b4c298e7c',
      trashed: false,
      modifiedTime: '2026-11-20T08:00:00.000Z',
      headRevisionId: expect.any(String),
    })
  })

  it.each(['files(id', 'files(id,colour)', 'file', 'files(id))', ''])(
    '%j are no fields',
    async (fields) => {
      const response = await getFrom(drive, `/drive/v3/files?fields=${encodeURIComponent(fields)}`)
      expect([response.status, await reasonOf(response)]).toEqual([400, 'invalidParameter'])
    },
  )

  it('of a document have neither bytes nor checksum', async () => {
    const { data } = await client.files.list({
      q: "name = 'letter'",
      fields: 'files(md5Checksum,headRevisionId,exportLinks)',
    })
    expect(Object.keys(data.files?.[0] ?? {})).toEqual(['exportLinks'])
  })
})

describe('shared drives', () => {
  it('are hidden from who does not know about them', async () => {
    expect(await names({ q: "name = 'plan'" })).toEqual([])
    await expect(client.files.get({ fileId: teamFolder })).rejects.toMatchObject({ status: 404 })
    expect(
      (await client.files.get({ fileId: teamFolder, supportsAllDrives: true })).data.name,
    ).toBe('plans')
  })

  it('are listed one by one, all together, or by a folder of theirs', async () => {
    expect(await names({ ...allDrives, corpora: 'drive', driveId: team })).toEqual([
      'plans',
      'plan',
    ])
    expect(await names({ ...allDrives, corpora: 'allDrives', q: "name contains 'plan'" })).toEqual([
      'plans',
      'plan',
    ])
    expect(await names({ ...allDrives, q: `'${teamFolder}' in parents` })).toEqual(['plan'])
    expect(await names({ ...allDrives, q: "name = 'plan'" })).toEqual([])
  })

  it('are refused without the flags that go with them', async () => {
    await expect(names({ corpora: 'drive', driveId: team })).rejects.toMatchObject({ status: 403 })
    await expect(names({ ...allDrives, corpora: 'drive' })).rejects.toMatchObject({ status: 400 })
    await expect(names({ includeItemsFromAllDrives: true })).rejects.toMatchObject({ status: 400 })
    await expect(names({ ...allDrives, corpora: 'drive', driveId: 'no' })).rejects.toMatchObject({
      status: 404,
    })
  })

  it('have an API of their own', async () => {
    const { data } = await client.drives.list({ pageSize: 5, fields: 'drives(id,name)' })
    expect(data).toEqual({ drives: [{ id: team, name: 'team' }] })
    expect((await client.drives.get({ driveId: team })).data).toMatchObject({
      kind: 'drive#drive',
      id: team,
    })
    await expect(client.drives.get({ driveId: 'no' })).rejects.toMatchObject({ status: 404 })
  })
})

describe('an incomplete search', () => {
  it('is said as often as was asked for', async () => {
    drive.setIncompleteSearch(1)
    expect((await client.files.list()).data.incompleteSearch).toBe(true)
    expect((await client.files.list()).data.incompleteSearch).toBe(false)
  })
})

describe('about', () => {
  it('wants to know which fields', async () => {
    const response = await getFrom(drive, '/drive/v3/about')
    expect([response.status, await reasonOf(response)]).toEqual([400, 'required'])
    const { data } = await client.about.get({
      fields: 'user(emailAddress,me),storageQuota(limit),exportFormats',
    })
    expect(data.user).toEqual({ emailAddress: 'person@example.com', me: true })
    expect(data.exportFormats?.['application/vnd.google-apps.drawing']).toContain('image/svg+xml')
  })
})
