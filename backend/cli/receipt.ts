import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { verifyReceipt } from '../run/verify-receipt.ts'
import { createAmounts } from './amounts.ts'
import { reading, withEnds, writeNew } from './files.ts'
import { runNumber } from './flags.ts'
import { linesOf } from './lines.ts'
import { openSession } from './session.ts'
import type { SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'

interface ShowFlags extends SharedFlags {
  readonly run?: number
  readonly out?: string
}

/** Adds `waybill receipt show` and `waybill receipt verify`. */
export function addReceipt(program: Command, shell: Shell): void {
  const receipt = program.command('receipt').description('get a receipt, or check one')

  receipt
    .command('show')
    .description('write the receipt of a job: one line of JSON for each item, the summary last')
    .argument('<job>', 'the id of the job')
    .option('--run <number>', 'an earlier run than the newest', runNumber)
    .option('--out <file>', 'write to a new file instead of the output')
    .action(async (job: string, _flags, command: Command) => {
      const { run, out, ...flags } = command.optsWithGlobals<ShowFlags>()
      await using session = await openSession(shell, flags)
      const lines = withEnds(session.waybill.jobs.receipt(session.user, job, run))
      if (out === undefined) await pipeline(lines, shell.output, { end: false })
      else await writeNew(out, lines)
    })

  receipt
    .command('verify')
    .description('recompute the root and the totals of a receipt from its lines')
    .argument('<file>', 'the receipt, or - for standard input')
    .option('--root <hex>', 'the root as you know it from elsewhere')
    .action(async (file: string, { root }: { readonly root?: string }) => {
      const stream = file === '-' ? shell.input : createReadStream(file)
      const { summary } = await reading(() => verifyReceipt(linesOf(stream), root?.toLowerCase()))
      const { count, bytes } = createAmounts(shell.locale)
      const expected = root === undefined ? '' : ', which is the one expected'
      shell.print(
        `The receipt is whole: its ${count(summary.lines)} lines, ${count(summary.copied)} copied with ${bytes(summary.bytes)}, give the root ${summary.root}${expected}.`,
      )
    })
}
