import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { crc32 } from 'node:zlib'
import { driveClient, getFrom, reasonOf } from './drive/client.ts'
import { startDrive } from './drive/start.ts'
import type { SimulatedDrive } from './drive/start.ts'

let drive: SimulatedDrive

beforeEach(async () => {
  drive = await startDrive()
})

afterEach(() => drive.close())

function media(
  id: string,
  headers: Readonly<Record<string, string>> = {},
  more = '',
): Promise<Response> {
  return getFrom(drive, `/drive/v3/files/${id}?alt=media${more}`, headers)
}

async function refusalOf(response: Response): Promise<[number, string | undefined]> {
  return [response.status, await reasonOf(response)]
}

async function checksum(id: string): Promise<string | null | undefined> {
  return (await driveClient(drive).files.get({ fileId: id, fields: 'md5Checksum' })).data
    .md5Checksum
}

describe('a download', () => {
  it('has all bytes, their type and their number', async () => {
    const id = drive.addFile('root', 'a.txt', 'hello world', { mimeType: 'text/plain' })
    const response = await media(id)
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(response.headers.get('content-length')).toBe('11')
    expect(await response.text()).toBe('hello world')
  })

  it('can begin in the middle', async () => {
    const id = drive.addFile('root', 'a', 'hello world')
    const response = await media(id, { range: 'bytes=6-' })
    expect([response.status, response.headers.get('content-range')]).toEqual([206, 'bytes 6-10/11'])
    expect(await response.text()).toBe('world')
  })

  it('cannot begin behind the end, nor anywhere in nothing', async () => {
    const full = drive.addFile('root', 'a', 'hello')
    const refused = await media(full, { range: 'bytes=5-' })
    expect([refused.status, refused.headers.get('content-range')]).toEqual([416, 'bytes */5'])
    const empty = drive.addFile('root', 'b', '')
    expect((await media(empty, { range: 'bytes=0-' })).status).toBe(416)
    expect(await (await media(empty)).text()).toBe('')
    expect(await checksum(empty)).toBe('d41d8cd98f00b204e9800998ecf8427e')
  })

  it('is refused for what has no bytes', async () => {
    for (const id of [
      drive.addDocument('root', 'd'),
      drive.addFolder('f'),
      drive.addShortcut('root', 's', 'x'),
    ])
      expect(await refusalOf(await media(id))).toEqual([403, 'fileNotDownloadable'])
  })

  it('is refused without the right to it', async () => {
    const id = drive.addFile('root', 'a', 'a')
    drive.setCanDownload(id, false)
    expect(await refusalOf(await media(id))).toEqual([403, 'cannotDownloadFile'])
    const { data } = await driveClient(drive).files.get({ fileId: id, fields: 'capabilities' })
    expect(data.capabilities?.canDownload).toBe(false)
  })

  it('of something abusive must be wanted', async () => {
    const id = drive.addFile('root', 'a', 'a', { abusive: true })
    expect(await refusalOf(await media(id))).toEqual([403, 'cannotDownloadAbusiveFile'])
    expect((await media(id, {}, '&acknowledgeAbuse=true')).status).toBe(200)
  })

  it('needs the resource key where there is one', async () => {
    const id = drive.addFile('root', 'a', 'a', { resourceKey: 'k1' })
    expect(await refusalOf(await media(id))).toEqual([404, 'notFound'])
    expect((await media(id, { 'x-goog-drive-resource-keys': `other/k,${id}/k1` })).status).toBe(200)
  })
})

describe('a file that changes while it is read', () => {
  it('ends as half of each version, with the checksum of neither', async () => {
    const id = drive.addFile('root', 'a', 'oldold')
    const before = await checksum(id)
    drive.changeWhileRead(id, 'newnewnew')
    expect(await (await media(id)).text()).toBe('oldnew')
    expect(await checksum(id)).not.toBe(before)
    expect(await (await media(id)).text()).toBe('newnewnew')
  })

  it('can also be served whole as it was', async () => {
    const id = drive.addFile('root', 'a', 'old')
    drive.changeWhileRead(id, 'n', 'old')
    expect([await (await media(id)).text(), await (await media(id)).text()]).toEqual(['old', 'n'])
  })

  it('is on the menu of faults', async () => {
    const id = drive.addFile('root', 'a', { pattern: 1, size: 1000 })
    const before = await checksum(id)
    drive.faults.plan({ route: 'drive.files.download', fault: 'net.source_mutates' })
    expect((await (await media(id)).arrayBuffer()).byteLength).toBe(1000)
    expect(await checksum(id)).not.toBe(before)
  })
})

describe('an export', () => {
  const pdf = 'application/pdf'
  const xlsx = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

  function exported(id: string, mimeType: string): Promise<Response> {
    return getFrom(drive, `/drive/v3/files/${id}/export?mimeType=${encodeURIComponent(mimeType)}`)
  }

  async function link(id: string, mimeType: string): Promise<Response> {
    const { data } = await driveClient(drive).files.get({ fileId: id, fields: 'exportLinks' })
    const headers = { authorization: `Bearer ${drive.account.accessToken}` }
    return fetch(data.exportLinks?.[mimeType] ?? '', { headers })
  }

  it('comes without a length and is as long as was seeded', async () => {
    const id = drive.addDocument('root', 'd', 5000)
    const response = await exported(id, pdf)
    expect(response.headers.get('content-length')).toBeNull()
    const bytes = Buffer.from(await response.arrayBuffer())
    expect([bytes.length, bytes.subarray(0, 5).toString()]).toEqual([5000, '%PDF-'])
    expect(Buffer.from(await (await link(id, pdf)).arrayBuffer()).equals(bytes)).toBe(true)
  })

  it('of Office formats is an archive with a true checksum', async () => {
    const id = drive.addDocument('root', 's', 9000, 'spreadsheet')
    const bytes = Buffer.from(await (await exported(id, xlsx)).arrayBuffer())
    expect([bytes.length, bytes.readUInt32LE(0)]).toEqual([9000, 0x04034b50])
    const start = 30 + bytes.readUInt16LE(26)
    expect(crc32(bytes.subarray(start, start + bytes.readUInt32LE(18)))).toBe(
      bytes.readUInt32LE(14),
    )
  })

  it('of more than 10 MB is only behind the link', async () => {
    const id = drive.addDocument('root', 'd', 10 * 1024 * 1024 + 1)
    expect(await refusalOf(await exported(id, pdf))).toEqual([403, 'exportSizeLimitExceeded'])
    expect((await (await link(id, pdf)).arrayBuffer()).byteLength).toBe(10 * 1024 * 1024 + 1)
  })

  it('has to be possible', async () => {
    expect(await refusalOf(await exported(drive.addDocument('root', 'd'), xlsx))).toEqual([
      400,
      'badRequest',
    ])
    expect(await refusalOf(await exported(drive.addFile('root', 'f', 'f'), pdf))).toEqual([
      403,
      'fileNotExportable',
    ])
    for (const kind of ['form', 'site', 'map'] as const) {
      const id = drive.addDocument('root', kind, 1, kind)
      expect((await exported(id, pdf)).status).toBe(400)
      const { data } = await driveClient(drive).files.get({ fileId: id, fields: 'id,exportLinks' })
      expect(data).toEqual({ id })
    }
  })

  it('wants a token also behind the link', async () => {
    const id = drive.addDocument('root', 'd')
    const url = `${drive.url}/feeds/download/documents/Export?id=${id}&exportFormat=pdf`
    expect((await fetch(url)).status).toBe(401)
  })
})
