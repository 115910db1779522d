import { mime } from './item.ts'
import type { ContentSource, ItemChange, NewItem } from './item.ts'
import type { ListingTrouble } from './list-files.ts'
import { seedFolder } from './seed-folder.ts'
import type { Seeded } from './seed-folder.ts'
import { contentOf } from './state.ts'
import type { DriveState } from './state.ts'

/** A synthetic tree. */
interface TreePlan {
  /** Where it begins; the root unless given. */
  readonly parent?: string
  /** Folders, each holding the same number of files. */
  readonly folders: number
  readonly filesPerFolder: number
  /** Bytes of each file, or by its number from 0. */
  readonly fileSize: number
  /** Folders inside folders: each folder's parent is the one before it, this many deep. 1 unless given. */
  readonly depth?: number
  /** Part of all names, so that two trees differ. */
  readonly prefix?: string
}

/** How a test changes the simulated Drive behind the API's back. Ids go in and come out. */
export interface DriveEdits {
  /** The root folder's id. */
  root(): string
  add(item: NewItem): string
  addFolder(name: string, parent?: string, more?: Partial<NewItem>): string
  addFile(parent: string, name: string, content: ContentSource, more?: Partial<NewItem>): string
  /** A Docs editors' item; `exportSize` in bytes. */
  addDocument(parent: string, name: string, exportSize?: number, kind?: keyof typeof mime): string
  addShortcut(parent: string, name: string, targetId: string): string
  addSharedDrive(name: string): string
  addTree(plan: TreePlan): {
    readonly folders: readonly string[]
    readonly files: readonly string[]
  }
  seedFolder(folder: string, parent?: string): Promise<Seeded>
  update(id: string, change: ItemChange): void
  remove(id: string): void
  /** The id at a path of names below the root, the first of twins, or null. */
  idOf(path: string): string | null
  setCanDownload(id: string, can: boolean): void
  /** The next download serves the old bytes, or half of them, and then the item has this content. */
  changeWhileRead(id: string, content: ContentSource, serves?: 'old' | 'mixed'): void
  /** The next `times` listings without a driveId say incompleteSearch. */
  setIncompleteSearch(times: number): void
  /** Page tokens handed out so far are refused from now on. */
  expirePageTokens(): void
}

/** The edits of a state. */
export function driveEdits(state: DriveState, trouble: ListingTrouble): DriveEdits {
  const add = (item: NewItem): string => state.add(item).id
  const addFolder = (name: string, parent = 'root', more: Partial<NewItem> = {}): string =>
    add({ ...more, name, parent, mimeType: mime.folder })

  return {
    root: () => state.rootId,
    add,
    addFolder,
    addFile: (parent, name, content, more = {}) => add({ ...more, name, parent, content }),
    addDocument: (parent, name, exportSize = 4096, kind = 'document') =>
      add({ name, parent, exportSize, mimeType: mime[kind] }),
    addShortcut: (parent, name, targetId) => add({ name, parent, targetId }),
    addSharedDrive: (name) => state.addSharedDrive(name).id,
    addTree(plan) {
      const { parent = 'root', depth = 1, prefix = '' } = plan
      const folders: string[] = []
      const files: string[] = []
      let above = parent
      for (let at = 0; at < plan.folders; at++) {
        above = addFolder(`${prefix}folder ${at}`, at % depth === 0 ? parent : above)
        folders.push(above)
        for (let nth = 0; nth < plan.filesPerFolder; nth++) {
          const name = `${prefix}file ${at}-${nth}.bin`
          const content = { pattern: `${prefix}${at} ${nth}`, size: plan.fileSize }
          files.push(add({ name, parent: above, content }))
        }
      }
      return { folders, files }
    },
    seedFolder: (folder, parent = 'root') => seedFolder(state, folder, parent),
    update: (id, change) => void state.update(id, change),
    remove: (id) => state.remove(id),
    idOf(path) {
      let at = state.rootId
      for (const name of path.split('/')) {
        const child = state.children(at).find((item) => item.name === name && !item.trashed)
        if (child === undefined) return null
        at = child.id
      }
      return at
    },
    setCanDownload: (id, can) => void state.update(id, { canDownload: can }),
    changeWhileRead(id, content, serves = 'mixed') {
      const item = state.get(id)
      if (item === undefined) throw new Error(`there is no item ${id}`)
      item.changesWhileRead = { content: contentOf(content), serves }
    },
    setIncompleteSearch(times) {
      trouble.incomplete = times
    },
    expirePageTokens() {
      trouble.epoch++
    },
  }
}
