import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { hashBytes } from '../../../backend/clouds/digest.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { Hashes } from '../../../shared/item.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let top: string
beforeEach(async () => {
  t = await startEngine()
  top = t.drive.folder('Top')
})
afterEach(() => t.close())

const MiB = 1024 * 1024
const chunk = 8 * MiB
/** Bytes that differ from place to place. */
function bytes(size: number, seed = 1): Buffer {
  const all = Buffer.alloc(size, seed)
  for (let at = 0; at < size; at += 4096) all.writeUInt32LE((at / 4096) * 7 + seed, at)
  return all
}
function sent(): number {
  return (t.dropbox.received['begin'] ?? 0) + (t.dropbox.received['append'] ?? 0)
}
function arrived(content: Buffer, path = '/Backup/large'): boolean {
  return t.dropbox.raw(path) !== null && content.equals(t.dropbox.raw(path) ?? Buffer.alloc(0))
}
const killedAt = (call: string, nth: number, at: 'before' | 'after' = 'after') => {
  let seen = 0
  return (_step: number, when: 'before' | 'after', name: string): boolean => {
    if (name === call && when === at) seen += 1
    return seen >= nth
  }
}

describe('a large file', () => {
  const content = bytes(3 * chunk + 12_345)

  it('is sent chunk by chunk, once', async () => {
    t.drive.file('large', top, content)
    const job = await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
    expect(sent()).toBe(content.length)
    const { lines } = await t.receipt(job)
    expect(lines).toMatchObject([{ outcome: 'copied', proof: 'both-checksums' }])
  })

  it.each([
    ['destination.begin', 1, 'before'],
    ['destination.begin', 1, 'after'],
    ['destination.append', 1, 'before'],
    ['destination.append', 1, 'after'],
    ['destination.append', 2, 'after'],
    ['destination.append', 3, 'after'],
    ['destination.commit', 1, 'before'],
    ['destination.commit', 1, 'after'],
  ] as const)('costs a chunk at most when the worker dies at %s %d (%s)', async (call, nth, at) => {
    t.drive.file('large', top, content)
    const job = await t.start({ kind: 'folder', id: top })
    expect((await t.deliver(killedAt(call, nth, at))).dead).toBe(true)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 1 } })
    expect(arrived(content)).toBe(true)
    expect(Object.keys(t.dropbox.files())).toHaveLength(1)
    expect(sent()).toBeLessThanOrEqual(content.length + chunk)
    expect((await t.receipt(job)).lines).toHaveLength(1)
  })

  it('writes down each chunk, and the run itself only once in some seconds', async () => {
    const large = bytes(6 * chunk + 12_345)
    for (const name of ['a', 'b']) t.drive.file(name, top, large)
    const written = writtenDocuments()
    const chunkMs = 500
    t.dropbox.onAnswer((name) => {
      if (name === 'begin' || name === 'append') t.records.pass(chunkMs)
    })
    const job = await t.copy({ kind: 'folder', id: top })
    const isChunk = (key: string): boolean => key.includes('.upload.')
    const first = written.findIndex(isChunk)
    const underWay = written.slice(first, written.findLastIndex(isChunk) + 1)
    const chunks = underWay.filter(isChunk)
    expect(chunks).toHaveLength(12)
    // Six seconds of the clock: one write at the beginning, and one every three seconds.
    expect(underWay.length - chunks.length).toBeLessThanOrEqual(3)
    const { run } = await t.jobs.get(t.user, job)
    expect(run.sentBytes).toBe(2 * large.length)
  })

  it.each([
    ['destination.append', 3],
    ['store.transact', 12],
    ['destination.commit', 1],
  ] as const)('is counted once, also when the worker dies at %s %d', async (call, nth) => {
    t.drive.file('large', top, content)
    t.dropbox.onAnswer(() => t.records.pass(1_700))
    const job = await t.start({ kind: 'folder', id: top })
    expect((await t.deliver(killedAt(call, nth))).dead).toBe(true)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', sentBytes: content.length })
  })

  it('goes on after a chunk whose successor was digested while it was sent', async () => {
    t.drive.file('large', top, content)
    t.dropbox.onAnswer(async (name) => {
      // A slow answer: what is read ahead is ready long before it.
      if (name === 'append') for (let turns = 0; turns < 100; turns += 1) await setImmediate()
    })
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(killedAt('destination.append', 2))
    await t.finish(job)
    expect(arrived(content)).toBe(true)
    expect(sent()).toBeLessThanOrEqual(content.length + chunk)
  })

  it('tells the destination the checksum of each chunk, also after the worker died', async () => {
    t.drive.file('large', top, content)
    const told = toldChecksums()
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(killedAt('destination.append', 2))
    await t.finish(job)
    expect(arrived(content)).toBe(true)
    expect(told.length).toBeGreaterThan(4)
    for (const { bytes: sending, hashes } of told)
      expect(hashes).toEqual(hashBytes(sending, ['contentHash']))
  })

  it('tells no checksum of what is left of a chunk that the destination has a part of', async () => {
    t.drive.file('large', top, content)
    const told = toldChecksums({ keptOfFirstAppend: 4 * MiB })
    await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
    expect(told.map(({ bytes: { length }, hashes }) => [length, Object.keys(hashes)])).toEqual([
      [chunk, ['contentHash']],
      [chunk, ['contentHash']],
      [4 * MiB, []],
      [chunk, ['contentHash']],
      [12_345, ['contentHash']],
    ])
  })

  it('goes on from the next chunk in the next slice, each time', async () => {
    t.drive.file('large', top, content)
    const job = await t.start({ kind: 'folder', id: top })
    for (let slices = 0; t.tasks.length > 0; slices += 1) {
      expect(slices).toBeLessThan(20)
      await t.deliver(undefined, 0)
      // The clock stands still: without time, a slice does what it has to at least.
      t.records.pass(1)
      if (t.ends.at(-1)?.end === 'over') break
      if (slices > 8) await t.deliver()
    }
    await t.finish(job)
    expect(arrived(content)).toBe(true)
    expect(sent()).toBe(content.length)
  })

  it('goes on where the destination is when an answer was lost', async () => {
    t.drive.file('large', top, content)
    let lost = 0
    t.dropbox.onAnswer((name) => {
      if (name === 'append' && (lost += 1) <= 2)
        throw new WaybillError('unavailable', 'For the test.')
    })
    const job = await t.start({ kind: 'folder', id: top })
    expect((await t.finish(job)).run.state).toBe('done')
    expect(arrived(content)).toBe(true)
  })

  it('begins anew when the session is lost', async () => {
    t.drive.file('large', top, content)
    let appends = 0
    t.dropbox.onCall((name) => {
      if (name === 'append' && (appends += 1) === 2) t.dropbox.forgetSessions()
    })
    const job = await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
    expect((await t.receipt(job)).lines).toHaveLength(1)
  })

  it('begins anew when the session is lost at the commit', async () => {
    t.drive.file('large', top, content)
    let commits = 0
    t.dropbox.onCall((name) => {
      if (name === 'commit' && (commits += 1) === 1) t.dropbox.forgetSessions()
    })
    await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
  })

  it.each([
    ['longer', bytes(4 * chunk, 9)],
    ['shorter than what was sent', bytes(chunk + 5, 9)],
    ['small', bytes(100, 9)],
    ['as long', bytes(3 * chunk + 12_345, 9)],
  ])('that has become %s between two slices is carried as it is now', async (_name, other) => {
    const id = t.drive.file('large', top, content)
    const job = await t.start({ kind: 'folder', id: top })
    await t.deliver(killedAt('destination.append', 2))
    t.drive.change(id, {}, other)
    expect((await t.finish(job)).run).toMatchObject({ state: 'done', totals: { copied: 1 } })
    expect(arrived(other)).toBe(true)
    await t.again(job)
    expect((await t.receipt(job)).lines).toEqual([])
  })

  it('that changes while it is read is read again', async () => {
    const id = t.drive.file('large', top, content)
    const other = bytes(content.length, 4)
    let appends = 0
    t.dropbox.onCall((name) => {
      if (name === 'append' && (appends += 1) === 1) t.drive.change(id, {}, other)
    })
    t.drive.serve(id, () => mixed(content, other))
    await t.copy({ kind: 'folder', id: top })
    expect(arrived(other)).toBe(true)
  })

  it('goes on where its stream broke off, and waits when it breaks too often', async () => {
    const id = t.drive.file('large', top, content)
    const broken = (from: number) => () => brokenOff(content, from, from + 9 * MiB)
    t.drive.serve(id, broken(0))
    t.drive.serve(id, broken(chunk))
    const job = await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
    expect(sent()).toBe(content.length)
    expect((await t.receipt(job)).lines).toHaveLength(1)
    const next = t.drive.file('next', top, content)
    for (let n = 0; n < 30; n += 1) t.drive.serve(next, () => brokenOff(content, 0, 10))
    await t.jobs.again(t.user, job)
    const end = await t.finish(job)
    // Not one broken stream makes the run fail: the item is left for the next run.
    expect(end.run).toMatchObject({ state: 'done', totals: { failed: 1 } })
    expect((await t.receipt(job)).lines).toMatchObject([{ reason: 'unavailable' }])
  })

  it('that turns out to be long, of unknown size, is sent in the same way', async () => {
    const text = 'long '.repeat(4 * MiB)
    t.drive.document('doc', top, { txt: text })
    const job = await t.copy({ kind: 'folder', id: top })
    expect(Buffer.from(t.dropbox.raw('/Backup/doc.txt') ?? []).toString() === text).toBe(true)
    expect((await t.receipt(job)).lines).toMatchObject([{ proof: 'destination-checksum' }])
  })

  it('that grew since it was listed is sent in chunks', async () => {
    const id = t.drive.file('large', top, 'small')
    let opens = 0
    t.drive.onCall((name) => {
      if (name === 'open' && (opens += 1) === 1) t.drive.change(id, {}, content)
    })
    await t.copy({ kind: 'folder', id: top })
    expect(arrived(content)).toBe(true)
  })
})

/** Keys of the documents that are put from now on, in the order in which they land. */
function writtenDocuments(): readonly string[] {
  const written: string[] = []
  const { store } = t.records
  const transact = store.transact.bind(store)
  jest.spyOn(store, 'transact').mockImplementation(async (change) => {
    let put: string[] = []
    const result = await transact(async (transaction) => {
      put = []
      return change({
        ...transaction,
        put: (collection, one) => {
          put.push(one.key)
          transaction.put(collection, one)
        },
      })
    })
    written.push(...put)
    return result
  })
  return written
}

interface Told {
  readonly bytes: Uint8Array
  readonly hashes: Hashes
}

/** What the destination is sent from now on, each time with the checksums that come along. */
function toldChecksums({ keptOfFirstAppend = chunk } = {}): readonly Told[] {
  const told: Told[] = []
  const { destination } = t.dropbox
  const begin = destination.begin.bind(destination)
  const append = destination.append.bind(destination)
  let kept = keptOfFirstAppend
  jest.spyOn(destination, 'begin').mockImplementation((sending, last, hashes = {}) => {
    told.push({ bytes: Uint8Array.from(sending), hashes })
    return begin(sending, last)
  })
  jest
    .spyOn(destination, 'append')
    .mockImplementation((session, at, sending, last, hashes = {}) => {
      told.push({ bytes: Uint8Array.from(sending), hashes })
      const taken = sending.subarray(0, kept)
      kept = chunk
      return append(session, at, taken, last)
    })
  return told
}

function mixed(old: Buffer, fresh: Buffer): Readable {
  return Readable.from([old.subarray(0, 10 * MiB), fresh.subarray(10 * MiB)])
}

function brokenOff(content: Buffer, from: number, to: number): Readable {
  return Readable.from(
    (async function* () {
      yield content.subarray(from, to)
      throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    })(),
  )
}
