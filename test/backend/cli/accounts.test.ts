import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { forkClouds } from '../../clouds/fork.ts'
import type { ForkedClouds } from '../../clouds/fork.ts'
import { connectBoth, createHome } from './run-waybill.ts'
import type { Home } from './run-waybill.ts'

const open = ['--passphrase-file', 'passphrase'] as const

describe('accounts, at the command line', () => {
  let clouds: ForkedClouds
  let home: Home
  beforeAll(async () => {
    clouds = await forkClouds({ seed: 'accounts' })
  })
  afterAll(async () => clouds.close())
  beforeEach(async () => {
    home = await createHome(clouds)
  })
  afterEach(async () => home.remove())

  it('are connected by a link to a browser of this machine', async () => {
    const { output, exitCode } = await home.run(['connect', 'dropbox', '--browser', ...open])
    expect(exitCode).toBe(0)
    expect(output).toMatch(/^http:\/\/localhost:\d+\/connect\/[A-Za-z0-9_-]{43}\n$/)
    const whole = ['connect', 'google-drive', '--browser', '--access', 'whole', ...open]
    expect((await home.run(whole)).errors).toMatch(/operator has not allowed.*\(invalid_request\)/)
  })

  it('are disconnected by their id, once', async () => {
    await connectBoth(home, clouds)
    const before = (await home.run(['connections', ...open])).output
    const id = /^(\S+) .*Dropbox/m.exec(before)?.[1] ?? ''
    const { output } = await home.run(['disconnect', id, ...open])
    expect(output).toBe('Disconnected: the provider has taken the access back.\n')
    expect((await home.run(['connections', ...open])).output).not.toContain('Dropbox')
    expect((await home.run(['disconnect', id, ...open])).errors).toContain('(not_found)')
  })

  it('are frozen and let go again', async () => {
    expect((await home.run(['freeze', ...open])).output).toMatch(/^Frozen: /)
    const link = await home.run(['connect', 'dropbox', '--browser', ...open])
    expect([link.exitCode, link.errors]).toEqual([1, expect.stringContaining('(frozen)')])
    expect((await home.run(['unfreeze', ...open])).output).toMatch(/^Not frozen any more/)
    expect((await home.run(['connect', 'dropbox', '--browser', ...open])).exitCode).toBe(0)
  })
})
