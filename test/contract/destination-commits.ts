import { describe, expect } from '@jest/globals'
import { hashBytes } from '../../backend/clouds/digest.ts'
import {
  bytesOf,
  commitOf,
  entryFailsWith,
  ok,
  failsWith,
  only,
  upload,
} from './destination-under-test.ts'
import type { ItDestination } from './destination-under-test.ts'

/** The sentences about `commit`. */
export function describeCommits(it: ItDestination): void {
  describe('commit', () => {
    it('gives each copy with its checksums, in the order asked', async ({
      destination,
      top,
      at,
    }) => {
      const bodies = ['one', 'two', 'three'].map((text) => Buffer.from(text))
      const sessions = await Promise.all(bodies.map((body) => destination.begin(body, true)))
      const results = await destination.commit(
        sessions.map((session, nth) =>
          commitOf(session, bodies[nth] ?? Buffer.alloc(0), at(`file ${nth}`)),
        ),
      )
      expect(results.map((result) => ok(result).path)).toEqual(
        [0, 1, 2].map((nth) => `${top.path}/file ${nth}`),
      )
      results.forEach((result, nth) => {
        const { hashes } = destination.capabilities
        expect(ok(result).hashes).toEqual(hashBytes(bodies[nth] ?? Buffer.alloc(0), hashes))
      })
    })

    it('carries names of every script', async ({ destination, top, at }) => {
      const name = 'Ünïcödé 日本語 😀.txt'
      expect(ok(await upload(destination, Buffer.from('1'), at(name))).path).toBe(
        `${top.path}/${name}`,
      )
      expect(String(await bytesOf(destination, at(name)))).toBe('1')
    })

    it('replaces nothing if nothing may be there', async ({ cloud, destination, top, at }) => {
      await cloud.put(`${top.path}/file`, Buffer.from('theirs'))
      expect(await upload(destination, Buffer.from('ours'), at('file'))).toEqual(
        entryFailsWith('name_taken'),
      )
      expect(String(await bytesOf(destination, at('file')))).toBe('theirs')
    })

    it('replaces the version that the precondition names', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      const version = await cloud.put(`${top.path}/file`, Buffer.from('old'))
      const copy = ok(
        await upload(destination, Buffer.from('new'), at('file'), { if: 'version', version }),
      )
      expect(copy.version).not.toBe(version)
      expect(String(await bytesOf(destination, at('file')))).toBe('new')
    })

    it('replaces no other version', async ({ cloud, destination, top, at }) => {
      const version = await cloud.put(`${top.path}/file`, Buffer.from('old'))
      await cloud.put(`${top.path}/file`, Buffer.from('theirs'))
      expect(
        await upload(destination, Buffer.from('ours'), at('file'), { if: 'version', version }),
      ).toEqual(entryFailsWith('name_taken'))
      expect(String(await bytesOf(destination, at('file')))).toBe('theirs')
    })

    it('takes a folder in the way for what it is', async ({ destination, at }) => {
      await destination.ensureFolders([at('folder')])
      expect(await upload(destination, Buffer.from('1'), at('folder'))).toEqual(
        entryFailsWith('name_taken'),
      )
    })

    it('is a success where the same bytes already lie', async ({ cloud, destination, top, at }) => {
      const version = await cloud.put(`${top.path}/file`, Buffer.from('same'))
      expect(ok(await upload(destination, Buffer.from('same'), at('file'))).version).toBe(version)
    })

    it('leaves the bytes of a refused entry usable for another place', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      await cloud.put(`${top.path}/file`, Buffer.from('theirs'))
      const bytes = Buffer.from('ours')
      const session = await destination.begin(Buffer.from('ours'), true)
      const refused = await destination.commit([commitOf(session, bytes, at('file'))])
      expect(refused).toEqual([entryFailsWith('name_taken')])
      ok(only(await destination.commit([commitOf(session, bytes, at('file (2)'))])))
      expect(String(await bytesOf(destination, at('file (2)')))).toBe('ours')
    })

    it('is session_lost for a session that is unknown or was committed before', async ({
      cloud,
      destination,
      at,
    }) => {
      const bytes = Buffer.from('ours')
      const session = await destination.begin(Buffer.from('ours'), true)
      cloud.loseAnswer('commit')
      const lost = destination.commit([commitOf(session, bytes, at('file'))])
      await expect(lost).rejects.toEqual(failsWith('unavailable'))
      expect(await destination.commit([commitOf(session, bytes, at('file'))])).toEqual([
        entryFailsWith('session_lost'),
      ])
      expect(await destination.find(at('file'))).toMatchObject({ file: { bytes: 4 } })
    })

    it('refuses one entry and takes the others where the account is busy', async ({
      cloud,
      destination,
      at,
    }) => {
      const bodies = ['one', 'two'].map((text) => Buffer.from(text))
      const sessions = await Promise.all(bodies.map((body) => destination.begin(body, true)))
      const commits = sessions.map((session, nth) =>
        commitOf(session, bodies[nth] ?? Buffer.alloc(0), at(`file ${nth}`)),
      )
      cloud.spoilEntry()
      const results = await destination.commit(commits)
      const refused = results.filter((result) => 'error' in result)
      expect(refused).toEqual(refused.map(() => entryFailsWith('busy')))
      expect(refused.length).toBeGreaterThan(0)
      const failed = commits.filter((_, nth) => 'error' in (results[nth] ?? {}))
      for (const result of await destination.commit(failed)) ok(result)
    })

    it('is destination_full where nothing more fits in', async ({ cloud, destination, at }) => {
      cloud.fill()
      expect(await upload(destination, Buffer.from('1'), at('file'))).toEqual(
        entryFailsWith('destination_full'),
      )
    })

    it('is name_refused for a name that is not allowed', async ({ cloud, destination, at }) => {
      if (cloud.refusedName === null) return
      expect(await upload(destination, Buffer.from('1'), at(cloud.refusedName))).toEqual(
        entryFailsWith('name_refused'),
      )
    })
  })
}
