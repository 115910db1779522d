import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { addRun, createJob, emptyMemory, listJobs, readJob } from '../../../backend/records/jobs.ts'
import { createTree } from '../../../backend/records/merkle-tree.ts'
import { openReceipt, receiptLines } from '../../../backend/records/receipts.ts'
import { keepRun, progressOf, readRun, runId } from '../../../backend/records/runs.ts'
import type { Run } from '../../../backend/records/runs.ts'
import {
  dropTransfers,
  intentDocument,
  openIntents,
  readUpload,
  uploadDocument,
} from '../../../backend/records/transfers.ts'
import type { Document } from '../../../backend/store/store.ts'
import type { ReceiptLine } from '../../../shared/receipt.ts'
import { keepRecords } from '../engine/kept-records.ts'
import type { KeptRecords } from '../engine/kept-records.ts'

let records: KeptRecords
beforeEach(() => {
  records = keepRecords()
})
afterEach(() => records.close())

function job(id: string, user = 'ann') {
  return {
    id,
    user,
    createdAt: 1,
    latest: 1,
    request: {
      kind: 'copy' as const,
      source: { connection: 'from', selection: { kind: 'folder' as const, id: 'secret-folder' } },
      destination: { connection: 'to', folder: '/Secret' },
    },
    dueAt: null,
    memory: { ...emptyMemory, known: 10 },
  }
}
async function create(id: string, user = 'ann'): Promise<Run> {
  return createJob(records.store, records.owners, job(id, user))
}
async function put(id: string, change: Partial<Run>): Promise<void> {
  const run = { ...(await readRun(records.store, id)), ...change }
  await records.store.transact(async (transaction) => keepRun(transaction, run))
}
const again = async (id: string, user = 'ann') =>
  addRun(records.store, records.owners, user, id, records.now())
const read = async (id: string, user = 'ann') => readJob(records.store, records.owners, user, id)

describe('a job', () => {
  it('is there for its owner only, and sealed', async () => {
    await create('one')
    expect(await read('one')).toEqual(job('one'))
    await expect(read('one', 'bob')).rejects.toMatchObject({ code: 'not_found' })
    await expect(again('one', 'bob')).rejects.toMatchObject({ code: 'not_found' })
    await expect(read('two')).rejects.toMatchObject({ code: 'not_found' })
    const kept = await records.store.get('jobs', 'one')
    expect(Buffer.from(kept?.body ?? []).includes('ecret')).toBe(false)
    expect(JSON.stringify(kept?.fields)).not.toContain('ecret')
  })

  it('is listed with its owner’s others, page by page', async () => {
    for (const id of ['a', 'b', 'c']) await create(id)
    await create('d', 'bob')
    const page = await listJobs(records.store, records.owners, 'ann', { limit: 2 })
    expect(page.map((each) => each.id)).toEqual(['a', 'b'])
    const rest = await listJobs(records.store, records.owners, 'ann', { limit: 2, after: 'b' })
    expect(rest.map((each) => each.id)).toEqual(['c'])
  })

  it.each([['queued'], ['running'], ['paused']] as const)(
    'gets no other run while its newest is %s',
    async (state) => {
      await create('one')
      await put(runId('one', 1), { state })
      await expect(again('one')).rejects.toMatchObject({ code: 'wrong_state' })
      expect((await read('one')).latest).toBe(1)
    },
  )

  it('gets the next run once the newest is over, and one only', async () => {
    await create('one')
    await put(runId('one', 1), { state: 'done', added: 5, left: 1 })
    const both = await Promise.allSettled([again('one'), again('one')])
    expect(both.map((each) => each.status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await read('one')).toMatchObject({ latest: 2, memory: { known: 10 } })
    expect(await readRun(records.store, runId('one', 2))).toMatchObject({
      number: 2,
      state: 'queued',
      phase: 'scan',
    })
  })

  it.each([['cancelled'], ['failed']] as const)(
    'remembers what a run that was %s has recorded',
    async (state) => {
      await create('one')
      await put(runId('one', 1), { state, added: 5, left: 1 })
      await again('one')
      expect((await read('one')).memory.known).toBe(14)
    },
  )
})

describe('a run', () => {
  it('comes back as it was kept', async () => {
    const run: Run = {
      ...(await create('one')),
      state: 'paused',
      phase: 'copy',
      holder: 'h',
      wakeAt: null,
      reason: 'destination_full',
      checkpoint: Uint8Array.of(1, 2),
      root: 'ab',
      endedAt: 5,
      totals: { copied: 1, renamed: 2, moved: 3, removed: 4, skipped: 5, failed: 6, bytes: 7 },
    }
    await put(run.id, run)
    // It waits for a person: nobody else has to look after it.
    expect(await readRun(records.store, run.id)).toEqual({ ...run, dueAt: null })
  })

  it('says until when it waits only while it does', async () => {
    const run = await create('one')
    const waiting: Run = { ...run, state: 'running', reason: 'rate_limited', wakeAt: 1000 }
    expect(progressOf(run).resumesAt).toBeNull()
    expect(progressOf(waiting).resumesAt).toBe('1970-01-01T00:00:01.000Z')
    expect(progressOf({ ...waiting, state: 'cancelled' }).resumesAt).toBeNull()
  })
})

describe('receipt pages', () => {
  const line = (id: string, length = 10): ReceiptLine => ({
    source: {
      id,
      path: ['x'.repeat(length)],
      kind: 'file',
      version: '1',
      modifiedAt: '2026-01-01T00:00:00.000Z',
      hashes: {},
    },
    outcome: 'copied',
    destination: null,
    proof: null,
    reason: null,
    notes: [],
    at: '2026-01-01T00:00:00.000Z',
  })
  const texts = async (run: string): Promise<readonly string[]> => {
    const all: string[] = []
    for await (const text of receiptLines(records.store, records.owners, 'ann', run)) all.push(text)
    return all
  }

  const open = (run: string) => openReceipt(records.store, records.owners, 'ann', run)
  const putPages = async (...pages: readonly Document[]) =>
    records.store.transact(async (transaction) => {
      for (const page of pages) transaction.put('receipts', page)
    })

  it('give back all lines in their order, over many pages', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => line(`i${n}`, n === 30 ? 240_000 : 20_000))
    const receipt = open('run')
    const pages = await receipt.pages(0, lines.slice(0, 50), records.now())
    expect(pages.documents.length).toBeGreaterThan(4)
    await putPages(...pages.documents)
    pages.landed()
    const more = await receipt.pages(pages.documents.length, lines.slice(50), records.now())
    const other = await open('run2').pages(0, [line('other')], records.now())
    await putPages(...more.documents, ...other.documents)
    expect(await texts('run')).toEqual(lines.map((each) => JSON.stringify(each)))
    expect(await texts('run2')).toHaveLength(1)
    expect(await texts('none')).toEqual([])
    expect((await open('run').pages(0, [], 0)).documents).toEqual([])
  })

  it('carry the tree on, also where another slice goes on, or where pages did not land', async () => {
    const lines = Array.from({ length: 9 }, (_, n) => line(`i${n}`, 80_000))
    const expected = createTree()
    for (const each of lines) expected.add(JSON.stringify(each))
    const receipt = open('run')
    const first = await receipt.pages(0, lines.slice(0, 4), records.now())
    await putPages(...first.documents)
    first.landed()
    const count = first.documents.length
    // Made, and never written.
    await receipt.pages(count, lines.slice(0, 2), records.now())
    const second = await receipt.pages(count, lines.slice(4, 7), records.now())
    await putPages(...second.documents)
    const next = open('run')
    const third = await next.pages(count + second.documents.length, lines.slice(7), 0)
    await putPages(...third.documents.map((page) => ({ ...page, expiresAt: null })))
    const all = count + second.documents.length + third.documents.length
    const tree = await open('run').tree(all)
    expect(tree.size()).toBe(9)
    expect(tree.root()).toBe(expected.root())
    expect((await open('none').tree(0)).root()).toBe(createTree().root())
  })

  it('are forgotten after ninety days, and then there is no root', async () => {
    const receipt = open('run')
    const { documents } = await receipt.pages(0, [line('a')], records.now())
    expect(documents[0]?.expiresAt).toBe(records.now() + 90 * 24 * 3_600_000)
    await putPages(...documents.map((page) => ({ ...page, expiresAt: records.now() })))
    expect((await receipt.tree(1)).size()).toBe(0)
    const newer = await open('other').pages(0, [line('b')], records.now())
    await putPages(...newer.documents)
    expect((await open('other').tree(2)).size()).toBe(0)
    // What comes later is kept, and cannot pass for the whole.
    const later = await open('other').pages(2, [line('c')], records.now())
    await putPages(...later.documents)
    expect((await open('other').tree(3)).size()).toBe(1)
  })
})

describe('transfers', () => {
  const intent = { sourceId: 's', version: 'v', contentHash: 'h' }
  const upload = { session: 'secret', offset: 8, digest: 'd', version: 'v' }
  const keep = async (...documents: readonly ReturnType<typeof intentDocument>[]) =>
    records.store.transact(async (transaction) => {
      for (const document of documents) transaction.put('transfers', document)
    })

  it('of a run are its own, item by item', async () => {
    const owner = await records.owners.of('ann')
    await keep(uploadDocument(owner, 'run', 'job.item', upload, records.now()))
    expect(await readUpload(records.store, owner, 'run', 'job.item')).toEqual(upload)
    expect(await readUpload(records.store, owner, 'run', 'job.other')).toBeNull()
    expect(await readUpload(records.store, owner, 'run2', 'job.item')).toBeNull()
  })

  it('say what was about to be committed, through more than one page and beside uploads', async () => {
    const owner = await records.owners.of('ann')
    const ids = Array.from({ length: 130 }, (_, n) => `i${n}`)
    await keep(
      ...ids.map((id) =>
        intentDocument(owner, 'run', id, [{ ...intent, version: id }], records.now()),
      ),
      uploadDocument(owner, 'run', 'job.item', upload, records.now()),
      intentDocument(owner, 'run2', 'x', [intent], records.now()),
    )
    const { intents, keys } = await openIntents(records.store, owner, 'run')
    expect(keys).toHaveLength(130)
    expect(
      intents
        .get('s')
        ?.map((each) => each.version)
        .toSorted(),
    ).toEqual(ids.toSorted())
    expect(await dropTransfers(records.store, 'run', 100)).toBe(100)
    expect(await dropTransfers(records.store, 'run', 100)).toBe(31)
    expect(await dropTransfers(records.store, 'run', 100)).toBe(0)
    expect((await openIntents(records.store, owner, 'run2')).keys).toHaveLength(1)
  })

  it('are of no use after a week', async () => {
    const owner = await records.owners.of('ann')
    await keep(uploadDocument(owner, 'run', 'job.item', upload, records.now()))
    records.pass(7 * 24 * 3_600_000)
    expect(await readUpload(records.store, owner, 'run', 'job.item')).toBeNull()
  })
})
