import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { forkClouds } from '../../clouds/fork.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'
import { connectBoth, createHome } from './run-waybill.ts'
import type { Home } from './run-waybill.ts'

const open = ['--passphrase-file', 'passphrase'] as const

describe('what is kept about a person, on the command line', () => {
  let clouds: ForkedClouds
  let home: Home
  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'me' })
  })
  afterAll(async () => clouds.close())
  beforeEach(async () => {
    home = await createHome(clouds)
    await connectBoth(home, clouds)
  })
  afterEach(async () => home.remove())

  it('is exported to a file of their own, without tokens', async () => {
    const exported = await home.run(['me', 'export', 'me.jsonl', ...open])
    expect(exported).toMatchObject({ exitCode: 0, errors: '' })
    const file = join(home.folder, 'me.jsonl')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const text = await readFile(file, 'utf8')
    const lines = text.trimEnd().split('\n')
    const kinds = lines.map((line) => String(JSON.parse(line).kind))
    expect(kinds.filter((kind) => kind === 'connection')).toHaveLength(2)
    for (const token of [clouds.drive.refreshToken, clouds.dropbox.refreshToken])
      expect(text).not.toContain(token)
    const again = await home.run(['me', 'export', 'me.jsonl', ...open])
    expect(again.errors).toContain('There is a file at that place already')
  })

  it('is erased by the code that was given, with a certificate that is verified without keys or settings', async () => {
    const asked = await home.run(['me', 'erase', ...open])
    const [, code = ''] = /--code ([0-9A-Z-]+)$/m.exec(asked.output) ?? []
    expect(code).not.toBe('')
    const wrong = await home.run(['me', 'erase', '--code', 'AAAAA-AAAAA', ...open])
    expect(wrong).toMatchObject({ exitCode: 2, output: '' })
    const still = await home.run(['connections', ...open])
    expect(still.output).toContain('Dropbox')
    const erased = await home.run(['me', 'erase', '--code', code, ...open])
    expect(erased).toMatchObject({ exitCode: 0, errors: '' })
    expect(erased.output).toContain('erasure-certificate.json')
    expect((await home.run(['connections', ...open])).output).not.toContain('Dropbox')

    for (const name of await readdir(home.folder)) {
      if (!name.endsWith('.json')) await writeFile(join(home.folder, name), '')
    }
    const verify = ['certificate', 'verify', 'erasure-certificate.json'] as const
    const alone = await home.run(verify)
    expect(alone).toMatchObject({ exitCode: 0 })
    expect(alone.output).toMatch(/^The certificate holds: erasure /)
    expect(alone.output).toContain('2 connections')
    expect(alone.errors).toContain('--key')
    const [, key = ''] = /^ {2}(\S+)$/m.exec(alone.output) ?? []
    expect(await home.run([...verify, '--key', key])).toMatchObject({ exitCode: 0, errors: '' })
    const file = join(home.folder, 'erasure-certificate.json')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('\\"connections\\":2', '\\"connections\\":3'))
    const changed = await home.run([...verify, '--key', key])
    expect(changed).toMatchObject({ exitCode: 1, output: '' })
    expect(changed.errors).toContain('(audit_invalid)')
  })
})
