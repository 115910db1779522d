import { describe, expect } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { hashBytes } from '../../backend/clouds/digest.ts'
import { bytesOf, commitOf, failsWith, ok, only, upload } from './destination-under-test.ts'
import type { ItDestination } from './destination-under-test.ts'

/** The sentences about sessions: `stage`, `begin`, `append`. */
export function describeUploads(it: ItDestination): void {
  describe('stage', () => {
    it('takes as many small bodies as the capabilities say, also empty ones', async ({
      destination,
      at,
    }) => {
      const { stage } = destination.capabilities
      if (stage === null) return
      const bodies = Array.from({ length: stage.bodies }, (_, nth) => randomBytes(nth))
      const sessions = (await destination.stage?.(bodies, 10)) ?? []
      const results = await destination.commit(
        sessions.map((session, nth) =>
          commitOf(ok(session), bodies[nth] ?? Buffer.alloc(0), at(`file ${nth}`)),
        ),
      )
      results.forEach((result, nth) => {
        expect(ok(result).hashes).toEqual(
          hashBytes(bodies[nth] ?? Buffer.alloc(0), ['contentHash']),
        )
      })
    })

    it('keeps bodies apart that are staged at once', async ({ destination, at }) => {
      if (destination.capabilities.stage === null) return
      const bodies = Array.from({ length: 20 }, (_, nth) => Buffer.from(`body ${nth}`))
      const staged = await Promise.all(
        [0, 5, 10, 15].map(async (from) => destination.stage?.(bodies.slice(from, from + 5)) ?? []),
      )
      const sessions = staged.flat().map(ok)
      expect(new Set(sessions).size).toBe(20)
      const results = await destination.commit(
        sessions.map((session, nth) =>
          commitOf(session, bodies[nth] ?? Buffer.alloc(0), at(`file ${nth}`)),
        ),
      )
      for (const result of results) ok(result)
      expect(String(await bytesOf(destination, at('file 13')))).toBe('body 13')
    })

    it('throws damaged_in_transit if the bytes were, and nothing is kept of them', async ({
      cloud,
      destination,
    }) => {
      if (destination.capabilities.stage === null) return
      cloud.damageBytes()
      await expect(destination.stage?.([Buffer.from('1')])).rejects.toEqual(
        failsWith('damaged_in_transit'),
      )
    })
  })

  describe('begin and append', () => {
    it('carry a file in pieces', async ({ destination, at }) => {
      const { align } = destination.capabilities.chunk
      const bytes = randomBytes(2 * align + 1)
      const session = await destination.begin(bytes.subarray(0, align), false)
      expect(
        await destination.append(session, align, bytes.subarray(align, 2 * align), false),
      ).toBe(2 * align)
      expect(await destination.append(session, 2 * align, bytes.subarray(2 * align), true)).toBe(
        bytes.length,
      )
      const copy = ok(only(await destination.commit([commitOf(session, bytes, at('file'))])))
      expect(copy.bytes).toBe(bytes.length)
      expect((await bytesOf(destination, at('file')))?.equals(bytes)).toBe(true)
    })

    it('can close a session with an empty piece', async ({ destination, at }) => {
      const session = await destination.begin(Buffer.from('123'), false)
      expect(await destination.append(session, 3, Buffer.alloc(0), true)).toBe(3)
      ok(only(await destination.commit([commitOf(session, Buffer.from('123'), at('file'))])))
    })

    it('carry an empty file', async ({ destination, at }) => {
      expect(ok(await upload(destination, Buffer.alloc(0), at('empty'))).bytes).toBe(0)
    })

    it('say how many bytes the session holds if an earlier answer was lost', async ({
      cloud,
      destination,
    }) => {
      const { align } = destination.capabilities.chunk
      const bytes = randomBytes(2 * align)
      const session = await destination.begin(Buffer.alloc(0), false)
      cloud.loseAnswer('append')
      const lost = destination.append(session, 0, bytes.subarray(0, align), false)
      await expect(lost).rejects.toEqual(failsWith('unavailable'))
      expect(await destination.append(session, 0, bytes.subarray(0, align), false)).toBe(align)
    })

    it('take a repeat of the last append as a success', async ({ cloud, destination, at }) => {
      const bytes = Buffer.from('12345')
      const session = await destination.begin(bytes.subarray(0, 2), false)
      cloud.loseAnswer('append')
      const lost = destination.append(session, 2, bytes.subarray(2), true)
      await expect(lost).rejects.toEqual(failsWith('unavailable'))
      expect(await destination.append(session, 2, bytes.subarray(2), true)).toBe(5)
      ok(only(await destination.commit([commitOf(session, bytes, at('file'))])))
    })

    it('throw session_lost if the session is unknown', async ({ cloud, destination }) => {
      const session = await destination.begin(Buffer.from('1'), false)
      cloud.forgetSessions()
      const lost = destination.append(session, 1, Buffer.from('2'), true)
      await expect(lost).rejects.toEqual(failsWith('session_lost'))
    })

    it('take the checksums of the bytes from who knows them, and hold the bytes against them', async ({
      destination,
      at,
    }) => {
      const { hashes } = destination.capabilities
      const [first, second] = [Buffer.from('12'), Buffer.from('345')]
      const [ofFirst, ofSecond] = [hashBytes(first, hashes), hashBytes(second, hashes)]
      const wrong = failsWith('damaged_in_transit')
      await expect(destination.begin(first, false, ofSecond)).rejects.toEqual(wrong)
      const session = await destination.begin(first, false, ofFirst)
      const refused = destination.append(session, 2, second, true, ofFirst)
      await expect(refused).rejects.toEqual(wrong)
      expect(await destination.append(session, 2, second, true, ofSecond)).toBe(5)
      ok(only(await destination.commit([commitOf(session, Buffer.from('12345'), at('file'))])))
    })

    it('throw damaged_in_transit if the bytes were, and go on where they were', async ({
      cloud,
      destination,
    }) => {
      cloud.damageBytes()
      await expect(destination.begin(Buffer.from('1'), false)).rejects.toEqual(
        failsWith('damaged_in_transit'),
      )
      const session = await destination.begin(Buffer.from('1'), false)
      cloud.damageBytes()
      await expect(destination.append(session, 1, Buffer.from('2'), false)).rejects.toEqual(
        failsWith('damaged_in_transit'),
      )
      expect(await destination.append(session, 1, Buffer.from('2'), true)).toBe(2)
    })
  })
}
