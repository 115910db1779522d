import type { ErrorCode } from '../../shared/errors.ts'
import type { Comparison } from './compare-trees.ts'
import type { Played } from './play.ts'

const mostWrong = 100

/** What a demo found, for machines. */
export interface Report {
  /** Whether every item is proven, or left out for the reason that was expected. */
  readonly ok: boolean
  readonly files: number
  readonly proven: number
  readonly folders: number
  readonly provenFolders: number
  /** Items that nobody can copy, by reason. */
  readonly accounted: Readonly<Partial<Record<ErrorCode, number>>>
  /** The first of what is not as it should be. */
  readonly wrong: Comparison['wrong']
  /** Run by run, the first copy first. Calls are to both clouds together; `sent` is what arrived at Dropbox. */
  readonly runs: readonly {
    readonly run: number
    readonly seconds: number
    readonly calls: number
    readonly copied: number
    readonly bytes: number
    readonly sent: number
    readonly root: string
  }[]
  /** Where receipts were kept. */
  readonly receipts: readonly string[]
}

/** @returns whether a comparison found everything right. */
export function isProven({ files, proven, folders, provenFolders, wrong }: Comparison): boolean {
  return wrong.length === 0 && proven === files && provenFolders === folders
}

/** @returns what was played, in numbers. */
export function reportOf({ comparison, acts }: Played, receipts: readonly string[]): Report {
  const { files, proven, folders, provenFolders, wrong } = comparison
  const accounted: Partial<Record<ErrorCode, number>> = {}
  for (const { reason } of comparison.accounted) accounted[reason] = (accounted[reason] ?? 0) + 1
  return {
    ok: isProven(comparison),
    files,
    proven,
    folders,
    provenFolders,
    accounted,
    wrong: wrong.slice(0, mostWrong),
    runs: acts.map(({ receipt: { summary }, traffic, ms }) => ({
      run: summary.run,
      seconds: Math.round(ms) / 1000,
      calls: traffic.drive + traffic.dropbox,
      copied: summary.copied,
      bytes: summary.bytes,
      sent: traffic.sent,
      root: summary.root,
    })),
    receipts,
  }
}
