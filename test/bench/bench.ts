import { Command } from 'commander'
import { calls200, calls200In100k } from './calls-200.ts'
import { callsFolderRenamed } from './calls-folder-renamed.ts'
import { callsUnchanged, callsUnchanged20Drives } from './calls-unchanged.ts'
import { coldStart } from './cold-start.ts'
import { fairness } from './fairness.ts'
import { isReached } from './figure.ts'
import { kills } from './kills.ts'
import { pace } from './pace.ts'
import { platformOperations } from './platform-operations.ts'
import { resent200Mib } from './resent-200mib.ts'
import { rss100k, rss1Gib } from './rss.ts'
import { time10k } from './time-10k.ts'
import { time1Gib } from './time-1gib.ts'
import type { FigureSpec, Measured, Measurement } from './figure.ts'

const measurements: readonly Measurement[] = [
  calls200,
  calls200In100k,
  callsUnchanged,
  callsUnchanged20Drives,
  callsFolderRenamed,
  pace,
  fairness,
  time1Gib,
  time10k,
  rss1Gib,
  rss100k,
  resent200Mib,
  kills,
  platformOperations,
  coldStart,
]

interface Flags {
  readonly json?: true
  readonly only?: string
  readonly full?: true
}

const names = measurements.flatMap(({ figures }) => figures.map(({ name }) => name))
const flags = new Command('bench')
  .description(
    'Counted figures of a Waybill between simulated clouds, each against what it must reach',
  )
  .option('--json', 'print one JSON object a line')
  .option('--only <name>', `measure one: ${names.join(', ')}`)
  .option('--full', 'also what takes minutes')
  .parse()
  .opts<Flags>()

if (flags.only !== undefined && !names.some((n) => n.startsWith(flags.only ?? ''))) {
  process.stderr.write(`There is no figure called ${flags.only}: ${names.join(', ')}\n`)
  process.exit(1)
}

if (flags.json !== true)
  process.stdout.write(`${'figure'.padEnd(28)}${'value'.padStart(14)}   reach\n`)
for (const { figures, measure } of measurements) {
  const wanted = figures.filter(
    ({ name }) => flags.only === undefined || name.startsWith(flags.only),
  )
  if (wanted.length === 0) continue
  try {
    const measured = await measure({ full: flags.full === true })
    for (const spec of wanted) {
      const found = measured[figures.indexOf(spec)]
      if (found === undefined) throw new Error('it was not among what was measured')
      process.stdout.write(flags.json === true ? asJson(spec, found) : asRow(spec, found))
    }
  } catch (error) {
    process.exitCode = 1
    const why = error instanceof Error ? error.message : 'failed'
    for (const { name } of wanted) process.stderr.write(`${name} could not be measured: ${why}\n`)
  }
}

function asJson(spec: FigureSpec, { value, details }: Measured): string {
  const { name, unit, reach } = spec
  const ok = isReached(spec, value)
  return `${JSON.stringify({ figure: name, value, reach, ok, unit, details })}\n`
}

function asRow(spec: FigureSpec, { value, details }: Measured): string {
  const { name, unit, reach } = spec
  const asked = 'most' in reach ? `≤ ${reach.most}` : `≥ ${reach.least}`
  const shown = `${rounded(value)} ${unit}`.trimEnd()
  const verdict = isReached(spec, value) ? '' : '   NOT REACHED'
  const lines = Object.entries(details).map(([what, much]) => `    ${what}: ${rounded(much)}\n`)
  return `${name.padEnd(28)}${shown.padStart(14)}   ${asked}${verdict}\n${lines.join('')}`
}

function rounded(value: number | string): string {
  return typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : value
}
