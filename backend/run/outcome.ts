import { dispositionOf } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import type { Proof } from '../../shared/receipt.ts'
import type { Item } from '../../shared/item.ts'
import type { NameRules } from '../clouds/cloud.ts'
import { rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { legalName } from '../plan/names.ts'
import type { Settled } from './record.ts'

/** Known before any byte moved, or decided by somebody: not a failure. */
const skipped: readonly ErrorCode[] = [
  'download_forbidden',
  'not_exportable',
  'export_too_large',
  'flagged_as_abusive',
  'dangling_shortcut',
  'shortcut',
  'too_large',
  'item_forbidden',
  'left_selection',
  'gone',
]

/** Worth another try in the next run even if the item does not change. */
const passing: readonly ErrorCode[] = [
  // If it stays away, the next run is told so; if its folder comes back from the trash, nobody may say anything of it.
  'gone',
  'download_quota',
  'keeps_changing',
  'damaged_at_source',
  'damaged_at_destination',
  'name_taken',
  'item_forbidden',
  'unavailable',
  'internal',
]

/** @returns the end of an item that was not carried. */
export function notCarried(row: Row, reason: ErrorCode): Settled {
  const again = passing.includes(reason) || dispositionOf(reason) !== 'skip'
  return {
    row: rewrite(row, { todo: again ? 'again' : 'settled', reason }),
    outcome: skipped.includes(reason) ? 'skipped' : 'failed',
    reason,
    proof: null,
    notes: [],
    bytes: 0,
  }
}

/** @returns whether an error is about this one item; anything else is about the whole run. */
export function concernsItem(code: ErrorCode): boolean {
  return dispositionOf(code) === 'skip' || code === 'internal'
}

/** @returns how surely the copy is what the source holds. */
export function proofOf(item: Item, destinationHasChecksum: boolean): Proof {
  if (!destinationHasChecksum) return 'size-only'
  return Object.keys(item.hashes).length > 0 ? 'both-checksums' : 'destination-checksum'
}

/** @returns what a person should know about a copy's name and form. */
export function notesOn(row: Row, rules: NameRules): readonly string[] {
  const notes: string[] = []
  const form = row.item.exports[row.form]
  if (form !== undefined) notes.push(`Exported as .${form.extension}`)
  if (row.dated !== undefined)
    notes.push('Carries a date, because the copy that was there before it stays')
  if (row.twin)
    notes.push('Carries a suffix, because something else in its folder has the same name')
  if (legalName(row.item.name, rules) !== row.item.name)
    notes.push('Renamed, because the destination does not accept the original name')
  return notes
}
