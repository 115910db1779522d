/** One line of the change log: something about this item changed, what is looked up when it is read. */
interface Change {
  /** From 1 upwards without gaps; page tokens are these numbers. */
  readonly number: number
  readonly fileId: string
  readonly driveId: string | null
  /** Milliseconds since 1970. */
  readonly time: number
}

/** The log behind `changes.list`. */
export interface ChangeLog {
  /** Appends; an earlier line about the same item is superseded, as Drive reports each item once. */
  note(fileId: string, driveId: string | null, time: number): void
  /** The number that the next line will have: a start page token. */
  next(): number
  /** The lines from `number` on which are not superseded, in order. */
  from(number: number): Iterable<Change>
}

/** An empty log. */
export function createChangeLog(): ChangeLog {
  const lines: Change[] = []
  const latest = new Map<string, number>()

  return {
    note(fileId, driveId, time) {
      const number = lines.length + 1
      lines.push({ number, fileId, driveId, time })
      latest.set(fileId, number)
    },
    next: () => lines.length + 1,
    *from(number) {
      for (let at = number - 1; at < lines.length; at++) {
        const line = lines[at]
        if (line !== undefined && latest.get(line.fileId) === line.number) yield line
      }
    },
  }
}
