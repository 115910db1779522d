import { randomBytes } from 'node:crypto'
import { createActs } from '../../../backend/audit/acts.ts'
import { createApiKeys } from '../../../backend/records/api-keys.ts'
import { createConnections } from '../../../backend/records/connections.ts'
import { createJob, emptyMemory } from '../../../backend/records/jobs.ts'
import { openLedger } from '../../../backend/records/ledger.ts'
import { createManifestPages } from '../../../backend/records/manifest-pages.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import { createPeople } from '../../../backend/records/people.ts'
import { createPicks } from '../../../backend/records/picks.ts'
import { openReceipt } from '../../../backend/records/receipts.ts'
import { createRevocations } from '../../../backend/records/revocations.ts'
import { newRow } from '../../../backend/records/row.ts'
import { keepRun, readRun, runId } from '../../../backend/records/runs.ts'
import { createSessions } from '../../../backend/records/sessions.ts'
import { createSightings } from '../../../backend/records/sightings.ts'
import { keepSignIn } from '../../../backend/records/sign-ins.ts'
import { createTicket } from '../../../backend/records/tickets.ts'
import { intentDocument, uploadDocument } from '../../../backend/records/transfers.ts'
import type { Store } from '../../../backend/store/store.ts'
import type { Item } from '../../../shared/item.ts'
import type { AccountProvider } from '../../../shared/account.ts'
import { someItem } from '../../some-item.ts'

/** What a person has in every collection, and where each is to be seen. */
export interface Furnished {
  readonly user: string
  /** What an export has to show. */
  readonly canaries: readonly string[]
  /** What nothing may show. */
  readonly tokens: readonly string[]
  /** The ids of theirs, which say nothing, and have to go all the same. */
  readonly ids: readonly string[]
}

const secret = (): string => randomBytes(32).toString('base64url')

/** Gives a person something in every collection: canaries wherever somebody could be told from it. */
export async function furnish(
  { store, owners, now }: { store: Store; owners: Owners; now: () => number },
  user: string,
  { jobs = 2, rows = 15 } = {},
): Promise<Furnished> {
  const some = randomBytes(9).toString('base64url')
  const canaries: string[] = []
  const tokens: string[] = []
  const ids: string[] = [user]
  const canary = (of: string): string => {
    const text = `canary-${user}-${of} "ü"`
    canaries.push(text)
    return text
  }
  const token = (of: string): string => {
    const text = `token-${user}-${of}`
    tokens.push(text)
    return text
  }
  const connections = createConnections(store, owners)
  const connect = async (provider: AccountProvider, id: string) => {
    ids.push(id)
    const credentials = {
      accountId: canary(`account-${provider}-${ids.length}`),
      label: canary(`mail-${ids.length}`),
      refreshToken: token(`refresh-${ids.length}`),
      accessToken: token(`access-${ids.length}`),
      accessExpiresAt: now() + 3_600_000,
    }
    const connection = { id, user, provider, state: 'active' as const, createdAt: now() }
    await connections.create({ ...connection, credentials })
  }
  await connect('box', `${some}-box`)
  await connect('microsoft', `${some}-microsoft`)
  await connect('box', `${some}-gone`)
  const revocations = createRevocations(store, owners, now)
  const gone = await connections.get(user, `${some}-gone`)
  const keep = await revocations.prepare(gone.id)
  await connections.remove(user, gone.id, (_, transaction) => keep(gone, transaction))
  // Its name went with the connection; its account is what is left.
  canaries.splice(canaries.indexOf(gone.credentials.label), 1)

  for (let n = 0; n < jobs; n += 1) {
    const job = `${some}-job-${n}`
    ids.push(job)
    const selection = { kind: 'folder', id: canary(`folder-${n}`) } as const
    await createJob(store, owners, {
      id: job,
      user,
      createdAt: now(),
      latest: 1,
      request: {
        kind: 'copy',
        source: { connection: `${some}-box`, selection },
        destination: { connection: `${some}-box`, folder: canary(`destination-${n}`) },
        schedule: { every: 'hour' },
      },
      dueAt: now() + 3_600_000,
      memory: { ...emptyMemory, cursor: canary(`cursor-${n}`) },
    })
    const run = runId(job, 1)
    const owner = await owners.of(user)
    const item = (name: string): Item =>
      someItem({ id: canary(`item-${name}`), name: canary(`name-${name}`) })
    const ledger = await openLedger(store, owners, user, job)
    const pages = createManifestPages(store, owners, user, job)
    const waiting = newRow(item(`${n}-waiting`), null, 'copy')
    const page = await pages.sealed({ number: 1, todo: 'copy', rows: [waiting] }, () => 2)
    const settled = Array.from({ length: rows }, (_, row) =>
      ledger.document(newRow(item(`${n}-${row}`), null, 'settled')),
    )
    const upload = { session: token(`session-${n}`), offset: 1, digest: 'x', version: '1' }
    const intent = { sourceId: canary(`intent-${n}`), version: '1', contentHash: 'x' }
    const line = {
      source: {
        id: canary(`line-${n}`),
        path: [canary(`path-${n}`)],
        kind: 'file' as const,
        version: '1',
        modifiedAt: '2027-01-01T00:00:00.000Z',
        hashes: {},
      },
      outcome: 'failed' as const,
      destination: null,
      proof: null,
      reason: 'gone' as const,
      notes: [],
      at: '2027-01-01T00:00:00.000Z',
    }
    const receipt = await openReceipt(store, owners, user, run).pages(0, [line], now())
    await store.transact(async (transaction) => {
      const read = await readRun(transaction, run)
      const checkpoint = owner.seal('runs', run, { cursor: canary(`checkpoint-${n}`) })
      keepRun(transaction, { ...read, checkpoint })
      for (const document of settled) transaction.put('ledger', document)
      for (const { document } of page) transaction.put('manifest', document)
      for (const document of receipt.documents) transaction.put('receipts', document)
      const key = ledger.key('large')
      transaction.put('transfers', uploadDocument(owner, run, key, upload, now()))
      transaction.put('transfers', intentDocument(owner, run, 'r', [intent], now()))
    })
  }
  const acts = createActs({ store, owners, now, random: randomBytes })
  const sessions = createSessions({ store, owners, leaf: acts.leaf, now, random: randomBytes })
  await sessions.begin({ user, label: canary('session') })
  const asked = { provider: 'box', tier: null, bearer: false } as const
  await createTicket(store, { user, ...asked, expiresAt: now() + 600_000 }, randomBytes)
  const details = {
    verifier: token('verifier'),
    nonce: token('nonce'),
    redirectUri: 'http://localhost/',
    tier: null,
    ticket: null,
  }
  const at = { state: secret(), browser: secret(), now: now() }
  await keepSignIn({ store, owners }, { at: 'box', user, details }, at)
  for (let n = 0; n < 3; n += 1)
    await acts.record(user, {
      act: 'job_paused',
      target: `${some}-job-0`,
      details: { job: canary(`act-${n}`) },
    })
  const deps = { store, owners, now, random: randomBytes }
  const apiKeys = createApiKeys({ ...deps, leaf: acts.leaf })
  const { key } = await apiKeys.create(user, { name: canary('key'), scopes: ['jobs:read'] })
  tokens.push(key)
  await createSightings(deps).see({ user }, { network: canary('network'), country: null })
  const [picked = ''] = ids.slice(1)
  await createPicks(deps).keep(
    user,
    picked,
    [canary('pick')],
    await acts.leaf(user, { act: 'files_picked', target: picked, details: {} }),
  )
  const person = { sub: canary('sub'), address: canary('address'), domain: canary('domain') }
  await createPeople(deps).keep({ user, tenant: `tenant-of-${user}`, ...person })
  await store.transact(async (transaction) =>
    transaction.put('freezes', {
      key: user,
      fields: { since: now() },
      body: null,
      expiresAt: null,
    }),
  )
  return { user, canaries, tokens, ids }
}
