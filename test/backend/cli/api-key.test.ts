import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHome } from './run-waybill.ts'
import { forkClouds } from '../../clouds/fork.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'
import type { Home } from './run-waybill.ts'

const open = ['--passphrase-file', 'passphrase'] as const

describe('keys of the API on the command line', () => {
  let clouds: ForkedClouds
  let home: Home
  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'api-key' })
    home = await createHome(clouds)
  })
  afterAll(async () => {
    await home.remove()
    await clouds.close()
  })

  it('are shown once, alone on standard output, then listed without themselves, and revoked', async () => {
    const scopes = ['--scope', 'jobs:read', 'jobs:run']
    const args = ['api-key', 'create', '--name', 'Nightly', '--days', '30', ...scopes]
    const made = await home.run([...args, '--from', '192.0.2.0/24', ...open])
    expect(made).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^wbk_[0-9A-Za-z]{49}\n$/),
    })
    const id = /^Key (\S+), good until \d{4}-\d\d-\d\d\./.exec(made.errors)?.[1] ?? ''
    const listed = await home.run(['api-key', 'list', ...open])
    expect(listed.output).toMatch(
      new RegExp(`^${id}  Nightly  jobs:read jobs:run  until .* never used\n$`),
    )
    expect(listed.output).not.toContain(made.output.slice(4, 40))
    const json = await home.run(['api-key', 'list', '--json', ...open])
    expect(JSON.parse(json.output)).toMatchObject({ keys: [{ id, from: ['192.0.2.0/24'] }] })
    expect(await home.run(['api-key', 'revoke', id, ...open])).toMatchObject({ exitCode: 0 })
    expect(await home.run(['api-key', 'revoke', id, ...open])).toMatchObject({ exitCode: 1 })
    expect((await home.run(['api-key', 'list', ...open])).output.trim()).toBe('')
  })

  it.each([
    [['--name', 'x', '--scope', 'everything'], 'It is one of jobs:read'],
    [['--name', 'x', '--scope', 'jobs:read', '--days', '366'], 'from 1 to 365'],
    [['--name', 'x', '--scope', 'jobs:read', '--from', 'home'], 'an address or a network'],
    [['--name', '', '--scope', 'jobs:read'], 'a name'],
    [['--name', 'x'], '--scope'],
  ])('are refused where they are asked for wrongly: %j', async (args, words) => {
    const { exitCode, errors } = await home.run(['api-key', 'create', ...args, ...open])
    expect(exitCode).toBe(2)
    expect(errors).toContain(words)
  })
})
