import { Readable } from 'node:stream'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { isBroken, readWhole } from '../../../backend/run/read-item.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { createTinyDrive } from '../engine/tiny-drive.ts'
import type { TinyDrive } from '../engine/tiny-drive.ts'

let drive: TinyDrive
beforeEach(() => {
  drive = createTinyDrive()
})

async function read(id: string, limit = 1000) {
  return readWhole(drive.source, drive.item(id), {
    form: 0,
    limit,
    destinationHashes: ['contentHash'],
    signal: new AbortController().signal,
  })
}
function textOf(whole: Awaited<ReturnType<typeof read>>): string {
  return 'bytes' in whole ? Buffer.from(whole.bytes).toString() : 'not whole'
}
function breaking(...pieces: readonly string[]): () => Readable {
  return () =>
    Readable.from(
      (async function* () {
        for (const piece of pieces) yield Buffer.from(piece)
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      })(),
    )
}

describe('reading a small item', () => {
  it('gives its bytes and the checksums of both sides', async () => {
    const id = drive.file('f', 'root', 'content')
    const whole = await read(id)
    expect(textOf(whole)).toBe('content')
    expect('hashes' in whole && whole.hashes.md5).toBe(drive.item(id).hashes.md5)
    expect('hashes' in whole && whole.hashes.contentHash).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each([
    ['ends early', () => Readable.from([Buffer.from('con')])],
    ['breaks off', breaking('con')],
    ['is damaged', () => Readable.from([Buffer.from('c0ntent')])],
    ['goes on too long', () => Readable.from([Buffer.from('contents')])],
    ['is empty', () => Readable.from([])],
  ])('reads again what %s', async (_name, stream) => {
    const id = drive.file('f', 'root', 'content')
    drive.serve(id, stream)
    expect(textOf(await read(id))).toBe('content')
    expect(drive.calls['open']).toBe(2)
  })

  it('takes what the file has become, under the name and in the place that were planned', async () => {
    const id = drive.file('f', 'root', 'content')
    const planned = drive.item(id)
    drive.onCall((name) => {
      if (name === 'open' && drive.item(id).name === 'f')
        drive.change(id, { name: 'g', parentId: 'other' }, 'new')
    })
    const whole = await readWhole(drive.source, planned, {
      form: 0,
      limit: 1000,
      destinationHashes: [],
      signal: new AbortController().signal,
    })
    expect(textOf(whole)).toBe('new')
    expect('item' in whole && whole.item).toMatchObject({
      name: 'f',
      parentId: 'root',
      version: drive.item(id).version,
    })
  })

  it('says what is wrong in the end', async () => {
    const always = async (stream: () => Readable, change = false): Promise<unknown> => {
      const id = drive.file('f', 'root', 'content')
      for (let n = 0; n < 5; n += 1) drive.serve(id, stream)
      drive.onCall((name) => {
        if (change && name === 'get') drive.change(id, {}, 'changed')
      })
      return read(id).catch((error: unknown) => error)
    }
    expect(await always(() => Readable.from([Buffer.from('c0ntent')]))).toMatchObject({
      code: 'damaged_at_source',
    })
    // A connection that breaks says nothing about the file.
    expect(await always(breaking('con'))).toMatchObject({ code: 'unavailable' })
    expect(await always(() => Readable.from([Buffer.from('x')]), true)).toMatchObject({
      code: 'keeps_changing',
    })
  })

  it('says that it is gone, and throws on what nobody knows', async () => {
    const id = drive.file('f', 'root', 'content')
    drive.serve(id, () => Readable.from([]))
    drive.onCall((name) => {
      if (name === 'get') drive.remove(id)
    })
    await expect(read(id)).rejects.toMatchObject({ code: 'gone' })
    const other = drive.file('f', 'root', 'content')
    drive.onCall((name) => {
      if (name === 'open') throw new WaybillError('internal', 'For the test.')
    })
    await expect(read(other)).rejects.toMatchObject({ code: 'internal' })
  })

  it('hands a long body of unknown length on, with nothing lost of it', async () => {
    const id = drive.document('d', 'root', { txt: 'x'.repeat(50) })
    const long = await read(id, 20)
    if (!('head' in long)) throw new Error('it was taken whole')
    expect(long.head.length + (await long.reader.read(1000)).length).toBe(50)
    expect(textOf(await read(id, 50))).toHaveLength(50)
  })

  it('says that a file has become too long to be held', async () => {
    const id = drive.file('f', 'root', 'content')
    drive.onCall((name) => {
      if (name === 'open') drive.change(id, {}, 'x'.repeat(100))
    })
    expect(await read(id, 20)).toMatchObject({ grown: { size: 100 } })
  })
})

describe('what counts as a broken connection', () => {
  it('is what the network says, and nothing that is ours', () => {
    expect(isBroken(Object.assign(new Error(), { code: 'ECONNRESET' }))).toBe(true)
    expect(isBroken(new WaybillError('unavailable', ''))).toBe(true)
    expect(isBroken(new WaybillError('rate_limited', ''))).toBe(false)
    expect(isBroken(new Error('a mistake'))).toBe(false)
    expect(isBroken(AbortSignal.abort().reason)).toBe(false)
  })
})
