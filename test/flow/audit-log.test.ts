import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { tickPath } from '../../backend/api/tasks.ts'
import { verifyLog } from '../../backend/audit/verify-log.ts'
import type { VerifiedLog } from '../../backend/audit/verify-log.ts'
import type { UnderTest } from '../waybill-under-test.ts'
import { onBothPlatforms } from './on-both-platforms.ts'

/** What Cloud Scheduler does each minute. */
async function tickAsScheduler(
  t: UnderTest,
  { account, audience }: { readonly account: string; readonly audience: string },
): Promise<void> {
  const claims = { sub: '1097', aud: audience, email: account, more: { azp: '1097' } }
  const authorization = `Bearer ${await t.clouds.issuer.mintIdToken(claims)}`
  const url = `${await t.serve()}${tickPath}`
  const { status } = await fetch(url, { method: 'POST', headers: { authorization } })
  if (status !== 204) throw new Error(`the tick was answered with ${status}`)
}

onBothPlatforms('the audit log', (start) => {
  it('tells of all that a person did, signed by the platform’s own key', async () => {
    const t = await start()
    const { drive } = t.clouds
    const folder = drive.addFolder('Folder')
    drive.addFile(folder, 'file', 'content')
    const job = await t.copy({ kind: 'folder', id: folder })
    await t.receipt(job.id)
    await t.waybill.rewrapKeys(new AbortController().signal)
    await t.waybill.chainActs()
    const { lines } = await t.waybill.audit.list(t.user, { from: 0, limit: 100 })
    expect(lines.map(({ line }) => line.act)).toEqual([
      'account_connected',
      'account_connected',
      'job_created',
      'receipt_fetched',
    ])
    const texts: string[] = []
    for await (const text of t.waybill.audit.export(t.user)) texts.push(text)
    expect(await verifyLog(texts)).toMatchObject({ lines: 4 })
    const operators: string[] = []
    for await (const text of t.waybill.audit.export('operator')) operators.push(text)
    expect(operators.some((text) => text.includes('keys_rewrapped'))).toBe(true)
    await t.close()
  })

  it('is signed by the tick, without anybody asking for it', async () => {
    const t = await start()
    const exported = async (): Promise<VerifiedLog | null> => {
      const texts: string[] = []
      for await (const text of t.waybill.audit.export(t.user)) texts.push(text)
      return texts.length === 0 ? null : verifyLog(texts)
    }
    // On one machine it ticks by itself.
    if (t.settings.googleCloud !== null) await tickAsScheduler(t, t.settings.googleCloud.runner)
    let log = await exported()
    while (log === null) {
      await sleep(500)
      log = await exported()
    }
    expect(log.lines).toBe(2)
    await t.close()
  })
})
