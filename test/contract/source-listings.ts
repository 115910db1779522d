import { describe, expect } from '@jest/globals'
import type { Listing } from '../../backend/clouds/cloud.ts'
import { changesSince, failsWith, idsOf, listAll } from './source-under-test.ts'
import type { ItSource } from './source-under-test.ts'

/** The sentences about `list` and `changes`. */
export function describeListings(it: ItSource): void {
  describe('list', () => {
    it('gives the children of as many folders as the capabilities say, and nobody else’s', async ({
      cloud,
      source,
    }) => {
      const { foldersPerListing } = source.capabilities
      const folders = Array.from({ length: foldersPerListing }, (_, at) =>
        cloud.addFolder(`it's ${at}`),
      )
      const children = folders.map((folder) => cloud.addFile('child', Buffer.from('1'), folder))
      cloud.addFile('elsewhere', Buffer.from('2'))
      const items = await listAll(source, { kind: 'children', of: folders })
      expect(idsOf(items)).toEqual(children.toSorted())
    })

    it('gives the children of folders in a shared drive', async ({ cloud, source }) => {
      const drive = cloud.addSharedDrive('Team')
      const folder = cloud.addFolder('folder', drive)
      const child = cloud.addFile('child', Buffer.from('1'), folder)
      const items = await listAll(source, { kind: 'children', of: [folder] })
      expect(items).toMatchObject([{ id: child, corpus: drive }])
    })

    it('gives everything in the own drive, with what is shared and what lies in no folder', async ({
      cloud,
      source,
    }) => {
      const folder = cloud.addFolder('folder')
      const file = cloud.addFile('file', Buffer.from('1'), folder)
      const shared = cloud.addShared('shared', Buffer.from('2'))
      cloud.addFile('not here', Buffer.from('3'), cloud.addSharedDrive('Team'))
      const items = await listAll(source, { kind: 'corpus', corpus: 'my-drive' })
      expect(idsOf(items)).toEqual([folder, file, shared].toSorted())
    })

    it('gives everything in a shared drive, and nothing else', async ({ cloud, source }) => {
      cloud.addFile('not here', Buffer.from('1'))
      const drive = cloud.addSharedDrive('Team')
      const folder = cloud.addFolder('folder', drive)
      const file = cloud.addFile('file', Buffer.from('2'), folder)
      const items = await listAll(source, { kind: 'corpus', corpus: drive })
      expect(idsOf(items)).toEqual([folder, file].toSorted())
    })

    it('goes on from a cursor until there is none, and misses nothing', async ({
      cloud,
      source,
    }) => {
      const ids = Array.from({ length: cloud.pageSize + 1 }, (_, at) =>
        cloud.addFile(`file ${at}`, Buffer.from('1')),
      )
      const first = await source.list({ kind: 'corpus', corpus: 'my-drive' }, null)
      expect(first.cursor).not.toBeNull()
      const second = await source.list({ kind: 'corpus', corpus: 'my-drive' }, first.cursor)
      expect(second.cursor).toBeNull()
      expect(idsOf([...first.items, ...second.items])).toEqual(ids.toSorted())
    })

    it('throws listing_restarted for a cursor that is refused', async ({ cloud, source }) => {
      for (let at = 0; at <= cloud.pageSize; at++) cloud.addFile(`file ${at}`, Buffer.from('1'))
      const listing: Listing = { kind: 'corpus', corpus: 'my-drive' }
      const { cursor } = await source.list(listing, null)
      cloud.forgetCursors()
      await expect(source.list(listing, cursor)).rejects.toEqual(failsWith('listing_restarted'))
    })

    it('says so where the provider did not look everywhere', async ({ cloud, source }) => {
      const listing: Listing = { kind: 'corpus', corpus: 'my-drive' }
      cloud.makeIncomplete()
      expect((await source.list(listing, null)).complete).toBe(false)
      expect((await source.list(listing, null)).complete).toBe(true)
    })

    it('leaves out what is in the trash', async ({ cloud, source }) => {
      const folder = cloud.addFolder('folder')
      cloud.trash(cloud.addFile('file', Buffer.from('1'), folder))
      expect(await listAll(source, { kind: 'children', of: [folder] })).toEqual([])
      const all = await listAll(source, { kind: 'corpus', corpus: 'my-drive' })
      expect(idsOf(all)).toEqual([folder])
    })

    it('throws source_missing for a corpus that is not there', async ({ source }) => {
      const listing: Listing = { kind: 'corpus', corpus: '0Anowhere' }
      await expect(source.list(listing, null)).rejects.toEqual(failsWith('source_missing'))
    })

    it('throws gone if one of the folders is not there', async ({ cloud, source }) => {
      const folder = cloud.addFolder('folder')
      const listing: Listing = { kind: 'children', of: [folder, 'never-was'] }
      await expect(source.list(listing, null)).rejects.toEqual(failsWith('gone'))
    })
  })

  describe('changes', () => {
    it('are none if nothing changed, with a token for next time', async ({ source }) => {
      const token = await source.changesToken('my-drive')
      const page = await source.changes('my-drive', token)
      expect(page).toMatchObject({ changes: [], more: false })
      expect(await source.changes('my-drive', page.token)).toMatchObject({ changes: [] })
    })

    it('bring what came, what was renamed, trashed and removed since the token', async ({
      cloud,
      source,
    }) => {
      const renamed = cloud.addFile('old name', Buffer.from('1'))
      const trashed = cloud.addFile('trashed', Buffer.from('2'))
      const removed = cloud.addFile('removed', Buffer.from('3'))
      const token = await source.changesToken('my-drive')
      const added = cloud.addShared('added', Buffer.from('4'))
      cloud.rename(renamed, 'new name')
      cloud.trash(trashed)
      cloud.remove(removed)
      const changes = await changesSince(source, 'my-drive', token)
      expect(changes.get(added)).toMatchObject({ name: 'added' })
      expect(changes.get(renamed)).toMatchObject({ name: 'new name', trashed: false })
      expect(changes.get(trashed)).toMatchObject({ trashed: true })
      expect(changes.get(removed)).toBeNull()
      expect(changes.size).toBe(4)
    })

    it('come in pages, each with the token of the next', async ({ cloud, source }) => {
      const token = await source.changesToken('my-drive')
      for (let at = 0; at <= cloud.pageSize; at++) cloud.addFile(`file ${at}`, Buffer.from('1'))
      const first = await source.changes('my-drive', token)
      expect(first.more).toBe(true)
      const second = await source.changes('my-drive', first.token)
      expect(second.more).toBe(false)
      expect(first.changes.length + second.changes.length).toBe(cloud.pageSize + 1)
    })

    it('of the own drive and of a shared drive are kept apart', async ({ cloud, source }) => {
      const drive = cloud.addSharedDrive('Team')
      const own = await source.changesToken('my-drive')
      const team = await source.changesToken(drive)
      const mine = cloud.addFile('mine', Buffer.from('1'))
      const shared = cloud.addFile('shared', Buffer.from('2'), drive)
      expect([...(await changesSince(source, 'my-drive', own)).keys()]).toEqual([mine])
      expect([...(await changesSince(source, drive, team)).keys()]).toEqual([shared])
    })

    it('miss nothing between a token and a listing after it', async ({ cloud, source }) => {
      const token = await source.changesToken('my-drive')
      const between = cloud.addFile('between', Buffer.from('1'))
      const listed = await listAll(source, { kind: 'corpus', corpus: 'my-drive' })
      const after = cloud.addFile('after', Buffer.from('2'))
      const changed = await changesSince(source, 'my-drive', token)
      const seen = new Set([...listed.map(({ id }) => id), ...changed.keys()])
      expect(seen).toEqual(new Set([between, after]))
    })

    it('throw cursor_lost for a token that is refused', async ({ source }) => {
      await expect(source.changes('my-drive', 'no-token')).rejects.toEqual(failsWith('cursor_lost'))
    })
  })
}
