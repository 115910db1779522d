import { bytesContent, fileContent, patternContent } from '../content.ts'
import type { Content } from '../content.ts'
import { opaqueId } from '../random.ts'
import { createChangeLog } from './change-log.ts'
import type { ChangeLog } from './change-log.ts'
import { isFolder, mime } from './item.ts'
import type { ContentSource, Item, ItemChange, NewItem } from './item.ts'

/** A shared drive of which the user is a member. */
export interface SharedDrive {
  readonly id: string
  name: string
  readonly createdTime: number
}

/** Everything that a simulated Drive remembers. */
export interface DriveState {
  readonly rootId: string
  readonly changes: ChangeLog
  /** In the order of creation, with holes where something was removed. */
  readonly items: readonly (Item | undefined)[]
  readonly sharedDrives: ReadonlyMap<string, SharedDrive>
  get(id: string): Item | undefined
  /** Also what is in the trash. */
  children(id: string): readonly Item[]
  /** Throws when the parent is unknown or the id is taken. */
  add(item: NewItem): Item
  addSharedDrive(name: string): SharedDrive
  /** Throws when the item or its new parent is unknown. */
  update(id: string, change: ItemChange): Item
  /** Removes for good, with everything below. Throws when the item is unknown. */
  remove(id: string): void
  /** An id that no item has. */
  newId(): string
}

/** An empty My Drive. Ids depend on `seed`; `now` gives milliseconds since 1970. */
export function createDriveState(seed: string | number, now: () => number): DriveState {
  const items: (Item | undefined)[] = []
  const byId = new Map<string, Item>()
  const below = new Map<string, Set<Item>>()
  const sharedDrives = new Map<string, SharedDrive>()
  const changes = createChangeLog()
  let ids = 0

  const newId = (): string => `1${opaqueId(`${seed} ${ids++}`, 32)}`

  function known(id: string): Item {
    const item = byId.get(id)
    if (item === undefined) throw new Error(`there is no item ${id}`)
    return item
  }

  function insert(from: NewItem, parent: Item | null, driveId: string | null): Item {
    const created = from.createdTime ?? from.modifiedTime ?? now()
    const shared = from.sharedWithMe === true
    const item: Item = {
      id: from.id ?? newId(),
      sequence: items.length,
      name: from.name,
      mimeType:
        from.mimeType ?? (from.targetId === undefined ? 'application/octet-stream' : mime.shortcut),
      parent: parent?.id ?? null,
      driveId,
      ownedByMe: from.ownedByMe ?? (!shared && driveId === null),
      sharedWithMe: shared ? created : null,
      content: from.content === undefined ? null : contentOf(from.content),
      exportSize: from.exportSize ?? 4096,
      targetId: from.targetId ?? null,
      createdTime: created,
      modifiedTime: from.modifiedTime ?? created,
      trashed: from.trashed === true || parent?.trashed === true,
      explicitlyTrashed: from.trashed === true,
      version: 1,
      revision: 1,
      canDownload: from.canDownload ?? true,
      abusive: from.abusive ?? false,
      starred: from.starred ?? false,
      description: from.description ?? null,
      resourceKey: from.resourceKey ?? null,
      properties: from.properties ?? null,
      appProperties: from.appProperties ?? null,
      changesWhileRead: null,
    }
    if (item.content === null && !item.mimeType.startsWith('application/vnd.google-apps.'))
      item.content = bytesContent('')
    if (byId.has(item.id)) throw new Error(`there is already an item ${item.id}`)
    items.push(item)
    byId.set(item.id, item)
    if (parent !== null) childrenOf(parent.id).add(item)
    changes.note(item.id, driveId, now())
    return item
  }

  function childrenOf(id: string): Set<Item> {
    let children = below.get(id)
    if (children === undefined) below.set(id, (children = new Set()))
    return children
  }

  function moveTo(item: Item, parentId: string | null): void {
    const parent = parentId === null ? null : known(parentId === 'root' ? rootId : parentId)
    for (
      let above = parent;
      above !== null;
      above = above.parent === null ? null : known(above.parent)
    )
      if (above === item) throw new Error('a folder cannot move into itself')
    if (item.parent !== null) childrenOf(item.parent).delete(item)
    item.parent = parent?.id ?? null
    if (parent !== null) childrenOf(parent.id).add(item)
    setBelow(item, parent?.driveId ?? null)
  }

  /** What depends on the folders above: the drive and the trash. Drive reports neither item by item. */
  function setBelow(item: Item, driveId: string | null): void {
    const above = item.parent === null ? undefined : byId.get(item.parent)
    item.driveId = driveId
    item.trashed = item.explicitlyTrashed || above?.trashed === true
    for (const child of below.get(item.id) ?? []) setBelow(child, driveId)
  }

  function remove(id: string): void {
    const item = known(id)
    for (const child of below.get(id) ?? []) remove(child.id)
    if (item.parent !== null) childrenOf(item.parent).delete(item)
    below.delete(id)
    byId.delete(id)
    items[item.sequence] = undefined
    changes.note(id, item.driveId, now())
  }

  const root = insert(
    { name: 'My Drive', mimeType: mime.folder, id: `0A${opaqueId(`${seed} root`, 17)}` },
    null,
    null,
  )
  const rootId = root.id

  return {
    rootId,
    changes,
    items,
    sharedDrives,
    newId,
    get: (id) => byId.get(id === 'root' ? rootId : id),
    children: (id) => [...(below.get(id) ?? [])],
    add(from) {
      const fallback = from.sharedWithMe === true ? null : rootId
      const parentId = from.parent === undefined ? fallback : from.parent
      const parent = parentId === null ? null : known(parentId === 'root' ? rootId : parentId)
      if (parent !== null && !isFolder(parent)) throw new Error('only folders have children')
      return insert(from, parent, parent?.driveId ?? null)
    },
    addSharedDrive(name) {
      const id = `0A${opaqueId(`${seed} drive ${sharedDrives.size}`, 17)}`
      const drive = { id, name, createdTime: now() }
      sharedDrives.set(id, drive)
      insert({ name, mimeType: mime.folder, id, ownedByMe: false }, null, id)
      return drive
    },
    update(id, change) {
      const item = known(id)
      const { parent, content, trashed, modifiedTime, ...plain } = change
      Object.assign(item, plain)
      if (content !== undefined) {
        item.content = contentOf(content)
        item.revision++
        item.modifiedTime = now()
      }
      if (modifiedTime !== undefined) item.modifiedTime = modifiedTime
      if (trashed !== undefined) item.explicitlyTrashed = trashed
      if (parent !== undefined) moveTo(item, parent)
      else if (trashed !== undefined) setBelow(item, item.driveId)
      item.version++
      changes.note(item.id, item.driveId, now())
      return item
    },
    remove,
  }
}

/** The bytes that a test described. */
export function contentOf(source: ContentSource): Content {
  if (typeof source === 'string' || Buffer.isBuffer(source)) return bytesContent(source)
  if ('pieces' in source) return source
  if ('pattern' in source) return patternContent(source.pattern, source.size)
  if ('base64' in source) return bytesContent(Buffer.from(source.base64, 'base64'))
  return fileContent(source.path, source.size)
}
