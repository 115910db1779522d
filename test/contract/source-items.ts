import { describe, expect } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { itemOf } from './source-under-test.ts'
import type { ItSource } from './source-under-test.ts'

/** The sentences about items: corpora, `get`, `version`. */
export function describeItems(it: ItSource): void {
  describe('account', () => {
    it('says whose it is', async ({ source }) => {
      const { id, label } = await source.account()
      expect(id).not.toBe('')
      expect(label).toContain('@')
    })
  })

  describe('corpora', () => {
    it('are the own drive, and each shared drive however many there are', async ({
      cloud,
      source,
    }) => {
      const ids = Array.from({ length: 101 }, (_, at) => cloud.addSharedDrive(`Team ${at}`))
      expect((await source.ownDrive()).id).toBe('my-drive')
      const shared = await source.sharedDrives()
      expect(shared.map(({ id }) => id)).toEqual(ids)
      expect(shared[0]?.name).toBe('Team 0')
    })

    it('name the id that their top-level items have as their parent', async ({ cloud, source }) => {
      const own = cloud.addFile('own', Buffer.from('1'))
      const drive = cloud.addSharedDrive('Team')
      const shared = cloud.addFile('shared', Buffer.from('2'), drive)
      const [team] = await source.sharedDrives()
      expect((await itemOf(source, own)).parentId).toBe((await source.ownDrive()).rootId)
      expect((await itemOf(source, shared)).parentId).toBe(team?.rootId)
    })
  })

  describe('get', () => {
    it('describes a file as it is now', async ({ cloud, source }) => {
      const bytes = randomBytes(1000)
      const folder = cloud.addFolder('folder')
      const id = cloud.addFile('old name', bytes, folder)
      cloud.rename(id, 'a/name with a slash')
      expect(await itemOf(source, id)).toMatchObject({
        id,
        kind: 'file',
        name: 'a/name with a slash',
        parentId: folder,
        size: 1000,
        targetId: null,
        exports: [],
        canDownload: true,
        ownedByMe: true,
        trashed: false,
        corpus: 'my-drive',
      })
    })

    it('gives every checksum that the capabilities name', async ({ cloud, source }) => {
      const bytes = randomBytes(1000)
      const { hashes } = await itemOf(source, cloud.addFile('file', bytes))
      expect(Object.keys(hashes).toSorted()).toEqual([...source.capabilities.hashes].toSorted())
      expect(hashes.md5 ?? '').toBe(createHash('md5').update(bytes).digest('hex'))
    })

    it('tells folders, documents and shortcuts apart', async ({ cloud, source }) => {
      const folder = cloud.addFolder('folder')
      const document = cloud.addDocument('document')
      const shortcut = cloud.addShortcut('shortcut', document)
      expect(await itemOf(source, folder)).toMatchObject({
        kind: 'folder',
        size: null,
        exports: [],
      })
      expect(await itemOf(source, shortcut)).toMatchObject({ kind: 'shortcut', targetId: document })
      const found = await itemOf(source, document)
      expect(found).toMatchObject({ kind: 'document', size: null, hashes: {} })
      expect(found.exports.length).toBeGreaterThan(0)
    })

    it('says before any byte moves what cannot be had', async ({ cloud, source }) => {
      const id = cloud.addFile('file', Buffer.from('1'))
      cloud.forbidDownload(id)
      expect((await itemOf(source, id)).canDownload).toBe(false)
      const form = cloud.addUnexportable('form')
      expect(await itemOf(source, form)).toMatchObject({ kind: 'document', exports: [] })
    })

    it('gives the time of the last change to the millisecond in UTC', async ({ cloud, source }) => {
      const { modifiedAt } = await itemOf(source, cloud.addFile('file', Buffer.from('1')))
      expect(modifiedAt).toBe(new Date(modifiedAt).toISOString())
    })

    it('knows what is shared with the person and lies in no folder of theirs', async ({
      cloud,
      source,
    }) => {
      const id = cloud.addShared('shared', Buffer.from('1'))
      expect(await itemOf(source, id)).toMatchObject({ parentId: null, ownedByMe: false })
    })

    it('is null for what is gone and for what never was', async ({ cloud, source }) => {
      const id = cloud.addFile('file', Buffer.from('1'))
      cloud.remove(id)
      expect(await source.get(id)).toBeNull()
      expect(await source.get('never-was')).toBeNull()
    })

    it('finds what is in the trash, and says so', async ({ cloud, source }) => {
      const id = cloud.addFile('file', Buffer.from('1'))
      cloud.trash(id)
      expect((await itemOf(source, id)).trashed).toBe(true)
    })
  })

  describe('version', () => {
    it('changes with the bytes, also if there are as many', async ({ cloud, source }) => {
      const id = cloud.addFile('file', Buffer.from('one'))
      const before = await itemOf(source, id)
      cloud.write(id, Buffer.from('two'))
      expect((await itemOf(source, id)).version).not.toBe(before.version)
    })

    it('does not change with the name or the place', async ({ cloud, source }) => {
      const id = cloud.addFile('file', Buffer.from('one'))
      const before = await itemOf(source, id)
      cloud.rename(id, 'other')
      cloud.move(id, cloud.addFolder('folder'))
      expect((await itemOf(source, id)).version).toBe(before.version)
    })
  })
}
