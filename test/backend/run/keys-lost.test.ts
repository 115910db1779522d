import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createActs } from '../../../backend/audit/acts.ts'
import { addConnection } from '../../../backend/connect/add-connection.ts'
import { createConnectionViews } from '../../../backend/connect/connections-view.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { listJobs } from '../../../backend/records/jobs.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import { readRun, runId } from '../../../backend/records/runs.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { JobRequest, ProviderId, Selection } from '../../../shared/job.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

let t: Engine
let server: Server
beforeEach(async () => {
  t = await startEngine()
  server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ access_token: 'access', token_type: 'bearer', expires_in: 3600 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(() => {
  server.close()
  t.close()
})

/** The keys database is gone, and nobody remembers what was in it. */
async function loseKeys(): Promise<void> {
  await t.records.store.transact(async (transaction) => transaction.remove('keys', t.user))
  t.records.pass(60_000)
}

/** Connects an account, as the user does. */
async function connect(provider: ProviderId): Promise<string> {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const issuer = `http://127.0.0.1:${port}`
  const endpoint = {
    issuer,
    url: `${issuer}/token`,
    authorizeUrl: `${issuer}/authorize`,
    revokeUrl: null,
    jwksUrl: null,
    clientId: 'client',
    clientSecret: 'secret',
  }
  const added = await addConnection(
    {
      connections: createConnections(t.records.store, t.records.owners),
      acts: createActs({ ...t.records, random: randomBytes }),
      endpoints: { 'google-drive': endpoint, dropbox: endpoint, box: null, microsoft: null },
      whose: async () => ({ id: 'x', label: 'x' }),
      now: t.records.now,
      random: randomBytes,
    },
    t.user,
    provider,
    'refresh',
  )
  return added.id
}
/** What a job asks for between the accounts as they are connected now. */
async function reconnected(selection: Selection): Promise<Partial<JobRequest>> {
  return {
    source: { connection: await connect('google-drive'), selection },
    destination: { connection: await connect('dropbox'), folder: '/Backup' },
  }
}
const copyAnew = async (selection: Selection) => t.copy(selection, await reconnected(selection))
const connected = async (owners = t.records.owners) =>
  createConnectionViews(createConnections(t.records.store, owners)).list(t.user)

/** Where what came to lie, by what it is a copy of. */
function destinations({ lines }: Awaited<ReturnType<Engine['receipt']>>): Record<string, unknown> {
  return Object.fromEntries(lines.map(({ source, destination }) => [source.id, destination]))
}

/** A folder with all that could get a twin: two files of a name, a document, folders in folders, an empty file. */
function fill(): Selection {
  const top = t.drive.folder('Top')
  const below = t.drive.folder('Below', t.drive.folder('In', top))
  t.drive.file('same.txt', top, 'one')
  t.drive.file('same.txt', top, 'two')
  t.drive.file('Same.TXT', top, 'three')
  t.drive.file('deep.bin', below, randomBytes(300))
  t.drive.file('empty', below, '')
  t.drive.document('Letter', top, { docx: 'letter' })
  return { kind: 'folder', id: top }
}

describe('after the keys are lost', () => {
  it('nothing is listed, nothing fails, and what is asked for by name says why it is not there', async () => {
    const job = await t.copy(fill())
    expect(await connected()).toHaveLength(2)
    await loseKeys()
    for (const owners of [t.records.owners, t.records.another().owners])
      expect(await connected(owners)).toEqual([])
    expect(await t.jobs.list(t.user, { limit: 50 })).toEqual({ jobs: [], next: null })
    const refused = { code: 'envelope_refused' }
    await expect(t.jobs.get(t.user, job)).rejects.toMatchObject(refused)
    await expect(t.jobs.schedule(t.user, job, null)).rejects.toMatchObject(refused)
  })

  it('both accounts can be connected again, each once', async () => {
    await loseKeys()
    const ids = [await connect('google-drive'), await connect('dropbox')]
    expect((await connected()).map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect([await connect('google-drive'), await connect('dropbox')]).toEqual(ids)
    expect(await connected()).toHaveLength(2)
  })

  it('the next run adopts the copies that exist, without twins', async () => {
    const selection = fill()
    const before = destinations(await t.copy(selection).then(async (job) => t.receipt(job)))
    const copies = t.dropbox.files()
    expect(Object.keys(copies)).toHaveLength(6)
    await loseKeys()
    const job = await copyAnew(selection)
    const receipt = await t.receipt(job)
    expect(t.dropbox.files()).toEqual(copies)
    // The very same copies: nothing was written over them.
    expect(destinations(receipt)).toEqual(before)
    expect(receipt.summary).toMatchObject({ failed: 0, skipped: 0 })
    expect((await t.jobs.list(t.user, { limit: 50 })).jobs.map(({ id }) => id)).toEqual([job])
    await t.again(job)
    expect((await t.receipt(job)).lines).toEqual([])
  })

  it('a copy of what has changed meanwhile stays, beside the new one', async () => {
    const top = t.drive.folder('Top')
    const file = t.drive.file('f.txt', top, 'one')
    await t.copy({ kind: 'folder', id: top })
    await loseKeys()
    t.drive.change(file, {}, 'two')
    await copyAnew({ kind: 'folder', id: top })
    expect(t.dropbox.files()['/Backup/f.txt']).toBe('one')
    expect(Object.values(t.dropbox.files()).toSorted()).toEqual(['one', 'two'])
  })

  it('in the middle of a run, it fails and says why, and a new job leaves every file there once', async () => {
    const selection = fill()
    const lost = await t.start(selection)
    await t.deliver((_step, when, name) => when === 'after' && name === 'destination.commit')
    const copies = t.dropbox.files()
    expect(Object.keys(copies)).not.toHaveLength(0)
    await loseKeys()
    const job = await copyAnew(selection)
    await t.tick()
    while (t.tasks.length > 0) await t.deliver()
    const run = await readRun(t.records.store, runId(lost, 1))
    expect(run).toMatchObject({ state: 'failed', reason: 'envelope_refused' })
    expect(t.dropbox.files()).toMatchObject(copies)
    expect(Object.keys(t.dropbox.files())).toHaveLength(6)
    expect((await t.receipt(job)).summary).toMatchObject({ failed: 0, skipped: 0 })
  })

  it('jobs are listed page by page, however many lost ones lie before', async () => {
    const selection: Selection = { kind: 'folder', id: 'root' }
    const start = async (also?: Partial<JobRequest>): Promise<string> => {
      t.records.pass(1)
      return t.start(selection, also)
    }
    for (let n = 0; n < 5; n += 1) await start()
    await loseKeys()
    const also = await reconnected(selection)
    const made = [await start(also), await start(also), await start(also)]
    const first = await t.jobs.list(t.user, { limit: 2 })
    expect(first.jobs.map(({ id }) => id)).toEqual(made.slice(0, 2))
    const rest = await t.jobs.list(t.user, { after: first.next ?? '', limit: 2 })
    expect(rest.jobs.map(({ id }) => id)).toEqual(made.slice(2))
    expect(rest.next).toBeNull()
  })

  it('keys that are there but refused hide nothing: they may be another wallet’s', async () => {
    const owners: Owners = {
      ...t.records.owners,
      of: async () => {
        throw new WaybillError('envelope_refused', 'For the test.')
      },
    }
    await t.copy(fill())
    const refused = { code: 'envelope_refused' }
    await expect(connected(owners)).rejects.toMatchObject(refused)
    const listed = listJobs(t.records.store, owners, t.user, { limit: 50 })
    await expect(listed).rejects.toMatchObject(refused)
  })
})
