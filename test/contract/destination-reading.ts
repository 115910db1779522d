import { describe, expect } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { Copy } from '../../backend/clouds/cloud.ts'
import { commitOf, failsWith, ok, upload } from './destination-under-test.ts'
import type { GivenDestination, ItDestination } from './destination-under-test.ts'

/** The sentences about `open`, changes and the account, and about how every call fails. */
export function describeReading(it: ItDestination): void {
  describe('open', () => {
    it('gives a copy’s bytes from an offset on', async ({ destination, at }) => {
      const bytes = randomBytes(100_000)
      const copy = ok(await upload(destination, bytes, at('file')))
      const whole = await destination.open(copy, { from: 0 })
      expect((await buffer(whole.stream)).equals(bytes)).toBe(true)
      const part = await destination.open(copy, { from: 60_000 })
      expect((await buffer(part.stream)).equals(bytes.subarray(part.from))).toBe(true)
    })

    it('throws gone if it is not there', async ({ cloud, destination, top, at }) => {
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      cloud.remove(`${top.path}/file`)
      await expect(destination.open(copy, { from: 0 })).rejects.toEqual(failsWith('gone'))
    })
  })

  describe('changesSince', () => {
    it('tells what changed below the folder since the cursor, and nothing else', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      const kept = ok(await upload(destination, Buffer.from('1'), at('Kept')))
      await upload(destination, Buffer.from('2'), at('Removed'))
      const { cursor } = await destination.changesSince(top, null)
      const written = await cloud.put(kept.path, Buffer.from('theirs'))
      await cloud.put('/elsewhere', Buffer.from('3'))
      cloud.remove(`${top.path}/Removed`)
      const page = await destination.changesSince(top, cursor)
      expect(page.more).toBe(false)
      const path = (name: string) => `${top.path}/${name}`.toLowerCase()
      expect(page.changes).toHaveLength(2)
      expect(page.changes).toContainEqual({
        path: path('kept'),
        gone: false,
        id: kept.id,
        version: written,
      })
      expect(page.changes).toContainEqual({
        path: path('removed'),
        gone: true,
        id: null,
        version: null,
      })
      expect(await destination.changesSince(top, page.cursor)).toMatchObject({ changes: [] })
    })

    it('tells everything that is there where it is given no cursor', async ({
      cloud,
      destination,
      top,
      at,
    }) => {
      const [folder] = await destination.ensureFolders([at('Folder')])
      const copy = ok(await upload(destination, Buffer.from('1'), at('File', ok(folder))))
      await cloud.put('/elsewhere', Buffer.from('2'))
      const { changes } = await destination.changesSince(top, null)
      const found = changes.find(({ id }) => id === copy.id)
      expect(found).toEqual({
        path: `${top.path}/Folder/File`.toLowerCase(),
        gone: false,
        id: copy.id,
        version: copy.version,
      })
      expect(changes.map(({ path }) => path)).not.toContain('/elsewhere')
    })

    it('throws gone if the folder is not there any more', async ({ cloud, destination, top }) => {
      cloud.remove(top.path)
      await expect(destination.changesSince(top, null)).rejects.toEqual(failsWith('gone'))
    })

    it('throws cursor_lost if it must begin anew', async ({ cloud, destination, top }) => {
      const { cursor } = await destination.changesSince(top, null)
      cloud.forgetCursors()
      await expect(destination.changesSince(top, cursor)).rejects.toEqual(failsWith('cursor_lost'))
    })
  })

  describe('failures', () => {
    const calls = (
      { destination, top, at }: GivenDestination,
      copy: Copy,
    ): readonly (() => Promise<unknown>)[] => [
      () => destination.openFolder('/a'),
      () => destination.ensureFolders([at('folder')]),
      () => destination.begin(Buffer.from('1'), true),
      () => destination.append('session', 0, Buffer.from('1'), true),
      () => destination.commit([commitOf('session', Buffer.from('1'), at('file'))]),
      () => destination.find(at('file')),
      () => destination.move(copy, at('other')),
      () => destination.open(copy, { from: 0 }),
      () => destination.changesSince(top, null),
      () => destination.changesSince(top, 'cursor'),
      () => destination.account(),
    ]

    it('are token_expired for a refused token, which the token source is told', async (given) => {
      const { cloud, destination, at } = given
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      const rejected = cloud.refuseToken()
      for (const call of calls(given, copy))
        // oxlint-disable-next-line no-await-in-loop
        await expect(call()).rejects.toEqual(failsWith('token_expired'))
      expect(rejected()).toHaveLength(calls(given, copy).length)
    })

    it('are unavailable where nobody answers', async (given) => {
      const { cloud, destination, at } = given
      const copy = ok(await upload(destination, Buffer.from('1'), at('file')))
      cloud.setOffline(true)
      for (const call of calls(given, copy))
        // oxlint-disable-next-line no-await-in-loop
        await expect(call()).rejects.toEqual(failsWith('unavailable'))
    })
  })

  it('says whose account it is', async ({ cloud, destination }) => {
    const account = await destination.account()
    expect(account.id).toBe(cloud.accountId)
    expect(account.label).not.toBe('')
  })
}
