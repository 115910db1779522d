import { basename } from 'node:path'
import { createAmounts } from '../../backend/cli/amounts.ts'
import { printable } from '../../backend/cli/printable.ts'
import { compareTrees } from './compare-trees.ts'
import type { Comparison } from './compare-trees.ts'
import { gatherEvidence } from './evidence.ts'
import { addLargeFile, killMidway, largeBytes, stallLargeFile } from './large-file.ts'
import { createPrompt, quoted } from './prompt.ts'
import type { Act, Prompt } from './prompt.ts'
import type { Screen } from './screen.ts'
import { changeDrive } from './seeded-drive.ts'
import type { SeededDrive } from './seeded-drive.ts'
import type { Stage } from './stage.ts'
import { callsIn } from './traffic.ts'

/** What is played. */
export interface Play {
  readonly stage: Stage
  readonly seeded: SeededDrive
  readonly screen: Screen
  /** Whether the progress of copies may be shown on standard error. */
  readonly progress: boolean
  readonly locale: string
  /** A folder in Dropbox, by its path. */
  readonly to: string
  /** Only the first copy and its verification. */
  readonly once: boolean
}

/** All that happened. */
export interface Played {
  /** One for each run: the first copy first. */
  readonly acts: readonly [Act, ...Act[]]
  readonly comparison: Comparison
}

/**
 * Plays everything that comes after the clouds are there, from the wallet to the last comparison, as a person would:
 * with commands.
 *
 * @throws Error when a command fails, with what it said
 */
export async function play(what: Play): Promise<Played> {
  const { stage, seeded, screen, to, once } = what
  const { clouds } = stage
  const prompt = createPrompt(stage, screen, what.progress)

  screen.step('A wallet for the keys, and two accounts')
  screen.say(
    'Here, `waybill` stands for `node backend/cli.ts`. Secrets go to it through file descriptors: no command line and no environment holds one.',
  )
  await prompt.show(['wallet', 'create'])
  await prompt.show(['connect', 'google-drive'], { token: clouds.drive.refreshToken })
  await prompt.show(['connect', 'dropbox'], { token: clouds.dropbox.refreshToken })

  screen.step('The first copy')
  const first = await prompt.act(1, 'a first copy', async () =>
    prompt.show(['copy', '--from', 'drive', '--to', to]),
  )
  const later = once ? [] : await playLater(what, prompt)

  const acts = [first, ...later] as const
  screen.step('The receipts, checked')
  await checkReceipts(acts, screen, prompt)

  const lines = acts.flatMap(({ receipt }) => receipt.lines)
  return { acts, comparison: compareTrees(await gatherEvidence(clouds, seeded, lines)) }
}

/** A root proves something only if it comes from elsewhere: from a later receipt, or, for the newest, from the store. */
async function checkReceipts(acts: Played['acts'], screen: Screen, prompt: Prompt): Promise<void> {
  const { run } = await prompt.job()
  const roots = new Map([[run.number, run.root]])
  for (const { receipt } of acts) {
    const { since } = receipt.summary
    if (since !== null) roots.set(since.run, since.root)
  }
  for (const { receipt } of acts) {
    const { file, summary } = receipt
    const root = roots.get(summary.run) ?? null
    if (root === null) throw new Error(`nothing names the root of receipt ${summary.run}`)
    const args = ['receipt', 'verify', basename(file), '--root', root]
    if (receipt === acts[0].receipt) await prompt.show(args)
    else await prompt.ask(args)
  }
  const others = acts.slice(1).map(({ receipt }) => String(receipt.summary.run))
  if (others.length > 0)
    screen.good(
      `Those of runs ${others.join(', ')} are whole as well, and each names the root of the one before.`,
    )
}

async function playLater(
  { stage, seeded, screen, progress, locale }: Play,
  prompt: Prompt,
): Promise<readonly Act[]> {
  const { clouds, waybill } = stage
  const { count, bytes } = createAmounts(locale)
  const id = await prompt.jobId()
  const again = ['copy', '--job', id]

  screen.step('A power cut in the middle of a large file')
  await addLargeFile(clouds)
  await stallLargeFile(clouds)
  screen.say(
    `A video of ${bytes(largeBytes)} has come into the Drive. In the middle of it the line goes quiet, and then the power fails.`,
  )
  let isKilled = false
  const killed = await prompt.act(2, 'a large file, killed and resumed', async () => {
    screen.command(`waybill ${again.map(quoted).join(' ')}`)
    const running = waybill.start(again, { progress })
    isKilled = await killMidway(clouds, running)
    if (isKilled) {
      screen.repair()
      screen.bad('kill -9: the process is gone, in the middle of the video.')
      await prompt.show(['resume', id])
    } else prompt.shown(again, await running.ended)
  })
  const sentTwice = Math.max(0, killed.traffic.sent - largeBytes)
  const twice = sentTwice === 0 ? 'nothing' : bytes(sentTwice)
  if (isKilled)
    screen.good(`It went on where it was. Of the ${bytes(largeBytes)}, ${twice} was sent twice.`)
  else screen.bad('It was over before it could be killed.')

  screen.step('The same again, with nothing changed')
  const unchanged = await prompt.act(3, 'nothing changed', async () => prompt.show(again))
  screen.good(`${callsIn(unchanged.traffic, count)}, however much there is.`)

  screen.step('The same again, after a few changes')
  const done = await changeDrive(clouds, seeded.changes)
  screen.say(`Somebody has ${done.join(', ')}.`)
  const changed = await prompt.act(4, 'a few changes', async () => prompt.show(again))
  screen.good(`${callsIn(changed.traffic, count)}:`)
  screen.rows(
    changed.receipt.lines.map(({ outcome, reason, source }) => [
      `  ${reason === 'left_selection' ? 'left alone' : outcome}`,
      printable(source.path.join(' / ')),
    ]),
  )
  return [killed, unchanged, changed]
}
