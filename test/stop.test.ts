import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { within } from './bench/bench-setting.ts'
import type { SettingOptions } from './bench/bench-setting.ts'
import { describeWithFirestore } from './platform/firestore.ts'

const MiB = 1024 * 1024
const chunk = 8 * MiB
const largeBytes = 96 * MiB
/** A lease that was not given back would keep the next process waiting for a minute. */
const soonMs = 40_000
/** Cloud Run kills what has not ended by then: https://docs.cloud.google.com/run/docs/container-contract#instance-shutdown */
const graceMs = 10_000

function declareStop(more: () => Pick<SettingOptions, 'firestore'>): void {
  it(
    'writes down how far it is, gives its run back, and the next process goes on at once',
    async () => {
      await within({ latencyMs: 40, ...more() }, async (setting) => {
        const { drive, dropbox } = setting.clouds
        const top = await drive.control.addFolder('Top')
        await drive.control.addTree({ parent: top, folders: 3, filesPerFolder: 20, fileSize: 900 })
        await drive.control.addFile(top, 'large', { pattern: 'stop', size: largeBytes })
        await setting.begin()
        const { control } = setting.backend()
        const job = await control.create(setting.request({ kind: 'folder', id: top }))
        while ((await control.progress(job)).sentBytes < chunk) await sleep(10)

        const ended = control.close().then(() => 'ended')
        expect(await Promise.race([ended, sleep(graceMs, 'still there')])).toBe('ended')

        await setting.replace()
        await setting.goOn()
        const { run } = (await setting.backend().control.settled(job)).job
        expect(run).toMatchObject({ state: 'done', totals: { copied: 64, failed: 0, skipped: 0 } })
        const { byRoute } = await dropbox.control.callsSnapshot()
        const sent = ['start', 'append_v2'].reduce(
          (sum, call) => sum + (byRoute[`dropbox.files/upload_session/${call}`]?.bytesIn ?? 0),
          0,
        )
        expect(sent).toBeLessThanOrEqual(largeBytes + chunk)
      })
    },
    soonMs,
  )
}

describe('a process that is asked to end, on one machine', () => {
  declareStop(() => ({}))
})
describeWithFirestore('a process that is asked to end, in Google Cloud', (firestore) => {
  declareStop(() => ({ firestore }))
})
