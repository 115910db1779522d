import { WaybillError } from '../../shared/errors.ts'
import { asTwin, nameOf } from '../plan/claim-name.ts'
import type { Tree } from '../plan/tree.ts'
import { isTimeUp } from '../plan/work.ts'
import type { Progress, Work } from '../plan/work.ts'
import { openLedger } from '../records/ledger.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { moveOnce } from './move-once.ts'
import { concernsItem, notCarried, notesOn } from './outcome.ts'
import { record } from './record.ts'
import type { Settled } from './record.ts'

const PAGE = 100

/** Moves and renames the copies of files whose originals have moved: the bytes stay where they are. */
export async function moveCopies(work: Work, tree: Tree): Promise<Progress> {
  for (;;) {
    if (isTimeUp(work)) return 'time-is-up'
    const rows = (await work.rows.first('move')).slice(0, PAGE)
    if (rows.length === 0) return 'finished'
    const settled: Settled[] = []
    const toCarry: Row[] = []
    for (const row of rows) {
      const result = await moveCopy(work, tree, row)
      if ('outcome' in result) settled.push(result)
      else toCarry.push(result)
    }
    await record(work, tree, settled, { rows: toCarry })
  }
}

/** @returns what became of it, or the row if its bytes still have to be carried. */
async function moveCopy(work: Work, tree: Tree, row: Row): Promise<Settled | Row> {
  const rules = work.destination.capabilities.names
  const { placed, copy, parentId } = row
  const from = placed === null ? null : await tree.where(placed.parentId)
  const parent = parentId === null ? null : await tree.where(parentId)
  if (parent === null) return notCarried(row, 'name_taken')
  if (from === null || placed === null || copy === null || parentId === null)
    return withoutCopy(row)
  const place = { parent, name: nameOf(row, rules) }
  try {
    const path = `${from.path === '/' ? '' : from.path}/${placed.name}`
    const moved = await moveOnce(work.destination, { id: copy.id, path }, place)
    const kept = rewrite(row, {
      placed: { parentId, name: place.name },
      copy: { ...copy, id: moved.id, version: moved.version ?? copy.version },
      reason: null,
    })
    if (row.carried !== row.item.version) return rewrite(kept, { todo: 'copy' })
    const outcome = placed.parentId === parentId ? 'renamed' : 'moved'
    return {
      row: rewrite(kept, { todo: 'settled' }),
      outcome,
      reason: null,
      proof: null,
      notes: notesOn(row, rules),
      bytes: 0,
    }
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error
    // Somebody took our copy away: carry the file again.
    if (error.code === 'gone') return withoutCopy(row)
    if (error.code === 'name_taken' && !row.twin) {
      const ledger = await openLedger(work.store, work.owners, work.job.user, work.job.id)
      return moveCopy(work, tree, asTwin(ledger, row, rules).row)
    }
    if (concernsItem(error.code)) return notCarried(row, error.code)
    throw error
  }
}

function withoutCopy(row: Row): Row {
  return rewrite(row, { copy: null, placed: null, carried: null, todo: 'copy' })
}
