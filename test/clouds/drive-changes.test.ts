import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { drive_v3 } from 'googleapis'
import { driveClient } from './drive/client.ts'
import { startDrive } from './drive/start.ts'
import type { SimulatedDrive } from './drive/start.ts'

let drive: SimulatedDrive
let client: drive_v3.Drive

beforeEach(async () => {
  drive = await startDrive({ now: () => Date.parse('2026-11-20T08:00:00Z') })
  client = driveClient(drive)
})

afterEach(() => drive.close())

async function start(
  params: drive_v3.Params$Resource$Changes$Getstartpagetoken = {},
): Promise<string> {
  return (await client.changes.getStartPageToken(params)).data.startPageToken ?? ''
}

async function changed(params: drive_v3.Params$Resource$Changes$List): Promise<[string, string][]> {
  const { data } = await client.changes.list({
    ...params,
    fields: 'changes(fileId,removed,file(trashed))',
  })
  return (data.changes ?? []).map(({ fileId, removed, file }) => [
    fileId ?? '',
    removed === true ? 'removed' : file?.trashed === true ? 'trashed' : 'there',
  ])
}

describe('the change log', () => {
  it('is empty when nothing happened, and says where to go on', async () => {
    const pageToken = await start()
    const { data } = await client.changes.list({ pageToken })
    expect(data).toEqual({ kind: 'drive#changeList', newStartPageToken: pageToken, changes: [] })
  })

  it('has each item once, with its latest change', async () => {
    const folder = drive.addFolder('folder')
    const pageToken = await start()
    const a = drive.addFile(folder, 'a', 'a')
    const b = drive.addFile(folder, 'b', 'b')
    const c = drive.addFile(folder, 'c', 'c')
    drive.update(a, { name: 'renamed' })
    drive.update(b, { trashed: true })
    drive.remove(c)
    expect(await changed({ pageToken })).toEqual([
      [a, 'there'],
      [b, 'trashed'],
      [c, 'removed'],
    ])
    expect(await changed({ pageToken, includeRemoved: false })).toHaveLength(2)
  })

  it('has only the folder when a folder moves or goes to the trash', async () => {
    const folder = drive.addFolder('folder')
    const other = drive.addFolder('other')
    const file = drive.addFile(folder, 'a', 'a')
    const pageToken = await start()
    drive.update(folder, { parent: other })
    expect(await changed({ pageToken })).toEqual([[folder, 'there']])
    drive.update(other, { trashed: true })
    expect((await changed({ pageToken })).map(([id]) => id)).toEqual([folder, other])
    expect(
      (await client.files.get({ fileId: file, fields: 'trashed,explicitlyTrashed' })).data,
    ).toEqual({
      trashed: true,
      explicitlyTrashed: false,
    })
  })

  it('comes in pages, of which only the last says where to go on', async () => {
    let pageToken = await start()
    const added = ['a', 'b', 'c', 'd', 'e'].map((name) => drive.addFile('root', name, name))
    const found: string[] = []
    const starts: (string | null | undefined)[] = []
    for (let pages = 0; pages < 3; pages++) {
      const { data } = await client.changes.list({ pageToken, pageSize: 2 })
      found.push(...(data.changes ?? []).map(({ fileId }) => fileId ?? ''))
      starts.push(data.newStartPageToken)
      pageToken = data.nextPageToken ?? ''
    }
    expect(found).toEqual(added)
    expect(starts).toEqual([undefined, undefined, await start()])
  })

  it('of a shared drive is its own', async () => {
    const driveId = drive.addSharedDrive('team')
    const both = { driveId, supportsAllDrives: true, includeItemsFromAllDrives: true }
    const mine = await start()
    const theirs = await start({ driveId, supportsAllDrives: true })
    const there = drive.addFile(driveId, 'there', 'x')
    const here = drive.addFile('root', 'here', 'y')
    expect(await changed({ pageToken: theirs, ...both })).toEqual([[there, 'there']])
    expect(await changed({ pageToken: mine })).toEqual([[here, 'there']])
  })

  it('can be restricted to My Drive', async () => {
    const pageToken = await start()
    const here = drive.addFile('root', 'here', 'y')
    drive.add({ name: 'shared', sharedWithMe: true })
    drive.add({ name: 'orphan', parent: null })
    expect(await changed({ pageToken, restrictToMyDrive: true })).toEqual([[here, 'there']])
    expect(await changed({ pageToken })).toHaveLength(3)
  })

  it.each(['', '0', 'x', '999999'])('refuses the token %j', async (pageToken) => {
    await expect(client.changes.list({ pageToken })).rejects.toMatchObject({ status: 400 })
  })
})

describe('writes through the API', () => {
  it('create with an id made before, once', async () => {
    const [id = ''] = (await client.files.generateIds({ count: 2 })).data.ids ?? []
    const requestBody = { id, name: 'made', mimeType: 'application/vnd.google-apps.folder' }
    expect((await client.files.create({ requestBody })).data).toMatchObject({ id, name: 'made' })
    await expect(client.files.create({ requestBody })).rejects.toMatchObject({ status: 409 })
  })

  it('rename, move, trash and remove', async () => {
    const folder = drive.addFolder('folder')
    const fileId = drive.addFile('root', 'a', 'a')
    await client.files.update({
      fileId,
      addParents: folder,
      removeParents: 'root',
      requestBody: { name: 'b' },
    })
    expect(drive.idOf('folder/b')).toBe(fileId)
    await client.files.update({ fileId, requestBody: { trashed: true } })
    expect(drive.idOf('folder/b')).toBeNull()
    await client.files.delete({ fileId: folder })
    await expect(client.files.get({ fileId })).rejects.toMatchObject({ status: 404 })
  })

  it('are refused for what belongs to somebody else', async () => {
    const fileId = drive.add({ name: 'theirs', sharedWithMe: true })
    await expect(client.files.delete({ fileId })).rejects.toMatchObject({ status: 403 })
  })
})
