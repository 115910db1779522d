import { describe, expect } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { failsWith, itemOf, read } from './source-under-test.ts'
import type { ItSource } from './source-under-test.ts'

/** The sentences about `open`, and about how every call fails. */
export function describeDownloads(it: ItSource): void {
  describe('open', () => {
    it('gives the bytes of a file, again and again', async ({ cloud, source }) => {
      const bytes = randomBytes(300_000)
      const item = await itemOf(source, cloud.addFile('file', bytes))
      for (let times = 0; times < 2; times++) {
        // oxlint-disable-next-line no-await-in-loop
        const body = await source.open(item, { from: 0 })
        expect(body).toMatchObject({ from: 0, length: bytes.length })
        // oxlint-disable-next-line no-await-in-loop
        expect((await read(body)).equals(bytes)).toBe(true)
      }
    })

    it('gives the bytes from an offset on, or says that it did not', async ({ cloud, source }) => {
      const bytes = randomBytes(300_000)
      const item = await itemOf(source, cloud.addFile('file', bytes))
      const body = await source.open(item, { from: 123_456 })
      expect([0, 123_456]).toContain(body.from)
      expect(body.length).toBe(bytes.length - body.from)
      expect((await read(body)).equals(bytes.subarray(body.from))).toBe(true)
    })

    it('gives nothing from the very end', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('12345')))
      const body = await source.open(item, { from: 5 })
      expect(body).toMatchObject({ from: 5, length: 0 })
      expect((await read(body)).length).toBe(0)
    })

    it('gives an empty file', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.alloc(0)))
      expect((await read(await source.open(item, { from: 0 }))).length).toBe(0)
    })

    it('gives a document in each of its forms', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addDocument('document'))
      for (const form of item.exports) {
        // oxlint-disable-next-line no-await-in-loop
        const body = await source.open(item, { from: 0, form })
        expect(body.from).toBe(0)
        // oxlint-disable-next-line no-await-in-loop
        expect((await read(body)).length).toBeGreaterThan(0)
      }
    })

    it('throws not_exportable for what has no bytes', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFolder('folder'))
      await expect(source.open(item, { from: 0 })).rejects.toEqual(failsWith('not_exportable'))
    })

    it('throws gone for what is not there any more', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('1')))
      cloud.remove(item.id)
      await expect(source.open(item, { from: 0 })).rejects.toEqual(failsWith('gone'))
    })

    it('throws keeps_changing if the file has become shorter than where to begin', async ({
      cloud,
      source,
    }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('12345')))
      cloud.write(item.id, Buffer.from('1'))
      await expect(source.open(item, { from: 5 })).rejects.toEqual(failsWith('keeps_changing'))
    })

    it('throws download_forbidden where it is', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('1')))
      cloud.forbidDownload(item.id)
      await expect(source.open(item, { from: 0 })).rejects.toEqual(failsWith('download_forbidden'))
    })

    it('stops when it is told to, with the reason that it is told', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', randomBytes(5_000_000)))
      const reason = new Error('lease lost')
      const abort = new AbortController()
      const body = await source.open(item, { from: 0, signal: abort.signal })
      abort.abort(reason)
      await expect(read(body)).rejects.toBe(reason)
    })
  })

  describe('failures', () => {
    it('are token_expired for a refused token, which the token source is told', async ({
      cloud,
      source,
    }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('1')))
      const rejected = cloud.refuseToken()
      await expect(source.get(item.id)).rejects.toEqual(failsWith('token_expired'))
      await expect(source.open(item, { from: 0 })).rejects.toEqual(failsWith('token_expired'))
      expect(rejected()).toHaveLength(2)
    })

    it('are unavailable where nobody answers', async ({ cloud, source }) => {
      const item = await itemOf(source, cloud.addFile('file', Buffer.from('1')))
      cloud.setOffline(true)
      for (const call of [
        () => source.sharedDrives(),
        () => source.get(item.id),
        () => source.list({ kind: 'corpus', corpus: 'my-drive' }, null),
        () => source.changesToken('my-drive'),
        () => source.changes('my-drive', '1'),
        () => source.open(item, { from: 0 }),
      ])
        // oxlint-disable-next-line no-await-in-loop
        await expect(call()).rejects.toEqual(failsWith('unavailable'))
    })
  })
}
