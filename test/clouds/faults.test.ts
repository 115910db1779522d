import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import type { Answer, Route } from './call.ts'
import { createCallLog } from './call-log.ts'
import type { CallLog } from './call-log.ts'
import { patternContent, readContent } from './content.ts'
import { faultCatalogue } from './fault-catalogue.ts'
import { createFaults } from './faults.ts'
import type { Faults } from './faults.ts'
import { serve } from './http-server.ts'
import type { Served } from './http-server.ts'

const file = new URL('../../../shared/knowledge/faults.json', import.meta.url)
const present = existsSync(file)
const content = patternContent('fault', 300_000)

let server: Served
let calls: CallLog
let faults: Faults
let written: number

beforeEach(async () => {
  calls = createCallLog()
  faults = createFaults('google')
  written = 0
  const body = (): Answer => ({ content: { content, from: 0, to: content.size } })
  const write = (): Answer => {
    written++
    return { json: { written } }
  }
  const list = (): Answer => ({ json: { files: [{ id: 'a' }, { id: 'b' }] } })
  const routes: readonly Route[] = [
    {
      name: 'drive.files.download',
      kind: 'download',
      method: 'GET',
      path: '/files/{id}',
      units: 200,
      handle: body,
    },
    {
      name: 'drive.files.list',
      kind: 'list',
      method: 'GET',
      path: '/files',
      units: 100,
      handle: list,
    },
    { name: 'drive.files.create', kind: 'write', method: 'POST', path: '/files', handle: write },
  ]
  server = await serve({ routes, calls, faults })
})

afterEach(() => server.close())

async function bytesOf(path: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${server.url}${path}`)).arrayBuffer())
}

describe('a planned fault', () => {
  it('is injected into exactly the call that was meant', async () => {
    faults.plan({ route: 'drive.files.list', nth: 2, fault: 'drive.backendError' })
    const status = async (): Promise<number> => (await fetch(`${server.url}/files`)).status
    expect([await status(), await status(), await status()]).toEqual([200, 500, 200])
    expect(faults.injected().map(({ id }) => id)).toEqual(['drive.backendError'])
  })

  it('can lose the answer of a write that has happened', async () => {
    faults.plan({ route: 'drive.files.create', fault: 'net.reset_before_response.applied' })
    await expect(fetch(`${server.url}/files`, { method: 'POST', body: 'x' })).rejects.toThrow(
      'fetch failed',
    )
    expect(written).toBe(1)
  })

  it('can reset a write that has not happened', async () => {
    faults.plan({ route: 'drive.files.create', fault: 'net.reset_before_response' })
    await expect(fetch(`${server.url}/files`, { method: 'POST', body: 'x' })).rejects.toThrow(
      'fetch failed',
    )
    expect(written).toBe(0)
  })

  it.each(['net.reset_mid_download', 'net.short_body_clean_close'])(
    'ends a body too early (%s)',
    async (id) => {
      faults.plan({ route: 'drive.files.download', fault: id })
      await expect(bytesOf('/files/one')).rejects.toThrow('terminated')
      expect((await bytesOf('/files/one')).length).toBe(content.size)
    },
  )

  it('flips one byte and leaves the source as it is', async () => {
    faults.plan({ route: 'drive.files.download', fault: 'net.corrupt_byte' })
    const whole = await readContent(content)
    const damaged = await bytesOf('/files/one')
    expect(damaged.length).toBe(whole.length)
    expect([...damaged].filter((byte, at) => byte !== whole[at])).toHaveLength(1)
    expect((await bytesOf('/files/one')).equals(whole)).toBe(true)
  })

  it('stalls until the client has had enough', async () => {
    faults.plan({ route: 'drive.files.download', fault: 'net.stall' })
    const response = await fetch(`${server.url}/files/one`, { signal: AbortSignal.timeout(200) })
    await expect(response.arrayBuffer()).rejects.toThrow('timeout')
  })

  it('repeats an item of a page', async () => {
    faults.plan({ route: 'drive.files.list', fault: 'net.page_repeat' })
    expect(await (await fetch(`${server.url}/files`)).json()).toEqual({
      files: [{ id: 'a' }, { id: 'b' }, { id: 'a' }],
    })
  })
})

describe('a menu of faults', () => {
  async function walk(order: readonly string[]): Promise<Record<string, string[]>> {
    faults.clear()
    faults.menu({ seed: 7, rate: 0.4 })
    await Promise.all(order.map((id) => bytesOf(`/files/${id}`).catch(() => null)))
    const found: Record<string, string[]> = {}
    for (const { id, key } of faults.injected()) (found[key] ??= []).push(id)
    return found
  }

  it('meets the same items with the same faults, in whatever order they are asked for', async () => {
    const ids = Array.from({ length: 40 }, (_, at) => `item${at}`)
    const first = await walk(ids)
    expect(Object.keys(first).length).toBeGreaterThan(5)
    expect(await walk(ids.toReversed())).toEqual(first)
  })

  it('touches one item at most twice, so that work always ends', async () => {
    faults.menu({ seed: 1, rate: 1 })
    for (let nth = 0; nth < 10; nth++) await bytesOf('/files/one').catch(() => null)
    expect(faults.injected()).toHaveLength(2)
  })

  it('has only the faults that were asked for', async () => {
    faults.menu({ seed: 3, rate: 1, ids: ['drive.downloadQuotaExceeded'] })
    expect((await fetch(`${server.url}/files/one`)).status).toBe(403)
    expect((await fetch(`${server.url}/files`)).status).toBe(200)
  })
})

describe('the call log', () => {
  it('counts every call, its bytes and its price, also the refused and the unknown', async () => {
    await bytesOf('/files/one')
    const before = calls.snapshot()
    await bytesOf('/files/one')
    faults.plan({ route: 'drive.files.list', fault: 'drive.userRateLimitExceeded' })
    await bytesOf('/files')
    await fetch(`${server.url}/files`, { method: 'POST', body: '12345' })
    await bytesOf('/elsewhere')
    const { byRoute, ...total } = calls.since(before)
    expect(total).toMatchObject({ calls: 4, refused: 2, faulted: 1, units: 300 })
    expect(byRoute['drive.files.download']).toMatchObject({
      calls: 1,
      bytesOut: content.size,
      units: 200,
    })
    expect(byRoute['drive.files.create']).toMatchObject({ calls: 1, bytesIn: 0, refused: 0 })
    calls.reset()
    expect(calls.snapshot().calls).toBe(0)
  })

  it('counts what it read of a body, and answers also when that was not all', async () => {
    const route: Route = {
      name: 'drive.upload',
      kind: 'write',
      method: 'POST',
      path: '/upload',
      handle: async (call) => ({ json: (await call.body(1_000_000)).length }),
    }
    const own = await serve({ routes: [route], calls })
    const post = (size: number): Promise<Response> =>
      fetch(`${own.url}/upload`, { method: 'POST', body: Buffer.alloc(size) })
    try {
      expect((await post(5_000_000)).status).toBe(413)
      const before = calls.snapshot()
      expect(await (await post(1_000_000)).json()).toBe(1_000_000)
      expect(calls.since(before).bytesIn).toBe(1_000_000)
    } finally {
      await own.close()
    }
  })

  it('counts the calls to a cloud that is offline', async () => {
    server.setOffline(true)
    await expect(fetch(`${server.url}/files`)).rejects.toThrow('fetch failed')
    server.setOffline(false)
    expect((await fetch(`${server.url}/files`)).status).toBe(200)
    expect(calls.snapshot()).toMatchObject({ calls: 2, refused: 1 })
  })
})

describe('the catalogue', () => {
  it('has each fault once', () => {
    expect(new Set(faultCatalogue.map(({ id }) => id)).size).toBe(faultCatalogue.length)
  })
})

;(present ? describe : describe.skip)(
  'the catalogue of real failures (needs the materials folder)',
  () => {
    it('has no fault that is not a real one (needs the materials folder)', () => {
      const known: { faults: { id: string }[] } = JSON.parse(readFileSync(file, 'utf8'))
      const ids = new Set(known.faults.map(({ id }) => id))
      const strangers = faultCatalogue.filter(({ id }) => !ids.has(id.replace(/\.applied$/, '')))
      expect(strangers.map(({ id }) => id)).toEqual([])
    })
  },
)
