import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openLedger } from '../../../backend/records/ledger.ts'
import { newRow, rewrite } from '../../../backend/records/row.ts'
import type { Ledger } from '../../../backend/records/ledger.ts'
import type { Row } from '../../../backend/records/row.ts'
import type { Item } from '../../../shared/item.ts'
import { someItem } from '../../some-item.ts'
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
  return someItem({ id, name: `name of ${id}`, parentId: 'parent' })
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
    expect(a).toEqual(row)
    expect(b?.parentId).toBeNull()
  })

  it('says nothing in the clear: neither ids nor names', async () => {
    await keep([newRow(item('secret-id'), 'secret-parent', 'again')])
    const [document] = await records.store.list({
      collection: 'ledger',
      where: { job: 'job', todo: 'again' },
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
    await keep([newRow(item('a'), 'parent', 'again')])
    expect(await job.rows(['a'])).toEqual([null])
    expect(await job.failed(10)).toEqual([])
  })

  it('opens no row that was sealed for somebody else', async () => {
    const bob = await openLedger(records.store, records.owners, 'bob', 'job')
    await keep([newRow(item('a'), 'parent', 'again')], bob)
    await expect(ledger.failed(10)).rejects.toMatchObject({ code: 'envelope_refused' })
  })

  it('opens no row that was put in the place of another', async () => {
    const document = ledger.document(newRow(item('a'), 'parent', 'copy'))
    await records.store.transact(async (transaction) =>
      transaction.put('ledger', { ...document, key: ledger.key('b') }),
    )
    await expect(ledger.rows(['b'])).rejects.toMatchObject({ code: 'envelope_refused' })
  })

  it('pages through what was not carried, each row once, and leaves out the rest', async () => {
    const rows = Array.from({ length: 25 }, (_, n) => newRow(item(`i${n}`), 'parent', 'again'))
    await keep([...rows, newRow(item('settled'), 'parent', 'settled')])
    const seen: string[] = []
    let after: string | undefined
    for (;;) {
      const page = await ledger.failed(10, after)
      seen.push(...page.map((row) => row.item.id))
      await keep(page.map((row) => rewrite(row, { todo: 'settled' })))
      const last = page.at(-1)
      if (page.length < 10 || last === undefined) break
      after = ledger.key(last.item.id)
    }
    expect(seen.toSorted()).toEqual(rows.map((row) => row.item.id).toSorted())
    expect(await ledger.failed(10)).toEqual([])
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
      return rewrite(row, { slot: ledger.slot('parent', `n${n}`) })
    })
    await keep(rows)
    const asked = Array.from({ length: 80 }, (_, n) => ledger.slot('parent', `n${n}`))
    const taken = new Map((await ledger.holders(asked)).map((row) => [row.slot, row.item.id]))
    expect(taken.size).toBe(70)
    expect(taken.get(ledger.slot('parent', 'n7'))).toBe('i7')
    const other = await openLedger(records.store, records.owners, 'ann', 'other')
    expect(await other.holders(asked)).toEqual([])
    expect(await ledger.holders([ledger.slot('elsewhere', 'n7')])).toEqual([])
  })

  it('tells one place from another also where the joined names are the same', () => {
    expect(ledger.slot('a', 'bc')).not.toBe(ledger.slot('ab', 'c'))
  })

  it('answers for more items than the store gives at once', async () => {
    await keep([newRow(item('a'), 'parent', 'settled')])
    const ids = Array.from({ length: 2500 }, (_, n) => `i${n}`)
    const rows = await ledger.rows([...ids, 'a'])
    expect(rows).toHaveLength(2501)
    expect(rows.at(-1)?.item.id).toBe('a')
  })
})
