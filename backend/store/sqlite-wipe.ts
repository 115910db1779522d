import type { DatabaseSync } from 'node:sqlite'

/** What is rewritten in some seconds, in which the process does nothing else. */
const MOST_BYTES = 1024 ** 3

/**
 * Rewrites a file without what was removed from it: pages that fell free as a whole keep what they held, and others have
 * copies of rows that they made room for. Then the log is written back and emptied, as it has pages how they were:
 * https://www.sqlite.org/lang_vacuum.html, https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
 *
 * @returns false for a file of more than 1 GiB, of which only the log is written back, and if another process reads at
 * this moment what would have to go. Throws what SQLite throws.
 */
export function wipe(db: DatabaseSync): boolean {
  const isSmall = numberOf(db, 'page_size') * numberOf(db, 'page_count') <= MOST_BYTES
  if (isSmall) db.exec('VACUUM')
  const done = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  return isSmall && Number(done?.['busy']) === 0
}

function numberOf(db: DatabaseSync, pragma: 'page_size' | 'page_count'): number {
  return Number(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
}
