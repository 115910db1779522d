import type { NameRules } from '../clouds/cloud.ts'
import { rewrite } from '../records/row.ts'
import type { JobRows } from '../records/job-rows.ts'
import type { Ledger } from '../records/ledger.ts'
import type { Row } from '../records/row.ts'
import { comparableName, datedName, exportName, legalName, siblingName } from './names.ts'

/** An item with the name that its copy has or will have. */
export interface Named {
  readonly row: Row
  readonly name: string
}

/** @returns the name of an item's copy, given whether it carries a suffix. */
export function nameOf(row: Row, rules: NameRules): string {
  const form = row.item.exports[row.form]
  const name = form === undefined ? row.item.name : exportName(row.item.name, form.extension)
  const legal = row.dated === undefined ? legalName(name, rules) : datedName(name, row.dated, rules)
  return row.twin ? siblingName(legal, row.item.id, rules) : legal
}

/**
 * Gives each row a name at the destination that no other row of the job has in the same folder. The first to come keeps
 * the plain name for as long as it is called so; later ones carry a suffix made of their source id, the same for ever.
 *
 * @returns the rows in their order, each with its place taken
 */
export async function claimName(
  known: Pick<JobRows, 'taken'>,
  ledger: Pick<Ledger, 'slot'>,
  rows: readonly Row[],
  rules: NameRules,
): Promise<readonly Named[]> {
  const slotOf = (row: Row, name: string): string =>
    ledger.slot(row.parentId ?? '', comparableName(name, rules))
  const candidates = rows.map((row) => {
    const plain = rewrite(row, { twin: false })
    const plainName = nameOf(plain, rules)
    const plainSlot = slotOf(plain, plainName)
    // A twin stays one while it is called so: the suffix is part of where people find it.
    const twinName = row.twin ? nameOf(row, rules) : null
    const stays = twinName !== null && row.slot === slotOf(row, twinName)
    return { row, plain, plainName, plainSlot, id: row.item.id, stays }
  })
  const taken = await known.taken([...new Set(candidates.map((each) => each.plainSlot))])
  const holders = new Map(taken)
  for (const { id, row, plainSlot, stays } of candidates) {
    // It is called otherwise by now: its place is free for whoever is called so.
    if (row.slot !== null && row.slot !== plainSlot && !stays && holders.get(row.slot) === id)
      holders.delete(row.slot)
  }
  return candidates.map(({ row, plain, plainName, plainSlot, id, stays }): Named => {
    const holder = holders.get(plainSlot)
    if (!stays && (holder === undefined || holder === id)) {
      holders.set(plainSlot, id)
      return { row: rewrite(plain, { slot: plainSlot }), name: plainName }
    }
    const twinName = nameOf(rewrite(row, { twin: true }), rules)
    return { row: rewrite(row, { twin: true, slot: slotOf(row, twinName) }), name: twinName }
  })
}

/** @returns the row under the name with its suffix, because something that is not ours has the plain one. */
export function asTwin(ledger: Pick<Ledger, 'slot'>, row: Row, rules: NameRules): Named {
  const twin = rewrite(row, { twin: true })
  const name = nameOf(twin, rules)
  return {
    row: rewrite(twin, { slot: ledger.slot(row.parentId ?? '', comparableName(name, rules)) }),
    name,
  }
}
