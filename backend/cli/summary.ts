import { explain } from '../../shared/words.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import type { RunProgress } from '../../shared/job.ts'
import type { Proof, ReceiptLine, ReceiptSummary } from '../../shared/receipt.ts'
import type { JobView } from '../run/jobs.ts'
import { createAmounts } from './amounts.ts'
import type { Amounts } from './amounts.ts'
import { printable } from './printable.ts'

const EXAMPLES = 3

/** Items that were not carried for one reason. */
interface NotCarried {
  readonly outcome: 'skipped' | 'failed'
  readonly reason: ErrorCode
  readonly count: number
  /** Where the first few are in the source. */
  readonly examples: readonly string[]
}

/** What a receipt's lines add up to, as far as a person wants to know at the end of a run. */
export interface Tally {
  /** The most frequent reason first. */
  readonly notCarried: readonly NotCarried[]
  /** Files and documents by how surely the copy is what the source holds. */
  readonly proofs: ReadonlyMap<Proof, number>
  /** What differs from the source, in words, and for how many items. */
  readonly notes: ReadonlyMap<string, number>
}

/** Adds up a receipt. Keeps a few names, so memory does not grow with the receipt. */
export async function tallyReceipt(
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<Tally> {
  const reasons = new Map<string, NotCarried>()
  const proofs = new Map<Proof, number>()
  const notes = new Map<string, number>()
  for await (const text of lines) {
    const line: ReceiptLine | ReceiptSummary = JSON.parse(text)
    if ('summary' in line) continue
    const { outcome, reason, proof, source } = line
    if (proof !== null && source.kind !== 'folder') addOne(proofs, proof)
    for (const note of line.notes) addOne(notes, note)
    if (reason === null || (outcome !== 'skipped' && outcome !== 'failed')) continue
    const key = `${outcome} ${reason}`
    const before = reasons.get(key) ?? { outcome, reason, count: 0, examples: [] }
    const example = before.examples.length < EXAMPLES ? [printable(source.path.join('/'))] : []
    const examples = [...before.examples, ...example]
    reasons.set(key, { ...before, count: before.count + 1, examples })
  }
  const notCarried = [...reasons.values()].toSorted((a, b) => b.count - a.count)
  return { notCarried, proofs, notes }
}

const proofWords: Readonly<Record<Proof, string>> = {
  'both-checksums': 'match the fingerprints that both clouds keep of them',
  'destination-checksum': 'match the fingerprint that the destination keeps',
  'read-back': 'were read back from the destination and compared',
  'size-only': 'were compared by size only',
  'rewritten-by-provider': 'were rewritten by the destination, so that only their size tells',
}

/**
 * What a person reads at the end of a run: what came of it, what was left out and why, and where the receipt is.
 *
 * @param options.locale how numbers and times are written
 * @param options.tally of the run's receipt, if it has one
 * @param options.worked what this process saw of the run, where that is less than all of it: a rate over the days that
 * a run was paused says nothing
 * @returns lines without an end
 */
export function summarize(
  { id, request, nextRunAt, run }: JobView,
  options: {
    readonly locale: string
    readonly tally?: Tally
    readonly worked?: { readonly ms: number; readonly bytes: number }
  },
): readonly string[] {
  const amounts = createAmounts(options.locale)
  const { tally } = options
  return [
    outcomeOf(run, request.destination.folder, amounts),
    ...volumeOf(run, options.worked, amounts),
    ...changesOf(run, amounts),
    ...(tally === undefined ? [] : reasonsOf(tally, amounts)),
    ...(tally === undefined ? [] : factsOf(tally, amounts)),
    ...nextOf(id, run),
    ...(nextRunAt === null
      ? []
      : [
          `Next run: ${amounts.date(Date.parse(nextRunAt))}, if Waybill keeps running (waybill serve).`,
        ]),
  ]
}

function outcomeOf(run: RunProgress, folder: string, { count }: Amounts): string {
  const { copied, failed } = run.totals
  const where = printable(folder)
  switch (run.state) {
    case 'done':
      if (failed > 0)
        return `Done, but ${count(failed)} ${items(failed)} could not be copied. ${count(copied)} copied to ${where}.`
      if (copied > 0) return `Done: ${count(copied)} ${items(copied)} copied to ${where}.`
      return `Done: ${where} was up to date already.`
    case 'cancelled':
      return `Cancelled. ${count(copied)} ${items(copied)} had been copied to ${where} and ${copied === 1 ? 'stays' : 'stay'} there.`
    case 'failed':
      return `Stopped: ${reasonOf(run)}`
    case 'paused':
      return `Paused: ${reasonOf(run)}`
    case 'queued':
    case 'running':
      return `Not finished yet: ${count(copied)} ${items(copied)} copied to ${where} so far.`
    default:
      return run.state satisfies never
  }
}

function reasonOf({ reason }: RunProgress): string {
  if (reason === null) return 'somebody asked for it.'
  const { what, advice } = explain(reason)
  return `${what} ${advice} (${reason})`
}

function volumeOf(
  run: RunProgress,
  worked: { readonly ms: number; readonly bytes: number } | undefined,
  { bytes, duration, rate }: Amounts,
): readonly string[] {
  if (run.totals.bytes === 0) return []
  const ended = run.endedAt === null ? null : Date.parse(run.endedAt)
  const whole = ended === null ? null : ended - Date.parse(run.startedAt)
  const part = worked ?? (whole === null ? null : { ms: whole, bytes: run.totals.bytes })
  const total = bytes(run.totals.bytes)
  if (part === null || part.ms <= 0 || part.bytes === 0) return [`${total} carried.`]
  const speed = `${duration(part.ms)}, ${rate((part.bytes * 1000) / part.ms)}`
  if (part.bytes === run.totals.bytes) return [`${total} in ${speed}.`]
  return [`${total} in all; ${bytes(part.bytes)} of it now, in ${speed}.`]
}

function changesOf({ totals, unchanged }: RunProgress, { count }: Amounts): readonly string[] {
  const parts = [
    [totals.renamed, 'renamed'],
    [totals.moved, 'moved'],
    [totals.removed, 'removed'],
    [unchanged, 'unchanged since the last run'],
  ] as const
  const said = parts.filter(([value]) => value > 0)
  if (said.length === 0) return []
  return [`Also ${said.map(([value, word]) => `${count(value)} ${word}`).join(', ')}.`]
}

function reasonsOf({ notCarried }: Tally, { count }: Amounts): readonly string[] {
  const part = (title: string, outcome: NotCarried['outcome']): readonly string[] => {
    const reasons = notCarried.filter((each) => each.outcome === outcome)
    if (reasons.length === 0) return []
    const sum = reasons.reduce((total, each) => total + each.count, 0)
    return [
      '',
      `${title}: ${count(sum)}`,
      ...reasons.flatMap(({ reason, count: many, examples }) => {
        const { what, advice } = explain(reason)
        const more = many > examples.length ? ` and ${count(many - examples.length)} more` : ''
        return [
          `  ${count(many)} × ${what} ${advice}`,
          `      ${examples.join(', ')}${more} (${reason})`,
        ]
      }),
    ]
  }
  return [...part('Not copied', 'failed'), ...part('Left out', 'skipped')]
}

function factsOf({ proofs, notes }: Tally, { count }: Amounts): readonly string[] {
  const checked = [...proofs].map(
    ([proof, many]) => `  ${count(many)} ${files(many)} ${verb(proofWords[proof], many)}`,
  )
  const noted = [...notes].map(([note, many]) => `  ${count(many)} × ${printable(note)}`)
  return [
    ...(checked.length === 0 ? [] : ['', 'How the copies were checked:', ...checked]),
    ...(noted.length === 0 ? [] : ['', 'Good to know:', ...noted]),
  ]
}

function nextOf(id: string, run: RunProgress): readonly string[] {
  switch (run.state) {
    case 'done':
      return ['', `Receipt: waybill receipt show ${id} --run ${run.number}`]
    case 'failed':
    case 'cancelled':
      return ['', `To run it again: waybill copy --job ${id}`]
    case 'paused':
      return ['', `To go on: waybill resume ${id}`]
    case 'queued':
    case 'running':
      return []
    default:
      return run.state satisfies never
  }
}

function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function items(many: number): string {
  return many === 1 ? 'item' : 'items'
}

function files(many: number): string {
  return many === 1 ? 'file' : 'files'
}

function verb(words: string, many: number): string {
  if (many !== 1) return words
  return words
    .replace(/^match/, 'matches')
    .replace(/^were/, 'was')
    .replace('of them', 'of it')
    .replace('their', 'its')
}
