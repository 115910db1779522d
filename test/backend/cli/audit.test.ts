import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { forkClouds } from '../../clouds/fork.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'
import { connectBoth, createHome } from './run-waybill.ts'
import type { Home } from './run-waybill.ts'

const open = ['--passphrase-file', 'passphrase'] as const
const head = z.object({ head: z.string() })

describe('the audit log on the command line', () => {
  let clouds: ForkedClouds
  let home: Home
  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'audit' })
  })
  afterAll(async () => clouds.close())
  beforeEach(async () => {
    home = await createHome(clouds)
    await connectBoth(home, clouds)
  })
  afterEach(async () => home.remove())

  const verify = async (...args: readonly string[]) =>
    home.run(['audit', 'verify', 'log.jsonl', ...args])

  it('says what was done, to people and to programs', async () => {
    const { output } = await home.run(['audit', 'list', ...open])
    const lines = output.trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^0 .* connected an account .*connection \S+, provider google-drive$/),
      expect.stringMatching(/^1 .* connected an account .*connection \S+, provider dropbox$/),
    ])
    const json = await home.run(['audit', 'list', '--from', '1', '--json', ...open])
    expect(JSON.parse(json.output)).toMatchObject({ lines: [{ line: { number: 1 } }] })
    const nobody = await home.run(['audit', 'list', '--user', '42', ...open])
    expect(nobody).toMatchObject({ exitCode: 0, output: '' })
    expect(nobody.errors).toContain('Nothing is in the log yet.')
  })

  it('keeps what an operator does out of everybody’s log but the operator’s', async () => {
    await home.run(['keys', 'rewrap', ...open])
    const { output } = await home.run(['audit', 'list', ...open])
    expect(output).not.toContain('newest outer key')
  })

  it('is exported once, verified without keys or settings, and shows each change', async () => {
    const exporting = ['audit', 'export', '--out', 'log.jsonl', ...open] as const
    expect(await home.run(exporting)).toMatchObject({ exitCode: 0, errors: '' })
    expect((await home.run(exporting)).errors).toContain('There is a file at that place already')
    const file = join(home.folder, 'log.jsonl')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await writeFile(join(home.folder, '.env'), '')
    const text = await readFile(file, 'utf8')
    const lines = text.trimEnd().split('\n')
    const { key }: { readonly key: string } = JSON.parse(lines[0] ?? '')
    await writeFile(join(home.folder, 'head.txt'), head.parse(JSON.parse(lines.at(-1) ?? '')).head)

    const alone = await verify()
    expect(alone).toMatchObject({ exitCode: 0 })
    expect(alone.output).toMatch(/^The log is whole: its 2 acts, .* give the root [0-9a-f]{64}\.\n/)
    expect(alone.errors).toContain('--key')
    const known = await verify('--key', key, '--head', 'head.txt')
    expect(known).toMatchObject({ exitCode: 0, errors: '' })
    // A whole export serves as well; what had more acts before was cut off.
    await writeFile(join(home.folder, 'kept.jsonl'), text)
    const kept = ['--key', key, '--head', 'kept.jsonl'] as const
    expect(await verify(...kept)).toMatchObject({ exitCode: 0, errors: '' })
    const other = await verify('--key', key.replace(/^localhost/, 'elsewhere'))
    expect(other).toMatchObject({ exitCode: 2, output: '' })

    await writeFile(file, text.replace('google-drive', 'google-dr1ve'))
    const changed = await verify('--key', key)
    expect(changed).toMatchObject({ exitCode: 1, output: '' })
    expect(changed.errors).toBe(
      'waybill: Line 2: the details of act 0 are not those that were written. (audit_invalid)\n',
    )
    await writeFile(file, lines.slice(0, -1).join('\n'))
    expect((await verify()).errors).toContain('no signed head is in the file')
    await writeFile(file, Buffer.from([0xff, 0xfe]))
    expect((await verify()).errors).toContain('(audit_invalid)')
    const absent = await home.run(['audit', 'verify', 'nothing.jsonl'])
    expect(absent.errors).toContain('there is nothing at that place')
  })
})
