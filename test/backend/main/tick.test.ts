import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { readSettings } from '../../../backend/config.ts'
import { createLog } from '../../../backend/log.ts'
import { openWaybill } from '../../../backend/main.ts'
import { openOneMachine } from '../../../backend/main/on-one-machine.ts'

it('a tick works on runs also while no audit log can be signed, and says that it cannot', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-tick-'))
  const settings = readSettings({
    GOOGLE_CLIENT_ID: 'id',
    GOOGLE_CLIENT_SECRET: 'secret',
    DROPBOX_APP_KEY: 'key',
    DROPBOX_APP_SECRET: 'secret',
    WAYBILL_STORE: join(folder, 'waybill.db'),
  })
  const logged: string[] = []
  const log = createLog({ write: (line) => logged.push(line), clock: Date.now })
  const kek = {
    id: 'kek',
    key: createSecretKey(randomBytes(32)),
    created: '',
    state: 'active' as const,
  }
  const effects = { now: Date.now, random: randomBytes, report: () => undefined }
  const platform = openOneMachine(settings, { keks: [kek], signKeys: [] }, effects)
  const waybill = openWaybill({ settings, platform, log })
  await waybill.rewrapKeys(new AbortController().signal)
  await expect(waybill.chainActs()).rejects.toMatchObject({ code: 'key_unavailable' })
  // Its first tick is part of the start.
  await waybill.work()
  expect(logged.join('')).toMatch(/"audit_failed".*"key_unavailable"/)
  await waybill.close()
  rmSync(folder, { recursive: true, force: true })
})
