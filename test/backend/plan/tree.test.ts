import { describe, expect, it } from '@jest/globals'
import { newRow } from '../../../backend/records/row.ts'
import type { JobRows } from '../../../backend/records/job-rows.ts'
import type { Row } from '../../../backend/records/row.ts'
import { topRow } from '../../../backend/plan/roots.ts'
import { createTree } from '../../../backend/plan/tree.ts'

function folder(id: string, parentId: string | null, more: Partial<Row> = {}): Row {
  const { item } = topRow({ kind: 'folder', id })
  return { ...newRow({ ...item, name: `name ${id}` }, parentId, 'settled'), ...more }
}
function treeOf(rows: readonly Row[]) {
  let reads = 0
  const known: Pick<JobRows, 'rows'> = {
    rows: async (ids) => {
      reads += 1
      return ids.map((id) => rows.find((row) => row.item.id === id) ?? null)
    },
  }
  const tree = createTree(known, 'top', { id: 'dest', path: '/Backup' })
  return { tree, reads: () => reads }
}
const at = (parentId: string, name: string) => ({
  placed: { parentId, name },
  copy: { id: `id of ${name}`, version: '', bytes: 0, hashes: {} },
})

describe('the tree of folders', () => {
  it('knows where a copy lies, whatever its original is called now', async () => {
    const { tree } = treeOf([folder('a', 'top', at('top', 'Old')), folder('b', 'a', at('a', 'B'))])
    expect(await tree.where('b')).toEqual({ id: 'id of B', path: '/Backup/Old/B' })
    expect(await tree.names('b')).toEqual(['name a', 'name b'])
    expect(await tree.depth('b')).toBe(2)
    expect(await tree.where('top')).toEqual({ id: 'dest', path: '/Backup' })
  })

  it('holds what reaches the top through folders that are there', async () => {
    const { tree } = treeOf([
      folder('a', 'top'),
      folder('left', 'top', { left: true }),
      folder('in left', 'left'),
      folder('lost', 'nowhere'),
    ])
    expect(await tree.holds('a')).toBe(true)
    expect(await tree.holds('in left')).toBe(false)
    expect(await tree.holds('lost')).toBe(false)
    expect(await tree.holds('unknown')).toBe(false)
  })

  it('comes to an end where folders lie in each other', async () => {
    const { tree } = treeOf([
      folder('a', 'b', at('b', 'A')),
      folder('b', 'a', at('a', 'B')),
      folder('self', 'self', at('self', 'S')),
    ])
    for (const id of ['a', 'b', 'self']) {
      expect(await tree.holds(id)).toBe(false)
      expect(await tree.where(id)).toBeNull()
      expect(await tree.names(id)).toEqual([])
    }
  })

  it('reads each folder once, and believes what it is told', async () => {
    const { tree, reads } = treeOf([folder('a', 'top'), folder('b', 'a')])
    await tree.holds('b')
    await tree.holds('b')
    await tree.depth('b')
    expect(reads()).toBe(2)
    tree.learn([folder('a', 'top', { left: true })])
    expect(await tree.holds('b')).toBe(false)
  })

  it('goes a hundred levels deep', async () => {
    const rows = Array.from({ length: 100 }, (_, n) => {
      const parent = n === 0 ? 'top' : `f${n - 1}`
      return folder(`f${n}`, parent, at(parent, `n${n}`))
    })
    const { tree } = treeOf(rows)
    expect(await tree.depth('f99')).toBe(100)
    expect((await tree.where('f99'))?.path.split('/')).toHaveLength(102)
  })
})
