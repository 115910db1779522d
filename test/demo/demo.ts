import { statSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { createAmounts, localeOf } from '../../backend/cli/amounts.ts'
import { tellEnding } from './ending.ts'
import { seedInstructiveTree } from './instructive-tree.ts'
import { addLargeFile } from './large-file.ts'
import { play } from './play.ts'
import { keepReceipts } from './receipts.ts'
import { reportOf } from './report.ts'
import { createBlankScreen, createScreen } from './screen.ts'
import { seedRealFolder } from './seeded-drive.ts'
import { openStage } from './stage.ts'
import type { Stage } from './stage.ts'

interface Flags {
  readonly from?: string
  readonly once?: true
  readonly json?: true
  readonly keep?: string
}

/** As fast as clouds on the same machine are, nobody would see a progress display. */
const visibleLatencyMs = 40
const to = '/From Google Drive'

const flags = new Command('demo')
  .description(
    "Shows Waybill's main job between a simulated Google Drive and a simulated Dropbox, on this machine and without any account.",
  )
  .option(
    '--from <folder>',
    'copy this folder, which is only read, instead of the made-up Drive',
    folder,
  )
  .option('--once', 'only the first copy and its verification')
  .option('--json', 'print one JSON object and nothing else')
  .option('--keep <folder>', 'keep the receipts in this folder')
  .parse()
  .opts<Flags>()

const { from, once = false, json = false, keep } = flags
const locale = localeOf()
const screen = json ? createBlankScreen() : createScreen(process.stdout)
let stage: Stage | null = null
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    // Who presses Ctrl-C twice still wants nothing left behind.
    if (interrupted) return
    interrupted = true
    screen.repair()
    const exit = (): void => process.exit(128 + constants.signals[signal])
    if (stage === null) exit()
    else void stage.close().finally(exit)
  })

try {
  stage = await openStage(json || from !== undefined ? 0 : visibleLatencyMs)
  await perform(stage)
} catch (error) {
  if (!interrupted) fail(error instanceof Error ? error.message : 'failed')
} finally {
  await stage?.close()
}

function fail(message: string): void {
  process.exitCode = 1
  if (json) process.stdout.write(`${JSON.stringify({ ok: false, error: message })}\n`)
  else screen.bad(`The demo cannot go on: ${message}`)
}

async function perform(on: Stage): Promise<void> {
  const { count, bytes } = createAmounts(locale)
  const { clouds } = on
  screen.title(
    'Waybill: a Google Drive, copied to Dropbox and proven. Nothing leaves this machine.',
  )
  screen.step('Two clouds on this machine')
  const seeded =
    from === undefined ? await seedInstructiveTree(clouds, to) : await seedRealFolder(clouds, from)
  if (once && from === undefined) await addLargeFile(clouds)
  const items = Object.values(await clouds.drive.control.dump())
  const total = items.reduce((sum, { size }) => sum + (size ?? 0), 0)
  screen.say(
    "A Google Drive and a Dropbox are simulated in a process of their own. They speak the providers' HTTP APIs, count every call, and refuse what the real ones refuse.",
    `In the Drive: ${count(items.length)} items with ${bytes(total)}${from === undefined ? ', the hard cases among them' : ''}.`,
  )
  const played = await play({ stage: on, seeded, screen, progress: !json, locale, to, once })
  const receipts = keep === undefined ? [] : await keepReceipts(played.acts, resolve(keep))
  screen.step('Compared, item by item')
  tellEnding(screen, played, seeded, { locale, keptReceipts: receipts })
  const report = reportOf(played, receipts)
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exitCode = report.ok ? 0 : 1
}

function folder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new InvalidArgumentError('It must be a folder.')
  return resolve(path)
}
