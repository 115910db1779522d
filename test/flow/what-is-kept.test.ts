import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startUnderTest } from '../waybill-under-test.ts'
import type { UnderTest } from '../waybill-under-test.ts'

let t: UnderTest
beforeEach(async () => {
  t = await startUnderTest()
})
afterEach(async () => {
  await t.close()
})

describe('what is kept', () => {
  it('holds no name, address, token or source id in the clear', async () => {
    const { drive, dropbox } = t.clouds
    const folder = drive.addFolder('Secret plans')
    const file = drive.addFile(folder, 'canary-name.txt', 'canary-content')
    await t.copy({ kind: 'folder', id: folder }, '/Canary folder')
    const at = dirname(t.settings.store)
    const kept = Buffer.concat(readdirSync(at).map((name) => readFileSync(join(at, name))))
    const secrets = [
      'canary-name',
      'Secret plans',
      'Canary folder',
      'canary-content',
      file,
      folder,
      drive.account.email,
      drive.account.refreshToken,
      drive.account.accessToken,
      dropbox.account.refreshToken,
      dropbox.account.accessToken,
    ]
    for (const secret of secrets) {
      expect(kept.includes(secret)).toBe(false)
      expect(t.logged.some((line) => line.includes(secret))).toBe(false)
    }
  })
})
