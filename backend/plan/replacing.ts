import { WaybillError } from '../../shared/errors.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import type { Run } from '../records/runs.ts'
import type { Work } from './work.ts'

/** A backup that would replace more copies than this, or than this share of the items it knows, asks first. */
const MANY = 100
const MANY_SHARE = 0.1

/** @returns whether new bytes may take the place of a copy: in a backup only if the old ones can be had back. */
export function mayReplace({ job, destination }: Pick<Work, 'job' | 'destination'>): boolean {
  return job.request.kind !== 'backup' || destination.capabilities.keepsVersionsDays !== null
}

/** @returns whether an item has a copy that holds other bytes than the item does now. */
export function isOutdated({ item, copy, carried }: Row): boolean {
  return item.kind !== 'folder' && copy !== null && carried !== item.version
}

/** @returns the row; if its new bytes have to go beside its copy, with the date that its name then carries. */
export function besideIfKept(work: Pick<Work, 'job' | 'destination' | 'now'>, row: Row): Row {
  if (mayReplace(work) || !isOutdated(row)) return row
  const [date = '', time = ''] = new Date(work.now()).toISOString().split('T')
  return rewrite(row, { dated: `${date} ${time.slice(0, 8).replaceAll(':', '.')}` })
}

/**
 * Many changed files at once may be somebody's work, or ransomware's. Before a backup replaces their copies, its owner is
 * asked; once they let the run go on, it is not asked again.
 *
 * @throws WaybillError `many_changes` when the run would replace more than 100 copies and more than 10 % of what is known
 */
export async function askBeforeReplacing(
  { job, rows, signal }: Pick<Work, 'job' | 'rows' | 'signal'>,
  { mayReplaceMany }: Pick<Run, 'mayReplaceMany'>,
): Promise<void> {
  const { known } = job.memory
  if (job.request.kind !== 'backup' || mayReplaceMany || known === 0) return
  const most = Math.max(MANY, MANY_SHARE * known)
  let count = 0
  for (const todo of ['move', 'copy'] as const)
    for await (const page of rows.pages(todo)) {
      signal.throwIfAborted()
      count += page.filter(isOutdated).length
      if (count > most)
        throw new WaybillError('many_changes', 'The backup would replace unusually many copies.')
    }
}
