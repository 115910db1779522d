import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { verifyReceipt } from '../backend/run/verify-receipt.ts'
import type { ReceiptLine } from '../shared/receipt.ts'
import { within } from './bench/bench-setting.ts'
import type { Setting, SettingOptions } from './bench/bench-setting.ts'
import { seededRandom } from './clouds/random.ts'
import { describeWithFirestore } from './platform/firestore.ts'

const MiB = 1024 * 1024
const largeBytes = 40 * MiB
/** What one kill may cost of the large file: the chunk that was on its way. */
const chunk = 8 * MiB
const mostKills = 7
/** Firestore keeps the locks of a process that died inside a transaction until it takes that for idle: 60 s. */
const patienceMs = 300_000

/** Bytes of files that are sent in chunks: small ones come by another call. */
async function bytesSentInChunks({ clouds }: Setting): Promise<number> {
  const { byRoute } = await clouds.dropbox.control.callsSnapshot()
  return ['start', 'append_v2'].reduce(
    (sum, call) => sum + (byRoute[`dropbox.files/upload_session/${call}`]?.bytesIn ?? 0),
    0,
  )
}

/** @returns whether the run was over before that many milliseconds had passed. */
async function isOverWithin(setting: Setting, job: string, ms: number): Promise<boolean> {
  const over = setting
    .backend()
    .control.settled(job)
    .then(() => true)
    // It is killed while it is asked.
    .catch(() => false)
  return Promise.race([over, sleep(ms, false)])
}

/** Kills the backend again and again, at moments that the seed decides; returns how often. */
async function killOften(setting: Setting, job: string, seed: string): Promise<number> {
  const random = seededRandom(seed)
  let kills = 0
  while (kills < mostKills && !(await isOverWithin(setting, job, 30 + random() * 400))) {
    await setting.replace()
    kills += 1
    if (random() < 0.4) {
      // The next one dies too, while it finds out what the last has left.
      const open = setting.goOn().catch(() => undefined)
      await sleep(random() * 400)
      await setting.replace()
      await open
      kills += 1
    }
    await setting.goOn()
  }
  return kills
}

function declareKills(more: () => Pick<SettingOptions, 'firestore'>): void {
  it.each(['one', 'two'])(
    'leaves every file there once, with a receipt that is complete (seed %s)',
    async (seed) => {
      await within({ latencyMs: 4, leaseMs: 1_500, ...more() }, async (setting) => {
        const { drive, dropbox } = setting.clouds
        const top = await drive.control.addFolder('Top')
        await drive.control.addTree({
          parent: top,
          folders: 12,
          filesPerFolder: 20,
          fileSize: 3000,
          depth: 3,
        })
        await drive.control.addFile(top, 'large', { pattern: seed, size: largeBytes })
        await setting.begin()
        const job = await setting
          .backend()
          .control.create(setting.request({ kind: 'folder', id: top }))
        const kills = await killOften(setting, job, seed)
        const { run } = (await setting.backend().control.settled(job)).job
        expect(run).toMatchObject({ state: 'done', totals: { copied: 253, failed: 0, skipped: 0 } })
        expect(kills).toBeGreaterThan(2)

        const texts = await setting.backend().control.receipt(job)
        const { summary } = await verifyReceipt(texts, run.root ?? '')
        expect(summary.lines).toBe(253)
        const lines = texts.slice(0, -1).map((text): ReceiptLine => JSON.parse(text))
        expect(new Set(lines.map((line) => line.source.id)).size).toBe(253)
        expect(
          lines.filter(({ source, proof }) => source.kind === 'file' && proof !== 'both-checksums'),
        ).toEqual([])

        const hashes = (dump: Awaited<ReturnType<typeof dropbox.control.dump>>) =>
          Object.entries(dump)
            .filter(([, entry]) => entry.kind === 'file')
            .map(([path, entry]) => `${path.split('/').slice(1).join('/')} ${entry.sha256}`)
            .toSorted()
        expect(hashes(await dropbox.control.dump())).toEqual(hashes(await drive.control.dump()))
        expect(await bytesSentInChunks(setting)).toBeLessThanOrEqual(largeBytes + kills * chunk)
      })
    },
    patienceMs,
  )
}

describe('a worker that is killed again and again, on one machine', () => {
  declareKills(() => ({}))
})
describeWithFirestore('a worker that is killed again and again, in Google Cloud', (firestore) => {
  declareKills(() => ({ firestore }))
})
