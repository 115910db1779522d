import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { holdStore, openStoreFile } from '../../../backend/store/sqlite-file.ts'
import { createSqliteStore } from '../../../backend/store/sqlite.ts'
import type { Document } from '../../../backend/store/store.ts'

const script = fileURLToPath(new URL('store-process.ts', import.meta.url))
let folder: string
let path: string
let children: ChildProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-store-'))
  path = join(folder, 'store.db')
  children = []
})
afterEach(async () => {
  await Promise.all(children.map(kill))
  rmSync(folder, { recursive: true })
})

function start(act: string): {
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
} {
  const child = spawn(process.execPath, [script, act, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

async function over(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await over(child)
}

async function ledger(): Promise<readonly Document[]> {
  const store = createSqliteStore(openStoreFile(path), { clock: Date.now })
  const found = await store.list({
    collection: 'ledger',
    where: { job: 'j', todo: 'copy' },
    limit: 100,
  })
  store.close()
  return found
}

describe('a store file used by processes', () => {
  it('has none of the transaction within which its process died', async () => {
    await over(start('die').child)
    const found = await ledger()
    expect(found).toHaveLength(50)
    expect(new Set(found.map((one) => one.fields['round']))).toEqual(new Set([1]))
  })

  it.each([3, 20, 41])(
    'has all or nothing of each transaction when killed after %d',
    async (after) => {
      const { child, lines } = start('write')
      let said = 0
      while (said < after) said = Number((await lines.next()).value)
      await kill(child)
      const found = await ledger()
      const rounds = new Set(found.map((one) => Number(one.fields['round'])))
      expect(found).toHaveLength(50)
      expect(rounds.size).toBe(1)
      expect(Math.min(...rounds)).toBeGreaterThanOrEqual(said)
      expect(new Set(found.map((one) => one.body?.at(-1))).size).toBe(1)
    },
  )

  it('loses no increment of two processes, one of which makes the file while the other does', async () => {
    await Promise.all([over(start('count').child), over(start('count').child)])
    const store = createSqliteStore(openStoreFile(path), { clock: Date.now })
    expect((await store.get('runs', 'counter'))?.fields['count']).toBe(200)
    store.close()
  })

  it('is held by one process only, until that process ends, however it ends', async () => {
    const { child, lines } = start('hold')
    await lines.next()
    expect(() => holdStore(path)).toThrow(
      expect.objectContaining({
        code: 'store_in_use',
        message: expect.stringContaining('Stop it'),
      }),
    )
    await kill(child)
    holdStore(path).release()
  })

  it('is held against the same process too, and free once released', async () => {
    const hold = holdStore(path)
    expect(() => holdStore(path)).toThrow(expect.objectContaining({ code: 'store_in_use' }))
    hold.release()
    hold.release()
    const { lines } = start('hold')
    expect((await lines.next()).value).toBe('held')
  })

  it('can be read and written by another process while it is held', async () => {
    const { lines } = start('hold')
    await lines.next()
    expect(await ledger()).toEqual([])
  })
})
