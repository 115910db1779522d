import type { Corpus } from '../clouds/cloud.ts'
import type { Item } from '../../shared/item.ts'
import type { Selection } from '../../shared/job.ts'
import { newRow } from '../records/row.ts'
import type { Row } from '../records/row.ts'

/**
 * The top of what a job copies: its copy is the destination folder. Below it lie, for a whole drive, folders of our own
 * for what has no folder that the person can see.
 */
const TOP = 'waybill:top'
const SHARED_WITH_ME = 'waybill:shared-with-me'
const NO_FOLDER = 'waybill:no-folder'
const SHARED_DRIVES = 'waybill:shared-drives'

const names = {
  [SHARED_WITH_ME]: 'Shared with me',
  [NO_FOLDER]: 'Not in a folder',
  [SHARED_DRIVES]: 'Shared drives',
} as const

/** @returns the source id that stands for the destination folder itself. */
export function topOf(selection: Selection): string {
  return selection.kind === 'folder' ? selection.id : TOP
}

/**
 * @returns the id of the folder that an item counts as lying in, or null if it lies in none that the selection could
 * hold
 */
export function parentOf(selection: Selection, item: Item): string | null {
  switch (selection.kind) {
    case 'items':
      return selection.ids.includes(item.id) ? TOP : item.parentId
    case 'folder':
      return item.parentId
    case 'drive':
      return item.parentId ?? homeless(item)
    default:
      return selection satisfies never
  }
}

/** @returns the folder of our own for an item whose folder the person cannot see. */
export function homeless(item: Item): string {
  return item.ownedByMe ? NO_FOLDER : SHARED_WITH_ME
}

/** @returns a row for a folder of our own, or for a drive's root: made at the destination only when something lies in it. */
function mount(id: string, name: string, parentId: string | null): Row {
  const item: Item = {
    id,
    kind: 'folder',
    name,
    parentId,
    mimeType: '',
    size: null,
    modifiedAt: new Date(0).toISOString(),
    version: '',
    hashes: {},
    exports: [],
    targetId: null,
    canDownload: true,
    ownedByMe: true,
    trashed: false,
    corpus: '',
  }
  return { ...newRow(item, parentId, 'settled'), lined: -1 }
}

/** @returns the row of the top. */
export function topRow(selection: Selection): Row {
  return mount(topOf(selection), '', null)
}

/** @returns the rows between the top and the items of a whole drive. */
export function driveRows(corpora: readonly Corpus[]): readonly Row[] {
  const own = corpora.map((corpus, index) =>
    mount(corpus.rootId, corpus.name, index === 0 ? TOP : SHARED_DRIVES),
  )
  const ours = Object.entries(names).map(([id, name]) => mount(id, name, TOP))
  return [...ours, ...own]
}

/** @returns the row of a shared drive that came in after the first run. */
export function sharedDriveRow(corpus: Corpus): Row {
  return mount(corpus.rootId, corpus.name, SHARED_DRIVES)
}
