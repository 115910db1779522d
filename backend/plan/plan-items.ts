import type { ErrorCode } from '../../shared/errors.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Ledger } from '../records/ledger.ts'
import type { Row } from '../records/row.ts'
import { claimName } from './claim-name.ts'
import { besideIfKept, isOutdated, mayReplace } from './replacing.ts'
import { homeless } from './roots.ts'
import type { Tree } from './tree.ts'
import { isTimeUp } from './work.ts'
import type { Progress, Work } from './work.ts'

/** An item that the plan itself is done with: it is not carried, and this is why. */
interface Verdict {
  readonly row: Row
  readonly reason: ErrorCode
}

/** Keeps planned rows, the verdicts with their receipt lines, and rows that are to be forgotten. */
export type KeepPlan = (planned: {
  readonly rows: readonly Row[]
  readonly verdicts: readonly Verdict[]
  readonly forgotten: readonly Row[]
}) => Promise<void>

/**
 * The second step of a run: decides what has to be done about each item that is new or changed, gives it a name that
 * the destination accepts, and finds out what cannot be carried, before any byte moves.
 */
export async function planItems(work: Work, tree: Tree, keep: KeepPlan): Promise<Progress> {
  // Folders first: whether an item is still part of the selection depends on those above it.
  for (const todo of ['folder', 'file'] as const) {
    for (;;) {
      if (isTimeUp(work)) return 'time-is-up'
      const rows = await work.rows.first(todo)
      if (rows.length === 0) break
      await planPage(work, tree, rows, keep)
      await work.turn()
    }
  }
  return 'finished'
}

async function planPage(
  work: Work,
  tree: Tree,
  rows: readonly Row[],
  keep: KeepPlan,
): Promise<void> {
  const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
  const planned = new Map<string, Row>()
  const verdicts: Verdict[] = []
  const forgotten: Row[] = []
  const placing: Row[] = []
  for (const found of rows) {
    const row = await housed(work, tree, found)
    const parentId = row.parentId
    if (row.item.trashed || parentId === null || !(await tree.holds(parentId))) {
      const missing = row.item.trashed && row.item.version === '' && row.lined === 0
      if (missing)
        verdicts.push({ row: rewrite(row, { todo: 'settled', left: true }), reason: 'gone' })
      else if (row.copy === null && row.lined <= 0) forgotten.push(row)
      else verdicts.push({ row: departed(row), reason: 'left_selection' })
      continue
    }
    const reason = await obstacle(work, row)
    if (reason === null) placing.push(besideIfKept(work, row))
    else verdicts.push({ row: rewrite(row, { todo: 'settled', reason }), reason })
  }
  const named = await claimName(work.rows, ledger, placing, work.destination.capabilities.names)
  for (const { row, name } of named) {
    planned.set(row.item.id, decide(work, row, name))
    for (const above of await unmade(tree, row.parentId))
      planned.set(above.item.id, rewrite(above, { todo: 'make' }))
  }
  // Folders of our own are named like any other, when something comes to lie in them.
  const kept = await nameMounts(work, ledger, [...planned.values()])
  await keep({ rows: kept, verdicts, forgotten })
  tree.learn([...kept, ...verdicts.map((verdict) => verdict.row)])
}

/**
 * @returns the row of an item that left. Its copy stays where it is, and so does what is known of it: whether somebody
 * deletes it matters when the item comes back.
 */
function departed(row: Row): Row {
  const left = { todo: 'settled' as const, left: true }
  if (row.copy === null || row.placed === null) return rewrite(row, { ...left, slot: null })
  const { parentId } = row.placed
  return parentId === row.parentId ? rewrite(row, left) : rewrite(row, { ...left, parentId })
}

/** @returns the row, moved to where items without a visible folder go if the ledger does not know its folder. */
async function housed(work: Work, tree: Tree, row: Row): Promise<Row> {
  if (work.job.request.source.selection.kind !== 'drive' || row.parentId === null) return row
  if ((await tree.row(row.parentId)) !== null) return row
  return rewrite(row, { parentId: homeless(row.item) })
}

/** @returns why an item can never be carried as it is, or null. */
async function obstacle(work: Work, row: Row): Promise<ErrorCode | null> {
  const { item } = row
  switch (item.kind) {
    case 'folder':
      return null
    case 'shortcut':
      return shortcutVerdict(work, row)
    case 'document':
      if (item.exports.length === 0) return 'not_exportable'
      return item.canDownload ? null : 'download_forbidden'
    case 'file':
      if (!item.canDownload) return 'download_forbidden'
      return item.size !== null && item.size > work.destination.capabilities.largestFile
        ? 'too_large'
        : null
    default:
      return item.kind satisfies never
  }
}

/** A shortcut is never followed: what it points at is copied where it lies, or was not asked for. */
async function shortcutVerdict(work: Work, { item }: Row): Promise<ErrorCode> {
  if (item.targetId === null) return 'dangling_shortcut'
  const [target] = await work.rows.rows([item.targetId])
  if (target !== null && target !== undefined && !target.item.trashed) return 'shortcut'
  const found = await work.source.get(item.targetId)
  return found === null || found.trashed ? 'dangling_shortcut' : 'shortcut'
}

function decide(work: Work, row: Row, name: string): Row {
  const there = row.placed !== null && row.copy !== null
  const inPlace = there && row.placed.parentId === row.parentId && row.placed.name === name
  if (row.item.kind === 'folder') return rewrite(row, { todo: inPlace ? 'settled' : 'make' })
  // Where its copy stays, the new bytes go to another place right away.
  if (isOutdated(row) && !mayReplace(work)) return rewrite(row, { todo: 'copy' })
  if (there && !inPlace) return rewrite(row, { todo: 'move' })
  return rewrite(row, { todo: inPlace && row.carried === row.item.version ? 'settled' : 'copy' })
}

/** @returns folders of our own above an item that have no copy yet. */
async function unmade(tree: Tree, parentId: string | null): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let id = parentId; id !== null;) {
    const row = await tree.row(id)
    if (row === null || row.parentId === null) break
    if (row.lined === -1 && row.copy === null && row.todo === 'settled') rows.push(row)
    id = row.parentId
  }
  return rows
}

async function nameMounts(
  work: Work,
  ledger: Ledger,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const mounts = rows.filter((row) => row.lined === -1 && row.slot === null)
  const named = await claimName(work.rows, ledger, mounts, work.destination.capabilities.names)
  const byId = new Map(named.map(({ row }) => [row.item.id, row]))
  return rows.map((row) => byId.get(row.item.id) ?? row)
}

/** Counts for the progress that people see. */
export function plannedWork(rows: readonly Row[]): {
  readonly items: number
  readonly bytes: number
} {
  const todo = rows.filter(
    (row) => row.todo === 'copy' || row.todo === 'move' || row.todo === 'make',
  )
  const bytes = todo.reduce((sum, row) => sum + (row.todo === 'copy' ? (row.item.size ?? 0) : 0), 0)
  return { items: todo.filter((row) => row.lined !== -1).length, bytes }
}
