import type { RunProgress } from '../../shared/job.ts'

/** How fast a run is, and how much of it is left. */
export interface Speed {
  /** The part that is done, 0 to 1. */
  readonly share: number
  /** Null until there is something to measure. */
  readonly bytesPerSecond: number | null
  readonly leftMs: number | null
}

/** What was measured lately says most about what comes next. */
const WINDOW_MS = 30_000
const LEAST_MS = 3_000
/** Each item costs some calls, however small it is: about as long as so many bytes take. */
const ITEM_BYTES = 256 * 1024

/** @returns a function that is told each progress and the time, in milliseconds, and says how fast the run is. */
export function createSpeed(): (run: RunProgress, now: number) => Speed {
  const samples: { readonly at: number; readonly bytes: number; readonly work: number }[] = []
  return (run, now) => {
    const work = workOf(doneItems(run), run.sentBytes)
    const planned = workOf(run.plannedItems, run.plannedBytes)
    const share = planned === 0 ? 0 : Math.min(1, work / planned)
    samples.push({ at: now, bytes: run.sentBytes, work })
    while ((samples[1]?.at ?? now) <= now - WINDOW_MS) samples.shift()
    const first = samples[0]
    const elapsed = first === undefined ? 0 : now - first.at
    if (first === undefined || elapsed < LEAST_MS || work <= first.work)
      return { share, bytesPerSecond: null, leftMs: null }
    const bytes = run.sentBytes - first.bytes
    // Folders made say nothing about how long the bytes will take.
    if (bytes === 0 && run.plannedBytes > run.sentBytes)
      return { share, bytesPerSecond: null, leftMs: null }
    return {
      share,
      bytesPerSecond: (bytes * 1000) / elapsed,
      leftMs: (Math.max(0, planned - work) * elapsed) / (work - first.work),
    }
  }
}

/** @returns how many of the planned items are done with. Most that is skipped was never planned. */
export function doneItems({ totals, plannedItems }: RunProgress): number {
  const { copied, renamed, moved, removed, failed } = totals
  return Math.min(plannedItems, copied + renamed + moved + removed + failed)
}

function workOf(items: number, bytes: number): number {
  return items * ITEM_BYTES + bytes
}
