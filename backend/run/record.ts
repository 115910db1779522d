import type { ErrorCode } from '../../shared/errors.ts'
import { addTotals, noTotals } from '../../shared/job.ts'
import type { Totals } from '../../shared/job.ts'
import type { Outcome, Proof, ReceiptLine } from '../../shared/receipt.ts'
import { plannedWork } from '../plan/plan-items.ts'
import type { Folder } from '../clouds/cloud.ts'
import type { Tree } from '../plan/tree.ts'
import type { Work } from '../plan/work.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { underLease } from '../records/runs.ts'
import type { Run } from '../records/runs.ts'

/** Items in one transaction: with their receipt pages and the run they stay under the store's 450 writes. */
export const outcomesAtOnce = 400

/** What became of an item, and its row as it is to be kept. */
export interface Settled {
  readonly row: Row
  readonly outcome: Outcome
  readonly reason: ErrorCode | null
  readonly proof: Proof | null
  readonly notes: readonly string[]
  /** Bytes written at the destination. */
  readonly bytes: number
  /** Of a large item: how many of them the run has counted as sent while it was under way. */
  readonly counted?: number
}

/** What else belongs into the same transaction as the outcomes. */
export interface Alongside {
  readonly rows?: readonly Row[]
  readonly forgotten?: readonly Row[]
  /** Keys of transfers that are over. */
  readonly transfers?: readonly string[]
}

/**
 * Records what became of items: their rows, one receipt line each, and the run's totals land together or not at all, and
 * only while this worker holds the lease. An item that has its line in this run is never recorded a second time.
 */
export async function record(
  work: Work,
  tree: Tree,
  settled: readonly Settled[],
  also: Alongside = {},
): Promise<void> {
  const entries: Entry[] = [
    ...settled.map((each) => ({ settled: each })),
    ...(also.rows ?? []).map((row) => ({ row })),
    ...(also.forgotten ?? []).map((row) => ({ forget: row })),
    // Last: what they stand for must be recorded before they go.
    ...(also.transfers ?? []).map((transfer) => ({ transfer })),
  ]
  for (let from = 0; from === 0 || from < entries.length; from += outcomesAtOnce) {
    await recordSome(work, tree, entries.slice(from, from + outcomesAtOnce))
  }
}

/** Characters of paths in one transaction: with more, its receipt pages would be more writes than the store takes. */
const PATHS_AT_ONCE = 150_000
/** Characters of a path that a line holds as they are. */
const LONGEST_PATH = 16_000
const SHORTENED_NAME = 200

type Entry =
  | { readonly settled: Settled }
  | { readonly row: Row }
  | { readonly forget: Row }
  | { readonly transfer: string }

async function recordSome(work: Work, tree: Tree, entries: readonly Entry[]): Promise<void> {
  const { store, lease } = work
  const outcomes = entries.flatMap((each) => ('settled' in each ? [each.settled] : []))
  const asked = entries.flatMap((each) => ('row' in each ? [each.row] : []))
  // Came back unchanged after it had left: no line, but part of the sum again.
  const isBack = (row: Row): boolean =>
    row.lined === 0 && row.copy !== null && row.todo === 'settled'
  const rows = asked.map((row) => (isBack(row) ? rewrite(row, { lined: work.number }) : row))
  const at = new Date(work.now()).toISOString()
  const visible = outcomes.filter(({ row }) => row.lined !== -1 && row.lined !== work.number)
  const lines: ReceiptLine[] = []
  const done = outcomes.map(({ row }) =>
    row.lined === -1 ? row : rewrite(row, { lined: work.number }),
  )
  tree.learn(done)
  const folders = createFolderNames(tree)
  for (const each of visible) lines.push(await lineOf(folders, each, at))
  const isLong = lines.reduce((sum, line) => sum + lengthOf(line), 0) > PATHS_AT_ONCE
  if (entries.length > 1 && (isLong || !work.rows.fit([...done, ...rows]))) {
    const middle = Math.ceil(entries.length / 2)
    await recordSome(work, tree, entries.slice(0, middle))
    await recordSome(work, tree, entries.slice(middle))
    return
  }
  const forgotten = entries.flatMap((each) => ('forget' in each ? [each.forget] : []))
  const over = entries.flatMap((each) => ('transfer' in each ? [each.transfer] : []))
  const planned = plannedWork(rows)
  const totals = visible.reduce((sum, each) => addTotals(sum, totalOf(each)), noTotals)
  const added = visible.filter(({ row }) => row.lined === 0).length + asked.filter(isBack).length
  const left = visible.filter(({ row }) => row.left).length
  const kept = { rows: [...done, ...rows], forgotten }
  await work.rows.keep(kept, async (write) => {
    let landed = (): void => undefined
    await underLease(store, lease, async (run: Run, transaction) => {
      write(transaction)
      for (const key of over) transaction.remove('transfers', key)
      const pages = await work.receipt.pages(run.pages, lines, work.now())
      landed = pages.landed
      for (const page of pages.documents) transaction.put('receipts', page)
      return {
        attempts: 0,
        pages: run.pages + pages.documents.length,
        lines: run.lines + lines.length,
        added: run.added + added,
        left: run.left + left,
        totals: addTotals(run.totals, totals),
        sent: run.sent + visible.reduce((sum, each) => sum + uncounted(each), 0),
        plannedItems: run.plannedItems + planned.items,
        plannedBytes: run.plannedBytes + planned.bytes,
      }
    })
    landed()
  })
  tree.learn(rows)
}

function uncounted({ bytes, counted = 0 }: Settled): number {
  return Math.max(0, bytes - counted)
}

function totalOf({ outcome, bytes }: Settled): Totals {
  return { ...noTotals, [outcome]: 1, bytes }
}

/** Names and places of folders, for as long as nothing moves: most lines of a batch lie in the same few. */
interface FolderNames {
  names(id: string): Promise<readonly string[]>
  where(id: string): Promise<Folder | null>
}

function createFolderNames(tree: Tree): FolderNames {
  const names = new Map<string, readonly string[]>()
  const places = new Map<string, Folder | null>()
  return {
    names: async (id) => {
      const known = names.get(id) ?? (await tree.names(id))
      names.set(id, known)
      return known
    },
    where: async (id) => {
      const known = places.get(id)
      if (known !== undefined) return known
      const found = await tree.where(id)
      places.set(id, found)
      return found
    },
  }
}

async function lineOf(tree: FolderNames, settled: Settled, at: string): Promise<ReceiptLine> {
  const { row, outcome, reason, proof, notes } = settled
  const { item, placed, copy, parentId } = row
  const above = parentId === null ? [] : await tree.names(parentId)
  const folder = placed === null ? null : await tree.where(placed.parentId)
  return {
    source: {
      id: item.id,
      path: shortened([...above, item.name]),
      kind: item.kind,
      version: item.version,
      modifiedAt: item.modifiedAt,
      hashes: item.hashes,
    },
    outcome,
    destination:
      copy === null || placed === null || folder === null
        ? null
        : {
            path: `${folder.path === '/' ? '' : folder.path}/${placed.name}`,
            id: copy.id,
            version: copy.version,
            bytes: copy.bytes,
            hashes: copy.hashes,
          },
    proof,
    reason,
    notes,
    at,
  }
}

function lengthOf({ source, destination }: ReceiptLine): number {
  return source.path.join('').length + (destination?.path.length ?? 0)
}

/** A name may be as long as somebody likes to make it, but a line has to fit into a sealed page. */
function shortened(path: readonly string[]): readonly string[] {
  if (path.join('').length <= LONGEST_PATH) return path
  return path.map((name) =>
    name.length <= SHORTENED_NAME ? name : `${name.slice(0, SHORTENED_NAME).toWellFormed()}…`,
  )
}
