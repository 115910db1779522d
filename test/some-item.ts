import type { Item } from '../shared/item.ts'

/**
 * @param more what matters about it
 * @returns a small file of the person's own
 */
export function someItem(more: Partial<Item> = {}): Item {
  return {
    id: 'id',
    kind: 'file',
    name: 'a.txt',
    parentId: null,
    mimeType: 'text/plain',
    size: 1,
    modifiedAt: '2026-01-01T00:00:00.000Z',
    version: '1',
    hashes: {},
    exports: [],
    targetId: null,
    canDownload: true,
    ownedByMe: true,
    trashed: false,
    corpus: 'my-drive',
    ...more,
  }
}
