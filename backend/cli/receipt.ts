import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { WaybillError } from '../../shared/errors.ts'
import { verifyReceipt } from '../run/verify-receipt.ts'
import { createAmounts } from './amounts.ts'
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

async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

/** Never replaces a file, and leaves none behind that is not whole. */
async function writeNew(path: string, lines: AsyncGenerator<string>): Promise<void> {
  const first = await lines.next()
  const rest = async function* (): AsyncGenerator<string> {
    if (first.done !== true) yield first.value
    yield* lines
  }
  // A receipt holds names: it is for its owner only.
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 })
  let isOurs = false
  file.once('open', () => {
    isOurs = true
  })
  try {
    await pipeline(Readable.from(rest()), file)
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code === 'EEXIST')
      throw new WaybillError(
        'invalid_request',
        'There is a file at that place already: name another one.',
        { cause },
      )
    if (isOurs) await rm(path, { force: true })
    if (code === undefined) throw cause
    throw new WaybillError('settings_invalid', `The file cannot be written: ${wordsOf(code)}.`, {
      cause,
    })
  }
}

async function reading<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code === undefined) throw cause
    throw new WaybillError('invalid_request', `The file cannot be read: ${wordsOf(code)}.`, {
      cause,
    })
  }
}

/** @returns the system's name for what went wrong with a file, such as `ENOENT`. */
function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function wordsOf(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'there is nothing at that place'
    case 'EACCES':
    case 'EPERM':
      return 'you are not allowed to'
    case 'EISDIR':
      return 'it is a folder'
    case 'EROFS':
      return 'the disk is read-only'
    case 'ENOSPC':
      return 'the disk is full'
    default:
      return code
  }
}
