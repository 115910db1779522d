import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { verifyReceipt } from '../backend/run/verify-receipt.ts'
import type { ReceiptLine } from '../shared/receipt.ts'
import { within } from './bench/bench-setting.ts'
import type { Setting, SettingOptions } from './bench/bench-setting.ts'
import { seededRandom } from './clouds/random.ts'
import type { Random } from './clouds/random.ts'
import type { Dump } from './clouds/simulated-cloud.ts'
import { describeWithFirestore } from './platform/firestore.ts'

const MiB = 1024 * 1024
const largeBytes = 40 * MiB
/** What one kill may cost of the large file: the chunk that was on its way. */
const chunk = 8 * MiB
/** Of each seed; two seeds make twenty on each platform. */
const kills = 10
/** Twelve folders with twenty files each, the folder around them, and the large file. */
const itemsOfPart = 12 * 20 + 12 + 1 + 1
const leaseMs = 1_500
const patienceMs = 300_000

/** What the next run finds to carry. */
async function addPart({ clouds: { drive } }: Setting, top: string, name: string): Promise<void> {
  const parent = await drive.control.addFolder(name, top)
  await drive.control.addTree({ parent, folders: 12, filesPerFolder: 20, fileSize: 3000, depth: 3 })
  await drive.control.addFile(parent, 'large', { pattern: name, size: largeBytes })
}

/** Bytes of files that are sent in chunks: small ones come by another call. */
async function bytesSentInChunks({ clouds }: Setting): Promise<number> {
  const { byRoute } = await clouds.dropbox.control.callsSnapshot()
  return ['start', 'append_v2'].reduce(
    (sum, call) => sum + (byRoute[`dropbox.files/upload_session/${call}`]?.bytesIn ?? 0),
    0,
  )
}

/** In Google Cloud a killed worker keeps its run until its lease is over, and the queue brings it to the next one then. */
function mayBeAtWork({ googleCloud }: Setting, killedAt: number): boolean {
  if (googleCloud === null) return true
  const isFree = Date.now() - killedAt > leaseMs
  return isFree && googleCloud.tasks.queue(googleCloud.queue).underWay() > 0
}

/** @returns whether the run was over before the backend had worked for that many milliseconds. */
async function isOverWithin(
  setting: Setting,
  job: string,
  ms: number,
  killedAt: number,
): Promise<boolean> {
  const over = setting
    .backend()
    .control.settled(job)
    .then(() => true)
  // It is killed while it is asked.
  over.catch(() => undefined)
  while (!mayBeAtWork(setting, killedAt))
    if (await Promise.race([over, sleep(5, false)])) return true
  return Promise.race([over, sleep(ms, false)])
}

/** Kills the backend again and again, at moments that `random` decides; returns how often, `most` at most. */
async function killOften(
  setting: Setting,
  job: string,
  most: number,
  random: Random,
): Promise<number> {
  let killed = 0
  let killedAt = 0
  while (killed < most) {
    if (await isOverWithin(setting, job, 30 + random() * 400, killedAt)) return killed
    killedAt = Date.now()
    await setting.replace()
    killed += 1
    if (killed < most && random() < 0.4) {
      // The next one dies too, while it finds out what the last has left.
      const open = setting.goOn().catch(() => undefined)
      await sleep(random() * 400)
      killedAt = Date.now()
      await setting.replace()
      await open
      killed += 1
    }
    await setting.goOn()
  }
  return killed
}

/** Every item of the run is done, and has its line in a receipt that proves each file. */
async function expectAllCarried(setting: Setting, job: string): Promise<void> {
  const { run } = (await setting.backend().control.settled(job)).job
  const totals = { copied: itemsOfPart, failed: 0, skipped: 0 }
  expect(run).toMatchObject({ state: 'done', totals })
  const texts = await setting.backend().control.receipt(job)
  const { summary } = await verifyReceipt(texts, run.root ?? '')
  expect(summary.lines).toBe(itemsOfPart)
  const lines = texts.slice(0, -1).map((text): ReceiptLine => JSON.parse(text))
  expect(new Set(lines.map((line) => line.source.id)).size).toBe(itemsOfPart)
  const unproven = lines.filter(
    ({ source, proof }) => source.kind === 'file' && proof !== 'both-checksums',
  )
  expect(unproven).toEqual([])
}

function hashes(dump: Dump): readonly string[] {
  return Object.entries(dump)
    .filter(([, entry]) => entry.kind === 'file')
    .map(([path, entry]) => `${path.split('/').slice(1).join('/')} ${entry.sha256}`)
    .toSorted()
}

function declareKills(more: () => Pick<SettingOptions, 'firestore'>): void {
  it.each(['one', 'two'])(
    `leaves every file there once, with a receipt that is complete, ${kills} times (seed %s)`,
    async (seed) => {
      await within({ latencyMs: 4, leaseMs, ...more() }, async (setting) => {
        const { drive, dropbox } = setting.clouds
        const random = seededRandom(seed)
        await setting.begin()
        const top = await drive.control.addFolder('Top')
        await addPart(setting, top, `${seed} 1`)
        const request = setting.request({ kind: 'folder', id: top })
        const job = await setting.backend().control.create(request)
        let killed = await killOften(setting, job, kills, random)
        await expectAllCarried(setting, job)
        let runs = 1
        for (; killed < kills; runs += 1) {
          // It was over before it could be killed that often: what is left is for the next run.
          await addPart(setting, top, `${seed} ${runs + 1}`)
          await setting.backend().control.begin(job)
          killed += await killOften(setting, job, kills - killed, random)
          await expectAllCarried(setting, job)
        }
        expect(hashes(await dropbox.control.dump())).toEqual(hashes(await drive.control.dump()))
        expect(await bytesSentInChunks(setting)).toBeLessThanOrEqual(
          runs * largeBytes + killed * chunk,
        )
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
