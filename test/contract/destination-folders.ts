import { describe, expect } from '@jest/globals'
import { bytesOf, failsWith, ok, only, upload } from './destination-under-test.ts'
import type { ItDestination } from './destination-under-test.ts'

/** The sentences about folders, `find` and `move`. */
export function describeFolders(it: ItDestination): void {
  describe('openFolder', () => {
    it('makes a folder with its parents', async ({ destination }) => {
      const folder = await destination.openFolder('/a/b/c')
      expect(folder.path).toBe('/a/b/c')
      expect(await destination.find({ parent: { id: '', path: '/a/b' }, name: 'c' })).toEqual({
        folder,
      })
    })

    it('gives the same folder when it is asked again', async ({ destination, top }) => {
      expect(await destination.openFolder('/Backups/Drive')).toEqual(top)
    })

    it('throws name_taken if a file is in the way', async ({ cloud, destination }) => {
      await cloud.put('/a/b', Buffer.from('1'))
      await expect(destination.openFolder('/a/b')).rejects.toEqual(failsWith('name_taken'))
      await expect(destination.openFolder('/a/b/c')).rejects.toEqual(failsWith('name_taken'))
    })

    it('gives the top of the account, where things can be put too', async ({ destination, at }) => {
      const root = await destination.openFolder('/')
      expect(ok(await upload(destination, Buffer.from('1'), at('file', root))).path).toBe('/file')
    })
  })

  describe('ensureFolders', () => {
    it('makes folders in the order asked, parents first', async ({ destination, top, at }) => {
      const parent = { id: '', path: `${top.path}/one` }
      const results = await destination.ensureFolders([at('one'), at('two', parent), at('three')])
      expect(results.map((result) => ok(result).path)).toEqual(
        ['one', 'one/two', 'three'].map((path) => `${top.path}/${path}`),
      )
    })

    it('returns those already there, beside those that were not', async ({
      destination,
      top,
      at,
    }) => {
      const [before] = await destination.ensureFolders([at('old')])
      const [again, fresh] = await destination.ensureFolders([at('old'), at('new')])
      expect(again).toEqual(before)
      expect(ok(fresh).path).toBe(`${top.path}/new`)
    })

    it('is name_taken for one where a file is in the way, and makes the others', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      await cloud.put(`${top.path}/file`, Buffer.from('1'))
      const results = await destination.ensureFolders([at('file'), at('folder')])
      expect(results).toMatchObject([{ error: { code: 'name_taken' } }, { ok: {} }])
    })

    it('makes as many as the capabilities say', async ({ destination, at }) => {
      const { foldersPerCall } = destination.capabilities
      const places = Array.from({ length: foldersPerCall }, (_, nth) => at(`folder ${nth}`))
      const results = await destination.ensureFolders(places)
      expect(new Set(results.map((result) => ok(result).id)).size).toBe(foldersPerCall)
    })

    it('can be repeated if the answer was lost', async ({ cloud, destination, at }) => {
      cloud.loseAnswer('ensureFolders')
      await expect(destination.ensureFolders([at('one')])).rejects.toEqual(failsWith('unavailable'))
      expect(await destination.ensureFolders([at('one')])).toMatchObject([{ ok: {} }])
    })
  })

  describe('find', () => {
    it('tells a file from a folder from nothing', async ({ destination, top, at }) => {
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      expect(await destination.find(at('file'))).toEqual({ file: copy })
      expect(
        await destination.find({ parent: { id: '', path: '/Backups' }, name: 'Drive' }),
      ).toEqual({ folder: top })
      expect(await destination.find(at('nothing'))).toBeNull()
    })
  })

  describe('move', () => {
    it('renames and moves a file, which stays the same file', async ({ destination, at }) => {
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      const folder = ok(only(await destination.ensureFolders([at('folder')])))
      const moved = await destination.move(copy, at('renamed', folder))
      expect(moved).toMatchObject({ id: copy.id, path: `${folder.path}/renamed` })
      expect(await destination.find(at('renamed', folder))).toMatchObject({
        file: { version: moved.version },
      })
      expect(await destination.find(at('file'))).toBeNull()
    })

    it('moves a folder with all that is in it', async ({ destination, top, at }) => {
      const folder = ok(only(await destination.ensureFolders([at('folder')])))
      await upload(destination, Buffer.from('1'), at('file', folder))
      const moved = await destination.move(folder, at('renamed'))
      expect(moved).toEqual({ id: folder.id, path: `${top.path}/renamed`, version: null })
      expect(
        String(await bytesOf(destination, at('file', { id: folder.id, path: moved.path }))),
      ).toBe('1')
    })

    it('throws gone if it is not there, and name_taken if something is in the way', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      await cloud.put(`${top.path}/taken`, Buffer.from('2'))
      await expect(destination.move(copy, at('taken'))).rejects.toEqual(failsWith('name_taken'))
      cloud.remove(`${top.path}/file`)
      await expect(destination.move(copy, at('other'))).rejects.toEqual(failsWith('gone'))
    })

    it('takes a repeat as a success if the answer was lost', async ({ cloud, destination, at }) => {
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      cloud.loseAnswer('move')
      await expect(destination.move(copy, at('renamed'))).rejects.toEqual(failsWith('unavailable'))
      expect(await destination.move(copy, at('renamed'))).toMatchObject({ id: copy.id })
    })
  })
}
