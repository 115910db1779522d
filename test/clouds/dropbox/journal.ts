import type { Entry } from './tree.ts'

/** One change of the tree, in the order in which it happened. */
export interface JournalRecord {
  readonly number: number
  readonly lower: string
  readonly display: string
  /** What is at the path since then, or null when something was removed. */
  readonly entry: Entry | null
  /** What was removed. */
  readonly removed: Entry['kind'] | null
  /** A later record says the same or more. */
  dropped: boolean
}

/** All changes of one namespace; cursors are positions in it. */
export interface Journal {
  /** The number of the next record. */
  head(): number
  /** The record with this number. */
  at(number: number): JournalRecord | undefined
  /** Notes that an entry is at this path now. */
  written(lower: string, display: string, entry: Entry): JournalRecord
  /** Notes that this path and all below it are gone. */
  removed(lower: string, display: string, kind: Entry['kind']): void
}

/** A journal without records. */
export function createJournal(): Journal {
  const records: JournalRecord[] = []
  const latest = new Map<string, JournalRecord>()

  function add(record: JournalRecord): JournalRecord {
    const before = latest.get(record.lower)
    if (before !== undefined && saysMore(record, before)) before.dropped = true
    latest.set(record.lower, record)
    records.push(record)
    return record
  }

  return {
    head: () => records.length,
    at: (number) => records[number],
    written: (lower, display, entry) =>
      add({ number: records.length, lower, display, entry, removed: null, dropped: false }),
    removed(lower, display, kind) {
      add({
        number: records.length,
        lower,
        display,
        entry: null,
        removed: kind,
        dropped: false,
      })
    },
  }
}

/**
 * Whether a client that applies only `later` ends up with the same tree. A removed folder must be told
 * even when a new folder took its place: its children are gone.
 */
function saysMore(later: JournalRecord, before: JournalRecord): boolean {
  if (later.entry === null) return true
  const wasFile = before.entry === null ? before.removed === 'file' : before.entry.kind === 'file'
  return wasFile && later.entry.kind === 'file'
}
