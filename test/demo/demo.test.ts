import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Report } from './report.ts'

const program = fileURLToPath(new URL('./demo.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-demo-test-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly exitCode: number | string | null | undefined
  readonly output: string
  readonly errors: string
}

async function demo(...args: readonly string[]): Promise<Ended> {
  // What the demo leaves in the place for temporary files, it leaves in this folder.
  const env = { ...process.env, TMPDIR: join(folder, 'temporary'), NODE_OPTIONS: '' }
  mkdirSync(env.TMPDIR)
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env }, (error, output, errors) =>
      resolve({ exitCode: error === null ? 0 : error.code, output, errors }),
    )
  })
}

describe('the demo', () => {
  it('copies every hard case, proves it, and prints one object and nothing else', async () => {
    const kept = join(folder, 'kept')
    const { exitCode, output, errors } = await demo('--once', '--json', '--keep', kept)
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
    const report: Report = JSON.parse(output)
    expect(report).toMatchObject({
      ok: true,
      files: 226,
      proven: 226,
      folders: 12,
      provenFolders: 12,
      accounted: { not_exportable: 1, shortcut: 2, dangling_shortcut: 1, download_forbidden: 1 },
      wrong: [],
      runs: [{ run: 1, copied: 238 }],
      receipts: [join(kept, 'receipt-1.jsonl')],
    })
    const lines = readFileSync(join(kept, 'receipt-1.jsonl'), 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(238 + 5 + 1)
    expect(readdirSync(join(folder, 'temporary'))).toEqual([])
  })

  it('copies a real folder without touching it', async () => {
    const from = join(folder, 'Mine')
    mkdirSync(join(from, 'inside'), { recursive: true })
    writeFileSync(join(from, 'a.txt'), 'a')
    writeFileSync(join(from, 'inside', 'b.txt'), 'b')
    const { exitCode, output } = await demo('--from', from, '--once', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(output)).toMatchObject({ ok: true, files: 2, proven: 2, folders: 2 })
    expect(readFileSync(join(from, 'a.txt'), 'utf8')).toBe('a')
  })

  it('refuses a folder that is not there', async () => {
    const { exitCode, output, errors } = await demo('--from', join(folder, 'nowhere'))
    expect(exitCode).toBe(1)
    expect(output).toBe('')
    expect(errors).toContain('It must be a folder.')
  })
})
