import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { openJobRows } from '../../../backend/records/job-rows.ts'
import type { JobRows } from '../../../backend/records/job-rows.ts'
import { openLedger } from '../../../backend/records/ledger.ts'
import { newRow, rewrite } from '../../../backend/records/row.ts'
import type { Row, Todo } from '../../../backend/records/row.ts'
import type { Item } from '../../../shared/item.ts'
import { someItem } from '../../some-item.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

const turn = async (): Promise<void> => undefined
let records: KeptRecords
let known: JobRows
beforeEach(async () => {
  records = keepRecords()
  known = await open()
})
afterEach(() => records.close())

/** As the next slice finds them. */
async function open(isNew = false): Promise<JobRows> {
  const { store, owners } = records
  return openJobRows({ store, owners, user: 'ann', job: 'job', isNew, turn })
}

function item(id: string, name = `name of ${id}`): Item {
  return someItem({ id, name, parentId: 'parent' })
}

function waiting(count: number, todo: Todo = 'copy', prefix = 'i'): Row[] {
  return Array.from({ length: count }, (_, n) => newRow(item(`${prefix}${n}`), 'parent', todo))
}

async function keep(
  rows: readonly Row[],
  forgotten: readonly Row[] = [],
  to = known,
): Promise<void> {
  await to.keep({ rows, forgotten }, async (write) =>
    records.store.transact(async (transaction) => write(transaction)),
  )
}

async function all(pages: AsyncIterable<readonly Row[]>): Promise<readonly string[]> {
  const ids: string[] = []
  for await (const page of pages) ids.push(...page.map((row) => row.item.id))
  return ids
}

async function pagesKept(): Promise<number> {
  const page = { collection: 'manifest' as const, where: { job: 'job' }, limit: 100 }
  return (await records.store.list(page)).length
}

describe('the rows of a job', () => {
  it('wait in a few sealed pages, and are in the ledger once they wait for nothing', async () => {
    const rows = waiting(1000)
    await keep(rows)
    expect(await pagesKept()).toBe(4)
    expect(await known.rows(['i7', 'nothing'])).toEqual([rows[7], null])
    const ledger = await openLedger(records.store, records.owners, 'ann', 'job')
    expect(await ledger.rows(['i7'])).toEqual([null])

    await keep(rows.slice(0, 400).map((row) => rewrite(row, { todo: 'settled' })))
    expect((await ledger.rows(['i7']))[0]?.todo).toBe('settled')
    expect(await all(known.pages('copy'))).toEqual(rows.slice(400).map((row) => row.item.id))
    await keep(rows.slice(400, 800).map((row) => rewrite(row, { todo: 'settled' })))
    await keep(rows.slice(800).map((row) => rewrite(row, { todo: 'again' })))
    expect(known.waits('copy')).toBe(false)
    expect(await pagesKept()).toBe(0)
    expect((await all(known.failed())).length).toBe(200)
  })

  it('are found by whoever comes next as they were left', async () => {
    await keep([...waiting(500, 'file'), ...waiting(20, 'list', 'l')])
    await keep([rewrite(newRow(item('i3'), 'parent', 'copy'), { slot: 'here' })])
    const next = await open()
    expect((await next.rows(['i3']))[0]).toMatchObject({ todo: 'copy', slot: 'here' })
    expect(await next.taken(['here', 'there'])).toEqual(new Map([['here', 'i3']]))
    expect((await next.at('here'))?.item.id).toBe('i3')
    expect((await all(next.pages('file'))).length).toBe(499)
    expect((await next.first('list')).length).toBe(20)
    expect(next.waits('move')).toBe(false)
  })

  it('say nothing in the clear while they wait', async () => {
    await keep([newRow(item('secret-id', 'secret name'), 'secret-parent', 'copy')])
    const page = { collection: 'manifest' as const, where: { job: 'job' }, limit: 1 }
    const [document] = await records.store.list(page)
    expect(JSON.stringify(document?.fields) + document?.key).not.toContain('secret')
    expect(Buffer.from(document?.body ?? []).includes('secret')).toBe(false)
  })

  it('are the newer ones while they wait, whatever the ledger says of them', async () => {
    const row = rewrite(newRow(item('a'), 'parent', 'again'), { slot: 'old' })
    await keep([row])
    await keep([rewrite(row, { todo: 'file', slot: 'new', parentId: 'other' })])
    for (const rows of [known, await open()]) {
      expect((await rows.rows(['a']))[0]?.todo).toBe('file')
      expect(await all(rows.failed())).toEqual([])
      expect(await all(rows.children('parent'))).toEqual([])
      expect(await all(rows.children('other'))).toEqual(['a'])
      expect(await rows.taken(['old', 'new'])).toEqual(new Map([['new', 'a']]))
      expect(await rows.at('old')).toBeNull()
    }
  })

  it('are asked for in vain only if something was ever kept', async () => {
    let asked = 0
    const { store, owners } = records
    const counting = {
      ...store,
      getMany: (...args: Parameters<typeof store.getMany>) => (
        (asked += 1),
        store.getMany(...args)
      ),
      list: (...args: Parameters<typeof store.list>) => ((asked += 1), store.list(...args)),
    }
    const fresh = await openJobRows({
      store: counting,
      owners,
      user: 'ann',
      job: 'job',
      isNew: true,
      turn,
    })
    asked = 0
    expect(await fresh.rows(['a', 'b'])).toEqual([null, null])
    await keep([newRow(item('top'), null, 'settled')], [], fresh)
    await keep([rewrite(newRow(item('a'), 'parent', 'copy'), { slot: 'here' })], [], fresh)
    expect(await fresh.taken(['here', 'there'])).toEqual(new Map([['here', 'a']]))
    expect(asked).toBe(0)
    expect((await fresh.rows(['top', 'none']))[0]?.item.id).toBe('top')
    expect(asked).toBe(1)
    // From here on the ledger has a place that only it knows.
    await keep([rewrite(newRow(item('a'), 'parent', 'settled'), { slot: 'here' })], [], fresh)
    expect(await fresh.taken(['here'])).toEqual(new Map([['here', 'a']]))
  })

  it('fit into a page each time, however long their names are', async () => {
    const rows = Array.from({ length: 40 }, (_, n) =>
      newRow(item(`i${n}`, '\u{1F4C1}'.repeat(6000)), 'parent', 'copy'),
    )
    await keep(rows)
    expect(await pagesKept()).toBeGreaterThan(4)
    expect(await all((await open()).pages('copy'))).toHaveLength(40)
  })

  it('are kept one change after the other, and no more once nobody knows what landed', async () => {
    await Promise.all(waiting(30).map(async (row) => keep([row])))
    expect(await all((await open()).pages('copy'))).toHaveLength(30)
    const failing = known.keep({ rows: waiting(1, 'move') }, async () => {
      throw new Error('the line went dead')
    })
    await expect(failing).rejects.toThrow('the line went dead')
    expect(known.waits('move')).toBe(false)
    await expect(keep(waiting(1, 'move'))).rejects.toThrow('the line went dead')
  })

  it('fit into one transaction as long as they touch few pages', async () => {
    const rows = waiting(9000)
    for (let from = 0; from < rows.length; from += 300) await keep(rows.slice(from, from + 300))
    expect(known.fit(rows.slice(0, 900).map((row) => rewrite(row, { todo: 'file' })))).toBe(true)
    const scattered = rows.filter((_, n) => n % 300 === 0)
    expect(known.fit(scattered)).toBe(false)
    expect(known.fit(waiting(401, 'settled', 'x'))).toBe(false)
  })

  it('are what a plain map would hold, whatever is done to them', async () => {
    let jobs = 0
    const todos: readonly Todo[] = ['list', 'file', 'copy', 'again', 'settled']
    const change = fc.record({
      id: fc.nat(40),
      todo: fc.constantFrom(...todos, 'forgotten' as const),
      parent: fc.constantFrom('p', 'q'),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ changes: fc.array(change, { maxLength: 60 }), again: fc.boolean() }), {
          maxLength: 12,
        }),
        fc.boolean(),
        async (steps, saysNew) => {
          const { store, owners } = records
          const job = `job${(jobs += 1)}`
          const reopen = async (isNew: boolean) =>
            openJobRows({ store, owners, user: 'ann', job, isNew, turn })
          let rows = await reopen(saysNew)
          const model = new Map<string, Row>()
          for (const { changes, again } of steps) {
            const latest = new Map(changes.map((each) => [`i${each.id}`, each]))
            const kept: Row[] = []
            const forgotten: Row[] = []
            for (const [id, { todo, parent }] of latest) {
              const row = newRow(item(id), parent, todo === 'forgotten' ? 'settled' : todo)
              if (todo === 'forgotten') forgotten.push(row)
              else kept.push({ ...row, slot: `slot ${id} ${parent}` })
            }
            await keep(kept, forgotten, rows)
            for (const row of kept) model.set(row.item.id, row)
            for (const { item: one } of forgotten) model.delete(one.id)
            if (again) rows = await reopen(false)
            const ids = Array.from({ length: 41 }, (_, n) => `i${n}`)
            expect(await rows.rows(ids)).toEqual(ids.map((id) => model.get(id) ?? null))
            for (const parent of ['p', 'q']) {
              const there = [...model.values()].filter((row) => row.parentId === parent)
              expect((await all(rows.children(parent))).toSorted()).toEqual(
                there.map((row) => row.item.id).toSorted(),
              )
            }
            const slots = ids.map((id) => `slot ${id} p`)
            const held = [...model.values()].filter((row) => row.parentId === 'p')
            expect(await rows.taken(slots)).toEqual(
              new Map(held.map((row) => [row.slot, row.item.id])),
            )
          }
          for (const todo of ['list', 'file', 'copy'] as const) {
            const there = [...model.values()].filter((row) => row.todo === todo)
            expect((await all(rows.pages(todo))).toSorted()).toEqual(
              there.map((row) => row.item.id).toSorted(),
            )
            expect(rows.waits(todo)).toBe(there.length > 0)
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})
