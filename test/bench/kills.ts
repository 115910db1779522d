import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { verifyReceipt } from '../../backend/run/verify-receipt.ts'
import { receiptLine } from '../../shared/receipt-schema.ts'
import { seededRandom } from '../clouds/random.ts'
import type { Dump, DumpEntry } from '../clouds/simulated-cloud.ts'
import { complete, within } from './bench-setting.ts'
import type { Setting } from './bench-setting.ts'
import type { Measurement } from './figure.ts'

const leastKills = 20
const leastFiles = 10_000
const seed = 'kills'
/** The longest that a backend works before it is killed, and how long one may live that is killed right after another. */
const longestLifeMs = 2_000
const shortLifeMs = 300
const answerMs = 10
const busy = 'busy'

/**
 * Copies a tree of real files while its backend is killed again and again, and compares what is there in the end: each
 * file once, with its hash, and each item with one line in a receipt whose root is right.
 */
export const kills: Measurement = {
  figures: [{ name: 'kills', unit: 'problems', reach: { most: 0 } }],
  measure: async () =>
    within(
      { seedFolder: fileURLToPath(new URL('../../node_modules', import.meta.url)), latencyMs: 2 },
      async (setting) => {
        const { drive, dropbox } = setting.clouds
        await setting.begin()
        const root = await drive.control.root()
        const request = setting.request({ kind: 'folder', id: root })
        const job = await setting.backend().control.create(request)
        const killed = await killAtRandom(setting, job)
        const { run } = complete(await setting.backend().control.settled(job)).job
        const texts = await setting.backend().control.receipt(job)
        const { summary } = await verifyReceipt(texts, run.root ?? '')
        const [source, copies] = [await drive.control.dump(), await dropbox.control.dump()]
        const found = compare(source, copies, texts.slice(0, -1))
        const problems = {
          'kills too few': Math.max(0, leastKills - killed.kills),
          'files too few': Math.max(0, leastFiles - found.files),
          twins: found.twins,
          missing: found.missing,
          'wrong hash': found.wrongHash,
          'items without a line': found.withoutLine,
          'lines too many': found.linesTooMany,
        }
        const value = Object.values(problems).reduce((sum, count) => sum + count, 0)
        const details = {
          ...killed,
          files: found.files,
          lines: summary.lines,
          'receipt root': 'verified',
          ...problems,
        }
        return [{ value, details }]
      },
    ),
}

/** Kills backend after backend at moments drawn by seed, some soon after the last; the one that is left goes on. */
async function killAtRandom(setting: Setting, job: string) {
  const random = seededRandom(seed)
  const phases: string[] = []
  let [count, soonAfter] = [0, 0]
  while (count < leastKills + 5) {
    const soon = count > 0 && random() < 0.3
    await sleep(random() * (soon ? shortLifeMs : longestLifeMs))
    const progress = setting.backend().control.progress(job)
    // A backend that is too busy to answer is killed all the same, in the middle of what keeps it busy.
    const seen = await Promise.race([progress.catch(() => null), sleep(answerMs, null)])
    if (seen?.state === 'done') break
    phases.push(seen?.phase ?? busy)
    await setting.replace()
    await setting.goOn()
    count += 1
    if (soon) soonAfter += 1
  }
  const inPhase = (name: string): number => phases.filter((each) => each === name).length
  return {
    kills: count,
    'soon after another': soonAfter,
    'while scanning': inPhase('scan'),
    'while planning': inPhase('plan'),
    'while copying': inPhase('copy'),
    'while closing': inPhase('close'),
    'while too busy to say': inPhase(busy),
  }
}

function compare(source: Dump, copies: Dump, texts: readonly string[]) {
  const lines = texts.map((text) => receiptLine.parse(JSON.parse(text)))
  const items = new Map(Object.values(source).map((entry) => [entry.id, entry]))
  const byItem = Map.groupBy(lines, (line) => line.source.id)
  const places = new Set<string>()
  let [files, missing, wrongHash] = [0, 0, 0]
  for (const item of items.values()) {
    if (item.kind !== 'file') continue
    files += 1
    const [line] = byItem.get(item.id) ?? []
    const path = line?.destination?.path.slice(1)
    const copy: DumpEntry | undefined = path === undefined ? undefined : copies[path]
    if (path === undefined || copy === undefined || places.has(path)) missing += 1
    else if (copy.sha256 !== item.sha256) wrongHash += 1
    if (path !== undefined) places.add(path)
  }
  const copied = Object.entries(copies).filter(([, { kind }]) => kind === 'file')
  return {
    files,
    missing,
    wrongHash,
    twins: copied.filter(([path]) => !places.has(path)).length,
    withoutLine: [...items.keys()].filter((id) => !byItem.has(id)).length,
    linesTooMany: lines.length - byItem.size,
  }
}
