import type { Folder } from '../clouds/cloud.ts'
import type { JobRows } from '../records/job-rows.ts'
import type { Row } from '../records/row.ts'

/** Deeper than any provider allows (Drive: 100 levels): a chain that is longer goes in a circle. */
const DEEPEST = 300
/** Folders remembered at once; about 300 bytes each. */
const REMEMBERED = 50_000

/** The folders that a job knows, read as they are needed and remembered for a while. */
export interface Tree {
  /** The folder's row, or null if the job knows none. */
  row(id: string): Promise<Row | null>
  /** Whether the folder is part of the selection: it and all above it are there and none has left. */
  holds(id: string): Promise<boolean>
  /** Where the folder's copy lies now; null if it has none yet. */
  where(id: string): Promise<Folder | null>
  /** The source's names from below the top down to the folder. */
  names(id: string): Promise<readonly string[]>
  /** How many folders lie above. */
  depth(id: string): Promise<number>
  /** Folders whose rows have just been written. */
  learn(rows: readonly Row[]): void
}

/**
 * @param top source id of the top
 * @param folder the destination folder: where the top's copy lies
 */
export function createTree(
  jobRows: Pick<JobRows, 'rows'>,
  top: string,
  folder: Folder | null,
): Tree {
  const rows = new Map<string, Row | null>()
  // Asked for several times for each file; forgotten when any folder changes, for all below it lie elsewhere then.
  const places = new Map<string, Folder | null>()

  const remember = (id: string, read: Row | null): void => {
    if (rows.size >= REMEMBERED) {
      rows.clear()
      places.clear()
    }
    rows.set(id, read)
  }

  const row = async (id: string): Promise<Row | null> => {
    const remembered = rows.get(id)
    if (remembered !== undefined) return remembered
    const [read] = await jobRows.rows([id])
    remember(id, read ?? null)
    return read ?? null
  }

  /** From the folder up to the top, the top itself left out; null if the chain does not reach it. */
  const chain = async (id: string): Promise<readonly Row[] | null> => {
    const above: Row[] = []
    let at = id
    while (at !== top) {
      const here = await row(at)
      if (here === null || here.parentId === null || above.length > DEEPEST) return null
      above.push(here)
      at = here.parentId
    }
    return above
  }

  const where = async (id: string, below = 0): Promise<Folder | null> => {
    if (id === top) return folder
    if (below > DEEPEST) return null
    const here = await row(id)
    if (here?.placed === null || here?.placed === undefined || here.copy === null) return null
    const parent = await where(here.placed.parentId, below + 1)
    return parent === null
      ? null
      : { id: here.copy.id, path: `${parent.path === '/' ? '' : parent.path}/${here.placed.name}` }
  }

  return {
    row,
    holds: async (id) => {
      const above = await chain(id)
      return above !== null && above.every((each) => !each.left && !each.item.trashed)
    },
    where: async (id) => {
      const known = places.get(id)
      if (known !== undefined) return known
      const found = await where(id)
      places.set(id, found)
      return found
    },
    names: async (id) => ((await chain(id)) ?? []).map((each) => each.item.name).toReversed(),
    depth: async (id) => ((await chain(id)) ?? []).length,
    learn: (written) => {
      for (const each of written) {
        if (each.item.kind !== 'folder') continue
        remember(each.item.id, each)
        places.clear()
      }
    },
  }
}
