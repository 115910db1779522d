import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mark, newRow, openLedger, rewrite } from '../../../backend/records/ledger.ts'
import type { Ledger, Row } from '../../../backend/records/ledger.ts'
import type { Item } from '../../../shared/item.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

let records: KeptRecords
let ledger: Ledger
beforeEach(async () => {
  records = keepRecords()
  ledger = await openLedger(records.store, records.owners, 'ann', 'job')
})
afterEach(() => records.close())

function item(id: string): Item {
  return {
    id,
    kind: 'file',
    name: `name of ${id}`,
    parentId: 'parent',
    mimeType: '',
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
  }
}

async function keep(rows: readonly Row[], to = ledger): Promise<void> {
  await records.store.transact(async (transaction) => {
    for (const row of rows) transaction.put('ledger', to.document(row))
  })
}

describe('a ledger', () => {
  it('gives back what was kept, in the order asked, and null for what was not', async () => {
    const row: Row = {
      ...newRow(item('a'), 'parent', 'copy'),
      slot: ledger.slot('parent', 'a'),
      twin: true,
      form: 2,
      lined: 3,
      listed: 4,
      left: true,
      placed: { parentId: 'parent', name: 'a' },
      copy: { id: 'id', version: 'v', bytes: 1, hashes: {} },
      carried: '1',
      reason: 'gone',
    }
    await keep([row, newRow(item('b'), null, 'file')])
    const [b, none, a] = await ledger.rows(['b', 'nothing', 'a'])
    expect(none).toBeNull()
    expect(a).toEqual({ ...row, sealed: expect.any(Uint8Array) })
    expect(b?.parentId).toBeNull()
  })

  it('says nothing in the clear: neither ids nor names', async () => {
    await keep([newRow(item('secret-id'), 'secret-parent', 'copy')])
    const [document] = await records.store.list({
      collection: 'ledger',
      where: { job: 'job', todo: 'copy' },
      limit: 1,
    })
    const text = JSON.stringify(document?.fields) + document?.key
    expect(text).not.toContain('secret')
    expect(Buffer.from(document?.body ?? []).includes('secret')).toBe(false)
  })

  it('knows an item by other keys in other jobs and for other people', async () => {
    const job = await openLedger(records.store, records.owners, 'ann', 'other')
    const person = await openLedger(records.store, records.owners, 'bob', 'job')
    expect(new Set([ledger.key('a'), job.key('a'), person.key('a')]).size).toBe(3)
    await keep([newRow(item('a'), 'parent', 'copy')])
    expect(await job.rows(['a'])).toEqual([null])
    expect(await job.todo('copy', 10)).toEqual([])
  })

  it('opens no row that was sealed for somebody else', async () => {
    const bob = await openLedger(records.store, records.owners, 'bob', 'job')
    await keep([newRow(item('a'), 'parent', 'copy')], bob)
    await expect(ledger.todo('copy', 10)).rejects.toMatchObject({ code: 'envelope_refused' })
  })

  it('opens no row that was put in the place of another', async () => {
    const document = ledger.document(newRow(item('a'), 'parent', 'copy'))
    await records.store.transact(async (transaction) =>
      transaction.put('ledger', { ...document, key: ledger.key('b') }),
    )
    await expect(ledger.rows(['b'])).rejects.toMatchObject({ code: 'envelope_refused' })
  })

  it('pages through what is to be done, each row once, while rows are settled', async () => {
    const rows = Array.from({ length: 25 }, (_, n) => newRow(item(`i${n}`), 'parent', 'copy'))
    await keep(rows)
    const seen: string[] = []
    let after: string | undefined
    for (;;) {
      const page = await ledger.todo('copy', 10, after)
      seen.push(...page.map((row) => row.item.id))
      await keep(page.map((row) => mark(row, { todo: 'settled' })))
      const last = page.at(-1)
      if (page.length < 10 || last === undefined) break
      after = ledger.key(last.item.id)
    }
    expect(seen.toSorted()).toEqual(rows.map((row) => row.item.id).toSorted())
    expect(await ledger.todo('copy', 10)).toEqual([])
  })

  it('finds children by the folder they count as lying in', async () => {
    await keep([newRow(item('a'), 'one', 'copy'), newRow(item('b'), 'two', 'copy')])
    const [a, ...more] = await ledger.children('one', 10)
    expect(more).toEqual([])
    await keep(a === undefined ? [] : [rewrite(a, { parentId: 'two' })])
    expect(await ledger.children('one', 10)).toEqual([])
    expect(await ledger.children('two', 10)).toHaveLength(2)
  })

  it('tells which of many places are taken, by whom, and of no other job', async () => {
    const rows = Array.from({ length: 70 }, (_, n) => {
      const row = newRow(item(`i${n}`), 'parent', 'copy')
      return mark(row, { slot: ledger.slot('parent', `n${n}`) })
    })
    await keep(rows)
    const asked = Array.from({ length: 80 }, (_, n) => ledger.slot('parent', `n${n}`))
    const taken = await ledger.taken(asked)
    expect(taken.size).toBe(70)
    expect(taken.get(ledger.slot('parent', 'n7'))).toBe(ledger.key('i7'))
    const other = await openLedger(records.store, records.owners, 'ann', 'other')
    expect((await other.taken(asked)).size).toBe(0)
    expect((await ledger.at(ledger.slot('parent', 'n7')))?.item.id).toBe('i7')
    expect(await ledger.at(ledger.slot('elsewhere', 'n7'))).toBeNull()
  })

  it('tells one place from another also where the joined names are the same', () => {
    expect(ledger.slot('a', 'bc')).not.toBe(ledger.slot('ab', 'c'))
  })

  it('seals a row anew only when something sealed has changed', async () => {
    await keep([newRow(item('a'), 'parent', 'copy')])
    const [row] = await ledger.rows(['a'])
    if (row === null || row === undefined) throw new Error('no row')
    expect(ledger.document(mark(row, { todo: 'move' })).body).toBe(row.sealed)
    const renamed = rewrite(row, { item: { ...row.item, name: 'new' } })
    await keep([renamed])
    expect((await ledger.rows(['a']))[0]?.item.name).toBe('new')
  })
})
