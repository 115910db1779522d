import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { createActs } from '../../../backend/audit/acts.ts'
import { createAuditLog, listLog } from '../../../backend/audit/read-log.ts'
import { sequence } from '../../../backend/audit/sequence.ts'
import { verifyLog } from '../../../backend/audit/verify-log.ts'
import { actorOf, eraseDetails, personalTenant } from '../../../backend/records/audit-lines.ts'
import { unwrapUserKeys, rotateUserKeys, newUserKeys } from '../../../backend/vault/user-keys.ts'
import type { AuditEntry } from '../../../shared/audit.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'
import { host, newSigner } from './logs.ts'

let t: Engine
const signer = newSigner()
beforeEach(async () => {
  t = await startEngine()
})
afterEach(() => t.close())

async function acts(user = t.user): Promise<readonly AuditEntry[]> {
  const { store, owners } = t.records
  await sequence({ store, signer, host })
  return (await createAuditLog({ store, owners }).list(user, { from: 0, limit: 100 })).lines
}
const named = (entries: readonly AuditEntry[]) => entries.map(({ line }) => line.act)

async function exported(): Promise<readonly string[]> {
  const { store, owners } = t.records
  await sequence({ store, signer, host })
  const texts: string[] = []
  for await (const text of createAuditLog({ store, owners }).export(t.user)) texts.push(text)
  return texts
}

async function aJob(): Promise<string> {
  const top = t.drive.folder('Top')
  t.drive.file('f', top, 'content')
  return t.start({ kind: 'folder', id: top })
}

describe('what a person does to a job', () => {
  it('is a line of their log each, in the order in which it was done', async () => {
    const job = await aJob()
    const steps = [
      async () => t.jobs.pause(t.user, job),
      async () => t.jobs.resume(t.user, job),
      async () => t.jobs.schedule(t.user, job, { every: 'hour' }),
      async () => t.jobs.cancel(t.user, job),
      async () => t.jobs.again(t.user, job),
    ]
    for (const step of steps) {
      t.records.pass(1)
      await step()
    }
    await t.finish(job)
    await t.receipt(job)
    const entries = await acts()
    expect(named(entries)).toEqual([
      'job_created',
      'job_paused',
      'job_resumed',
      'job_rescheduled',
      'job_cancelled',
      'job_run_again',
      'receipt_fetched',
    ])
    expect(entries.map(({ details }) => details?.['job'])).toEqual(entries.map(() => job))
    expect(new Set(entries.map(({ line }) => line.actor)).size).toBe(1)
    expect(new Set(entries.map(({ line }) => line.target)).size).toBe(1)
    expect(JSON.stringify(entries.map(({ line }) => line))).not.toContain(job)
  })

  it('is none when it was not done', async () => {
    const job = await aJob()
    await expect(t.jobs.again(t.user, job)).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(t.jobs.resume(t.user, job)).rejects.toMatchObject({ code: 'wrong_state' })
    await expect(t.jobs.pause('bob', job)).rejects.toMatchObject({ code: 'not_found' })
    const read = t.jobs.receipt(t.user, job)[Symbol.asyncIterator]()
    await expect(read.next()).rejects.toMatchObject({ code: 'wrong_state' })
    expect(named(await acts())).toEqual(['job_created'])
  })

  it('is done together with its line or not at all', async () => {
    const { store } = t.records
    const job = await aJob()
    const before = await store.list({ collection: 'audit', where: { waits: true }, limit: 100 })
    // Any other write to the run in between makes the transaction begin anew: still one line.
    await Promise.all([
      t.jobs.pause(t.user, job),
      t.jobs.schedule(t.user, job, { every: 'hour' }),
      t.jobs.schedule(t.user, job, { every: 'day', at: '01:00', zone: 'UTC' }),
    ])
    const after = await store.list({ collection: 'audit', where: { waits: true }, limit: 100 })
    expect(after.length - before.length).toBe(3)
  })

  it('is the only thing that writes a line: a run of its own writes none', async () => {
    const job = await aJob()
    await t.finish(job)
    await t.again(job)
    expect(named(await acts())).toEqual(['job_created', 'job_run_again'])
  })
})

describe('somebody else', () => {
  it('has a log of their own, and cannot open what is not theirs', async () => {
    await aJob()
    const { store, owners } = t.records
    const both = createActs({
      store,
      owners,
      tenantOf: () => 'company',
      now: t.records.now,
      random: randomBytes,
    })
    for (const user of ['ann', 'bob'])
      await both.record(user, { act: 'signed_in', target: null, details: { user } })
    expect(named(await acts('bob'))).toEqual([])
    const company = createAuditLog({ store, owners, tenantOf: () => 'company' })
    const seen = async (user: string) =>
      (await company.list(user, { from: 0, limit: 9 })).lines.map(({ details }) =>
        details === null ? null : details['user'],
      )
    expect(new Set(await seen('ann'))).toEqual(new Set(['ann']))
    expect(new Set(await seen('bob'))).toEqual(new Set(['bob']))
    const lines = await listLog(store, 'company', { from: 0, limit: 9 }, (line) => ({
      line,
      sealed: null,
      details: null,
    }))
    expect(new Set(lines.lines.map(({ line }) => line.actor)).size).toBe(2)
  })
})

describe('erasing a person', () => {
  it('wipes the details of what they did, and leaves a log that verifies', async () => {
    const job = await aJob()
    await t.jobs.pause(t.user, job)
    const before = await exported()
    const { root, lines } = await verifyLog(before)
    const { store, owners } = t.records
    const actor = actorOf(await owners.of(t.user))
    expect(await eraseDetails(store, actor)).toBe(lines)
    const after = await exported()
    expect(await verifyLog(after)).toMatchObject({ root, lines })
    const entries = await acts()
    expect(entries.map(({ sealed, details }) => [sealed, details])).toEqual([
      [null, null],
      [null, null],
    ])
    expect(await eraseDetails(store, actor)).toBe(0)
  })

  it('by their keys alone leaves a log that verifies, and that nobody can link to them', async () => {
    const job = await aJob()
    const { store, owners } = t.records
    const before = await owners.of(t.user)
    const tenant = personalTenant(before)
    const { root, lines } = await verifyLog(await exported())
    const [line] = await acts()
    await store.transact(async (transaction) => transaction.remove('keys', t.user))
    t.records.pass(10 * 60_000)
    const later = await t.records.another().owners.of(t.user)
    expect(personalTenant(later)).not.toBe(tenant)
    expect(later.blind('actor', t.user)).not.toBe(line?.line.actor)
    expect(later.blind('target', job)).not.toBe(line?.line.target)
    // As whoever runs Waybill still finds it, by its name.
    const fresh = t.records.another()
    const log = createAuditLog({ ...fresh, tenantOf: () => tenant })
    const texts: string[] = []
    for await (const text of log.export(t.user)) texts.push(text)
    expect(await verifyLog(texts)).toMatchObject({ root, lines })
    const { lines: shown } = await log.list(t.user, { from: 0, limit: 9 })
    expect(shown.every(({ sealed, details }) => sealed !== null && details === null)).toBe(true)
  })
})

describe('the details of an act', () => {
  it('open when the DEK has been rotated, as no line can be sealed anew', async () => {
    const wrapper = {
      wrap: async (dek: Uint8Array) => ({ kekId: 'k', wrapped: Uint8Array.from(dek) }),
      unwrap: async ({ wrapped }: { readonly wrapped: Uint8Array }) => Uint8Array.from(wrapped),
    }
    const source = {
      owner: { env: 'test', tenantId: 't', userId: 'ann' },
      wrapper,
      random: randomBytes,
    }
    const place = { collection: 'audit', docId: 'x', field: 'body', schemaVersion: 1, rev: 0 }
    const { record, keys } = await newUserKeys(source)
    const sealed = keys.audit.seal(place, Buffer.from('{}'))
    const rotated = await rotateUserKeys(record, source)
    const again = await unwrapUserKeys(rotated, source)
    expect(Buffer.from(again.audit.open(place, sealed)).toString()).toBe('{}')
  })
})
