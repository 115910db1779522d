import { createReadStream, readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { actWords } from '../../shared/audit.ts'
import type { AuditEntry } from '../../shared/audit.ts'
import { auditExport } from '../../shared/audit-schema.ts'
import { verifyLog } from '../audit/verify-log.ts'
import type { VerifiedLog } from '../audit/verify-log.ts'
import { createAmounts } from './amounts.ts'
import { reading, withEnds, writeNew } from './files.ts'
import { lineNumber } from './flags.ts'
import { linesOf } from './lines.ts'
import { printable } from './printable.ts'
import { openSession } from './session.ts'
import type { Session, SharedFlags } from './session.ts'
import type { Shell } from './shell.ts'
import { table } from './table.ts'

const PAGE = 100

interface VerifyFlags {
  readonly key?: readonly string[]
  readonly head?: string
}

/** Adds `waybill audit list`, `export` and `verify`: what was done, and the proof that nothing of it was changed. */
export function addAudit(program: Command, shell: Shell): void {
  const audit = program.command('audit').description('see what was done, or check the log of it')

  audit
    .command('list')
    .description('list what was done, oldest first')
    .option('--from <number>', 'begin with the line of this number', lineNumber, 0)
    .option('--json', 'print JSON')
    .action(async (_flags, command: Command) => {
      const flags = command.optsWithGlobals<SharedFlags & { from: number; json?: true }>()
      await using session = await openSession(shell, flags)
      await catchUp(session)
      const lines = await allLines(session, flags.from)
      if (flags.json) {
        shell.print(JSON.stringify({ lines }))
        return
      }
      if (lines.length === 0) shell.tell('Nothing is in the log yet.')
      shell.print(...table(lines.map((entry) => rowOf(entry, shell))))
    })

  audit
    .command('export')
    .description('write the log with its signed heads: one line of JSON for each')
    .option('--out <file>', 'write to a new file instead of the output')
    .action(async (_flags, command: Command) => {
      const { out, ...flags } = command.optsWithGlobals<SharedFlags & { out?: string }>()
      await using session = await openSession(shell, flags)
      await catchUp(session)
      const lines = withEnds(session.waybill.audit.export(session.user))
      if (out === undefined) await pipeline(lines, shell.output, { end: false })
      else await writeNew(out, lines)
    })

  audit
    .command('verify')
    .description('check an exported log: every line, the chain, the tree and the signatures')
    .argument('<file>', 'the exported log, or - for standard input')
    .option('--key <key>', 'the key that may sign, as you know it from elsewhere', collected)
    .option('--head <file>', 'an export, or a signed head, that you kept: the log goes on from it')
    .action(async (file: string, { key, head }: VerifyFlags) => {
      const verified = await reading(() => {
        const stream = file === '-' ? shell.input : createReadStream(file)
        return verifyLog(linesOf(stream, 'audit_invalid'), {
          ...(key === undefined ? {} : { keys: key }),
          ...(head === undefined ? {} : { head: headIn(readFileSync(head, 'utf8')) }),
        })
      })
      tellVerified(verified, key !== undefined, shell)
    })
}

/** @returns the newest head in an export, or the text itself, which may be a head of its own. */
function headIn(text: string): string {
  const newest = text
    .split('\n')
    .filter((line) => line.startsWith('{"head":'))
    .at(-1)
  if (newest === undefined) return text
  const entry = auditExport.safeParse(jsonOf(newest))
  return entry.success && 'head' in entry.data ? entry.data.head : text
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}

/** On one machine nobody may be at work who does it; in Google Cloud only the runner may sign. */
async function catchUp({ waybill, settings }: Session): Promise<void> {
  if (settings.googleCloud === null) await waybill.chainActs()
}

async function allLines({ waybill, user }: Session, from: number): Promise<readonly AuditEntry[]> {
  const all: AuditEntry[] = []
  let next: number | null = from
  while (next !== null) {
    const page: Awaited<ReturnType<typeof waybill.audit.list>> = await waybill.audit.list(user, {
      from: next,
      limit: PAGE,
    })
    all.push(...page.lines)
    next = page.next
  }
  return all
}

function rowOf({ line, details }: AuditEntry, { locale }: Shell): readonly string[] {
  const shown = Object.entries(details ?? {})
    // The chance that they begin with says nothing.
    .filter(([name, value]) => name !== 'salt' && value !== null)
    .map(([name, value]) => printable(`${name} ${value}`))
  return [
    String(line.number),
    createAmounts(locale).date(Date.parse(line.at)),
    actWords(line.act),
    line.result === 'done' ? '' : line.result,
    details === null ? 'details are erased' : shown.join(', '),
  ]
}

function tellVerified(
  { origin, lines, heads, root, keys }: VerifiedLog,
  isKnown: boolean,
  shell: Shell,
) {
  const { count } = createAmounts(shell.locale)
  shell.print(
    `The log is whole: its ${count(lines)} acts, with ${count(heads)} signed heads, give the root ${root}.`,
    `It is ${printable(origin)}, signed by`,
    ...keys.map((key) => `  ${printable(key)}`),
  )
  if (!isKnown)
    shell.tell(
      'The key came with the log: compare it with one that you know from elsewhere, or give that with --key.',
    )
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
