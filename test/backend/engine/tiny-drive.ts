import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Corpus, Listing, Source } from '../../../backend/clouds/cloud.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { Item } from '../../../shared/item.ts'
import { someItem } from '../../some-item.ts'

/** A source that lives in memory: what a test changes is there at once, and what it is asked is plain to see. */
export interface TinyDrive {
  readonly source: Source
  readonly root: string
  folder(name: string, parent?: string | null, more?: Partial<Item>): string
  file(
    name: string,
    parent: string | null,
    content: string | Uint8Array,
    more?: Partial<Item>,
  ): string
  /** `content` is what its exports say, in each form; a form without content is too large to be exported. */
  document(name: string, parent: string, forms: Readonly<Record<string, string | null>>): string
  change(id: string, change: Partial<Item>, content?: string | Uint8Array): void
  remove(id: string): void
  item(id: string): Item
  bytes(id: string): Uint8Array
  /** Ids of the files that count as there, below a folder. */
  below(folder: string): readonly string[]
  /** Refuses every cursor and token handed out so far. */
  forgetCursors(): void
  addDrive(corpus: Corpus): void
  removeDrive(id: string): void
  /** Asked before each call, with its name and what it is about; what it throws is what the call throws. */
  onCall(hook: (name: string, about: string) => void | Promise<void>): void
  /** Bytes served instead of the real ones, once. */
  serve(id: string, stream: () => Readable): void
  readonly calls: Record<string, number>
}

const folderMime = 'application/vnd.google-apps.folder'

export function createTinyDrive({ pageSize = 3, foldersPerListing = 3 } = {}): TinyDrive {
  const items = new Map<string, Item>()
  const contents = new Map<string, Uint8Array>()
  const forms = new Map<string, Readonly<Record<string, string | null>>>()
  const log: { readonly id: string; readonly corpus: string }[] = []
  const served = new Map<string, (() => Readable)[]>()
  const calls: Record<string, number> = {}
  const drives: Corpus[] = []
  let oldest = 0
  let epoch = 0
  let count = 0
  let hook: (name: string, about: string) => void | Promise<void> = () => undefined

  const asked = async (name: string, about = ''): Promise<void> => {
    calls[name] = (calls[name] ?? 0) + 1
    await hook(name, about)
  }
  const must = (id: string): Item => {
    const item = items.get(id)
    if (item === undefined) throw new Error(`there is no ${id}`)
    return item
  }
  const put = (item: Item): void => {
    items.set(item.id, item)
    log.push({ id: item.id, corpus: item.corpus })
  }
  const add = (kind: Item['kind'], name: string, parentId: string | null, more: Partial<Item>) => {
    count += 1
    const id = `${kind}-${count}`
    const corpus = parentId === null ? 'my-drive' : (items.get(parentId)?.corpus ?? parentId)
    put(
      someItem({
        id,
        kind,
        name,
        parentId,
        mimeType: kind === 'folder' ? folderMime : 'application/octet-stream',
        size: null,
        version: `v${count}`,
        corpus: corpus === 'root' ? 'my-drive' : corpus,
        ...more,
      }),
    )
    return id
  }
  const content = (value: string | Uint8Array): Uint8Array =>
    typeof value === 'string' ? Buffer.from(value) : value
  const measured = (bytes: Uint8Array) => ({
    size: bytes.length,
    hashes: { md5: createHash('md5').update(bytes).digest('hex') },
  })
  /** As Drive has it: what lies in a trashed folder is in the trash. */
  const isTrashed = (item: Item): boolean => {
    for (let at: Item | undefined = item; at !== undefined;) {
      if (at.trashed) return true
      at = at.parentId === null ? undefined : items.get(at.parentId)
    }
    return false
  }
  const shown = (id: string): Item | null => {
    const item = items.get(id)
    return item === undefined ? null : { ...item, trashed: isTrashed(item) }
  }
  const listed = (listing: Listing): readonly Item[] =>
    [...items.values()].filter(
      (item) =>
        !isTrashed(item) &&
        (listing.kind === 'corpus'
          ? item.corpus === listing.corpus
          : item.parentId !== null && listing.of.includes(item.parentId)),
    )

  const source: Source = {
    provider: 'google-drive',
    capabilities: { foldersPerListing, hashes: ['md5'] },
    account: async () => ({ id: 'person', label: 'person@example.com' }),
    ownDrive: async () => ({ id: 'my-drive', name: 'My Drive', rootId: 'root' }),
    sharedDrives: async () => {
      await asked('sharedDrives')
      return drives
    },
    get: async (id) => {
      await asked('get', id)
      return shown(id)
    },
    list: async (listing, cursor) => {
      await asked('list', listing.kind === 'corpus' ? listing.corpus : listing.of.join())
      const [of = 0, from = 0] = cursor === null ? [epoch, 0] : cursor.split(':').map(Number)
      if (of !== epoch) throw new WaybillError('listing_restarted', 'For the test.')
      const all = listed(listing)
      const next = from + pageSize
      return {
        items: all.slice(from, next),
        cursor: next < all.length ? `${epoch}:${next}` : null,
        complete: true,
      }
    },
    changesToken: async (corpus) => {
      await asked('changesToken', corpus)
      return String(log.length)
    },
    changes: async (corpus, token) => {
      await asked('changes', corpus)
      if (corpus !== 'my-drive' && !drives.some((drive) => drive.id === corpus))
        throw new WaybillError('source_missing', 'For the test.')
      if (Number(token) < oldest) throw new WaybillError('cursor_lost', 'For the test.')
      const news = log
        .slice(Number(token))
        .map((entry, at) => ({ ...entry, at: at + Number(token) }))
      const own = news.filter((entry) => entry.corpus === corpus)
      const page = own.slice(0, pageSize)
      const more = own.length > pageSize
      return {
        changes: page.map(({ id }) => ({ id, item: shown(id) })),
        token: more ? String((page.at(-1)?.at ?? 0) + 1) : String(log.length),
        more,
      }
    },
    open: async (item, { from, form, signal }) => {
      await asked('open', item.id)
      const now = items.get(item.id)
      if (now === undefined || isTrashed(now)) throw new WaybillError('gone', 'For the test.')
      const instead = served.get(item.id)?.shift()
      if (instead !== undefined) return { stream: instead(), length: null, from }
      const text = form === undefined ? null : forms.get(item.id)?.[form.extension]
      if (form !== undefined && typeof text !== 'string')
        throw new WaybillError('export_too_large', 'For the test.')
      const bytes = typeof text === 'string' ? Buffer.from(text) : contents.get(item.id)
      if (bytes === undefined) throw new WaybillError('gone', 'For the test.')
      if (from > bytes.length) throw new WaybillError('keeps_changing', 'For the test.')
      const pieces: Uint8Array[] = []
      for (let at = from; at < bytes.length; at += 1 << 20)
        pieces.push(bytes.subarray(at, at + (1 << 20)))
      return {
        stream: Readable.from(pieces, { objectMode: true, ...(signal && { signal }) }),
        length: null,
        from,
      }
    },
  }

  return {
    source,
    root: 'root',
    folder: (name, parent = 'root', more = {}) => add('folder', name, parent, more),
    file: (name, parent, value, more = {}) => {
      const bytes = content(value)
      const id = add('file', name, parent, { ...measured(bytes), ...more })
      contents.set(id, bytes)
      return id
    },
    document: (name, parent, given) => {
      const exports = Object.keys(given).map((extension) => ({ mimeType: extension, extension }))
      const id = add('document', name, parent, { exports })
      forms.set(id, given)
      return id
    },
    change: (id, change, value) => {
      count += 1
      const bytes = value === undefined ? null : content(value)
      if (bytes !== null) contents.set(id, bytes)
      const fresh = bytes === null ? {} : { ...measured(bytes), version: `v${count}` }
      put({ ...must(id), ...fresh, ...change })
    },
    remove: (id) => {
      const item = must(id)
      items.delete(id)
      log.push({ id, corpus: item.corpus })
    },
    item: must,
    bytes: (id) => contents.get(id) ?? new Uint8Array(0),
    below: (folder) => {
      const under = (item: Item): boolean =>
        item.parentId === folder ||
        (item.parentId !== null && items.has(item.parentId) && under(must(item.parentId)))
      return [...items.values()]
        .filter((item) => item.kind === 'file' && !isTrashed(item) && under(item))
        .map((item) => item.id)
    },
    forgetCursors: () => {
      epoch += 1
      oldest = log.length
    },
    addDrive: (corpus) => void drives.push(corpus),
    removeDrive: (id) =>
      void drives.splice(
        drives.findIndex((drive) => drive.id === id),
        1,
      ),
    onCall: (given) => {
      hook = given
    },
    serve: (id, stream) => void served.set(id, [...(served.get(id) ?? []), stream]),
    calls,
  }
}
