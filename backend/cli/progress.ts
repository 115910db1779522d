import cliProgress from 'cli-progress'
import { explain } from '../../shared/words.ts'
import type { RunProgress } from '../../shared/job.ts'
import { createAmounts } from './amounts.ts'
import type { Amounts } from './amounts.ts'
import { createSpeed, doneItems } from './speed.ts'
import type { Speed } from './speed.ts'

/** Shows how a run is doing while it is under way. */
export interface ProgressDisplay {
  update(run: RunProgress): void
  /** Takes the display away; what is written next begins on a line of its own. */
  end(): void
}

/** Lines in a log come at most this often, and later once per so many parts of the time that has passed. */
const LEAST_MS = 2_000
const MOST_MS = 60_000
const PARTS = 60

const LONGEST_BAR = 30
const SHORTEST_BAR = 8

/**
 * @param options.stream where to write, such as `process.stderr`
 * @param options.isTerminal whether it is a terminal: then a bar that redraws itself, else plain lines now and then
 * @param options.locale how numbers are written
 * @param options.clock milliseconds since 1970
 */
export function createProgressDisplay(options: {
  readonly stream: NodeJS.WritableStream
  readonly isTerminal: boolean
  readonly locale: string
  readonly clock: () => number
}): ProgressDisplay {
  const amounts = createAmounts(options.locale)
  const speedOf = createSpeed()
  const show = options.isTerminal ? onTerminal(options.stream) : inLines(options)
  return {
    update: (run) => {
      const now = options.clock()
      const speed = speedOf(run, now)
      const text = describe(run, speed, amounts, now)
      show.update(text, hasBar(run) ? speed.share : null, `${run.number} ${run.phase}`)
    },
    end: () => show.end(),
  }
}

/**
 * @param now milliseconds since 1970
 * @returns how the run is doing, in one line
 */
export function describe(run: RunProgress, speed: Speed, amounts: Amounts, now: number): string {
  const { count, bytes } = amounts
  if (run.reason !== null && run.resumesAt !== null && run.state !== 'done')
    return `Waiting until ${amounts.moment(Date.parse(run.resumesAt), now)}: ${explain(run.reason).what}`
  if (run.state === 'queued') return 'Waiting for its turn'
  if (run.state === 'paused') return 'Paused'
  switch (run.phase) {
    case 'scan':
      return `Looking through your files: ${count(run.scanned)} found`
    case 'plan':
      return `Working out what to do: ${count(run.plannedItems)} to copy, ${bytes(run.plannedBytes)}`
    case 'copy': {
      if (!hasBar(run)) return 'Copying'
      const { bytesPerSecond, leftMs } = speed
      return [
        amounts.share(speed.share),
        `${count(doneItems(run))} of ${count(run.plannedItems)} items`,
        `${bytes(run.sentBytes)} of ${bytes(run.plannedBytes)}`,
        ...(bytesPerSecond === null ? [] : [amounts.rate(bytesPerSecond)]),
        ...(leftMs === null ? [] : [`${amounts.duration(leftMs)} left`]),
      ].join(', ')
    }
    case 'close':
      return 'Finishing: writing the receipt'
    default:
      return run.phase satisfies never
  }
}

interface Show {
  /** `share` is null where a bar makes no sense; `step` changes when something new begins. */
  update(text: string, share: number | null, step: string): void
  end(): void
}

function onTerminal(stream: NodeJS.WritableStream): Show {
  let shown: { text: string; share: number | null } = { text: '', share: null }
  let room = LONGEST_BAR
  const bar = new cliProgress.SingleBar({
    stream,
    clearOnComplete: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: LONGEST_BAR,
    format: (options, { maxWidth }) => {
      // Only ever shorter, so that it does not jump about with every digit.
      room = Math.min(room, maxWidth - shown.text.length - 3)
      if (shown.share === null || room < SHORTEST_BAR) return shown.text.slice(0, maxWidth - 1)
      return `${cliProgress.Format.BarFormat(shown.share, { ...options, barsize: room })}  ${shown.text}`
    },
  })
  let begun = false
  return {
    update: (text, share) => {
      shown = { text, share }
      if (!begun) bar.start(1, 0)
      begun = true
      bar.update(share ?? 0)
    },
    end: () => bar.stop(),
  }
}

function inLines(options: {
  readonly stream: NodeJS.WritableStream
  readonly clock: () => number
}): Show {
  const began = options.clock()
  let last = { at: -Infinity, text: '', step: '' }
  return {
    update: (text, _share, step) => {
      const now = options.clock()
      const pause = Math.min(MOST_MS, Math.max(LEAST_MS, (now - began) / PARTS))
      const isNew = step !== last.step
      if (!isNew && (text === last.text || now - last.at < pause)) return
      last = { at: now, text, step }
      options.stream.write(`${text}\n`)
    },
    end: () => undefined,
  }
}

function hasBar(run: RunProgress): boolean {
  return run.phase === 'copy' && run.plannedItems > 0
}
