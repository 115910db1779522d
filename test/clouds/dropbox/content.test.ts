import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, describe, expect, it } from '@jest/globals'
import { patternContent } from '../content.ts'
import { downloaded, plainClient, sdkFor } from './client.ts'
import { blockSize, contentHashOf, createContentHasher, joinDigests } from './content-hash.ts'
import { startDropbox } from './start.ts'
import type { SimulatedDropbox } from './start.ts'

const vectorsFile = new URL('../../../../shared/vectors/hash-vectors.json', import.meta.url)
const present = existsSync(vectorsFile)

let dropbox: SimulatedDropbox | undefined

async function begin(...[options]: Parameters<typeof startDropbox>): Promise<SimulatedDropbox> {
  dropbox = await startDropbox(options)
  return dropbox
}

afterEach(async () => {
  await dropbox?.close()
  dropbox = undefined
})

function get(
  cloud: SimulatedDropbox,
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${cloud.url}/2/files/download`, {
    redirect: 'error',
    headers: {
      authorization: `Bearer ${cloud.account.accessToken}`,
      'dropbox-api-arg': JSON.stringify({ path }),
      ...headers,
    },
  })
}

describe('the content hash', () => {
  ;(present ? it : it.skip)('has the published values (needs the materials folder)', () => {
    interface Vector {
      readonly length: number
      readonly dropbox_content_hash: string
    }
    const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(vectorsFile, 'utf8'))
    const own = vectors.map(({ length }) => {
      const bytes = Buffer.alloc(length)
      for (let at = 0; at < length; at++) bytes[at] = at * 31 + (at >> 8) * 7 + 13
      return contentHashOf(bytes)
    })
    // oxlint-disable-next-line jest/no-standalone-expect -- it does not see the test in the choice above
    expect(own).toEqual(vectors.map((vector) => vector.dropbox_content_hash))
  })

  it('does not depend on how the bytes arrive, and can go back', () => {
    const bytes = randomBytes(2 * blockSize + 1000)
    const hasher = createContentHasher()
    hasher.update(bytes.subarray(0, 100))
    const mark = hasher.mark()
    hasher.update(randomBytes(blockSize))
    hasher.rewind(mark)
    for (let at = 100; at < bytes.length; at += 65_536)
      hasher.update(bytes.subarray(at, at + 65_536))
    expect(joinDigests(hasher.digests())).toBe(contentHashOf(bytes))
  })
})

describe('content', () => {
  it('comes back as it was sent, from memory and from disk', async () => {
    const cloud = await begin({ inMemory: 100_000 })
    const sdk = sdkFor(cloud)
    for (const size of [0, 1, 99_999, 100_001, 3_000_000]) {
      const contents = randomBytes(size)
      const put = await sdk.filesUpload({ path: `/${size}`, contents })
      expect(put.result.content_hash).toBe(contentHashOf(contents))
      const got = await sdk.filesDownload({ path: put.result.id })
      expect(contentHashOf(downloaded(got.result))).toBe(contentHashOf(contents))
    }
  })

  it('is read by range', async () => {
    const cloud = await begin({ inMemory: 10 })
    const put = await cloud.put('/a', '0123456789')
    await plainClient(cloud, cloud.account.accessToken).upload(
      'files/upload',
      { path: '/b' },
      '0123456789abc',
    )
    const middle = await get(cloud, '/b', { range: 'bytes=8-10' })
    expect(middle.status).toBe(206)
    expect(middle.headers.get('content-range')).toBe('bytes 8-10/13')
    expect(await middle.text()).toBe('89a')
    const tail = await get(cloud, '/a', { range: 'bytes=7-' })
    expect(await tail.text()).toBe('789')
    expect((await get(cloud, '/a', { range: 'bytes=10-' })).status).toBe(416)
    const whole = await get(cloud, `rev:${put.rev}`)
    expect(whole.status).toBe(200)
    expect(JSON.parse(whole.headers.get('dropbox-api-result') ?? '')).toEqual(put)
  })

  it('has its metadata in an ASCII header', async () => {
    const cloud = await begin()
    await cloud.put('/h\u00e9\u{1f600}.txt', 'x')
    const response = await get(cloud, '/h\u00e9\u{1f600}.txt').catch(() => null)
    expect(response).toBeNull()
    const sdk = sdkFor(cloud)
    const { headers, result } = await sdk.filesDownload({ path: '/h\u00e9\u{1f600}.txt' })
    expect(result.name).toBe('h\u00e9\u{1f600}.txt')
    expect(headers.get('dropbox-api-result')).toMatch(/h\\u00e9\\ud83d\\ude00/)
  })

  it('is not there for folders and for nothing', async () => {
    const cloud = await begin()
    cloud.makeFolder('/a')
    const folder = await get(cloud, '/a')
    expect(folder.status).toBe(409)
    expect(JSON.parse(await folder.text())).toMatchObject({
      error: { '.tag': 'path', path: { '.tag': 'not_file' } },
    })
    expect((await get(cloud, '/none')).status).toBe(409)
  })

  it('is refused by files/upload when it was damaged', async () => {
    const cloud = await begin()
    const refused = sdkFor(cloud).filesUpload({
      path: '/a',
      contents: Buffer.from('x'),
      content_hash: contentHashOf(Buffer.from('y')),
    })
    await expect(refused).rejects.toMatchObject({
      status: 409,
      error: { error: { '.tag': 'content_hash_mismatch' } },
    })
    expect(await cloud.dump()).toEqual({})
  })

  it('leaves no file behind when the cloud is closed', async () => {
    const spools = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith('waybill-dropbox-'))
    const before = new Set(spools())
    const cloud = await begin({ inMemory: 10 })
    await sdkFor(cloud).filesUpload({ path: '/a', contents: randomBytes(1000) })
    const made = spools().filter((name) => !before.has(name))
    expect(made.length).toBeGreaterThan(0)
    await cloud.close()
    dropbox = undefined
    expect(made.some((name) => spools().includes(name))).toBe(false)
  })

  it('can be dropped once it is hashed', async () => {
    const cloud = await begin({ keepContent: false })
    const contents = randomBytes(5000)
    const put = await sdkFor(cloud).filesUpload({ path: '/a', contents })
    expect(put.result).toMatchObject({ size: 5000, content_hash: contentHashOf(contents) })
    expect(await cloud.dump()).toMatchObject({ a: { size: 5000, sha256: null } })
  })

  it('is dumped so that trees of different clouds compare', async () => {
    const cloud = await begin()
    await cloud.put('/a/b', 'x', '2020-01-02T03:04:05Z')
    await cloud.put('/big', patternContent('seed', 5_000_000))
    const dump = await cloud.dump()
    expect(dump['a/b']).toMatchObject({
      kind: 'file',
      size: 1,
      sha256: createHash('sha256').update('x').digest('hex'),
      modified: '2020-01-02T03:04:05Z',
      contentHash: contentHashOf(Buffer.from('x')),
    })
    expect(dump['a']).toMatchObject({ kind: 'folder', size: null, sha256: null })
    expect(dump['big']?.size).toBe(5_000_000)
  })
})
