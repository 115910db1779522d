import type { Row } from '../records/row.ts'
import { underLease } from '../records/runs.ts'
import type { Work } from './work.ts'

/** Keeps rows, under the lease, in as many transactions as they need. */
export async function keepRows(work: Work, rows: readonly Row[]): Promise<void> {
  if (rows.length > 1 && !work.rows.fit(rows)) {
    const middle = Math.ceil(rows.length / 2)
    await keepRows(work, rows.slice(0, middle))
    await keepRows(work, rows.slice(middle))
    return
  }
  await work.rows.keep({ rows }, async (write) =>
    underLease(work.store, work.lease, (_run, transaction) => {
      write(transaction)
      return {}
    }),
  )
}
