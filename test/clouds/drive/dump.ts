import type { Dump, DumpEntry } from '../simulated-cloud.ts'
import { isFolder } from './item.ts'
import type { Item } from './item.ts'
import type { DriveState } from './state.ts'

/**
 * The tree as a test compares it. My Drive's items are at their own paths; the rest is below
 * `Shared drives/<name>`, `Shared with me` and `Orphans`. What is in the trash is left out.
 */
export async function dumpDrive(state: DriveState): Promise<Dump> {
  const entries: Record<string, DumpEntry> = {}

  async function below(parentId: string, prefix: string): Promise<void> {
    for (const item of state.children(parentId)) await place(item, prefix)
  }

  async function place(item: Item, prefix: string): Promise<void> {
    if (item.trashed) return
    const plain = `${prefix}${item.name}`
    let path = plain
    for (let twin = 2; Object.hasOwn(entries, path); twin++) path = `${plain} #${twin}`
    entries[path] = {
      kind: kindOf(item),
      id: item.id,
      size: item.content?.size ?? null,
      sha256: (await item.content?.hash('sha256')) ?? null,
      modified: new Date(item.modifiedTime).toISOString(),
    }
    if (isFolder(item)) await below(item.id, `${path}/`)
  }

  await below(state.rootId, '')
  for (const drive of state.sharedDrives.values())
    await below(drive.id, `Shared drives/${drive.name}/`)
  for (const item of state.items) {
    if (
      item === undefined ||
      item.parent !== null ||
      item.id === state.rootId ||
      item.id === item.driveId
    )
      continue
    await place(item, item.sharedWithMe === null ? 'Orphans/' : 'Shared with me/')
  }
  return entries
}

function kindOf(item: Item): DumpEntry['kind'] {
  if (isFolder(item)) return 'folder'
  if (item.targetId !== null) return 'shortcut'
  return item.content === null ? 'document' : 'file'
}
