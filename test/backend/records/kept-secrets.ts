import { createSecretKey, randomBytes } from 'node:crypto'
import { createConnections } from '../../../backend/records/connections.ts'
import { createJob, emptyMemory, listJobs, readJob } from '../../../backend/records/jobs.ts'
import { openLedger } from '../../../backend/records/ledger.ts'
import { createManifestPages } from '../../../backend/records/manifest-pages.ts'
import { createOwners } from '../../../backend/records/owner.ts'
import type { Owners } from '../../../backend/records/owner.ts'
import { openReceipt, receiptLines } from '../../../backend/records/receipts.ts'
import { newRow } from '../../../backend/records/row.ts'
import type { Row } from '../../../backend/records/row.ts'
import { rewrapKeys } from '../../../backend/records/rewrap-keys.ts'
import { rotateKeys } from '../../../backend/records/rotate-keys.ts'
import type { RotateDeps } from '../../../backend/records/rotate-user.ts'
import { keepRun, readRun, runId } from '../../../backend/records/runs.ts'
import {
  intentDocument,
  openIntents,
  readUpload,
  uploadDocument,
} from '../../../backend/records/transfers.ts'
import { collections } from '../../../backend/store/limits.ts'
import type { Store } from '../../../backend/store/store.ts'
import { createDekCache } from '../../../backend/vault/dek-cache.ts'
import { readDekId } from '../../../backend/vault/envelope.ts'
import type { RotatingKeyWrapper } from '../../../backend/vault/key-wrapper.ts'
import { createWalletWrapper } from '../../../backend/vault/wallet-wrapper.ts'
import type { Kek } from '../../../backend/vault/wallet.ts'
import type { JobRequest } from '../../../shared/job.ts'
import type { ReceiptLine } from '../../../shared/receipt.ts'
import { someItem } from '../../some-item.ts'

const env = 'test'
const never = new AbortController().signal

const request: JobRequest = {
  kind: 'copy',
  source: { connection: 'from', selection: { kind: 'folder', id: 'top' } },
  destination: { connection: 'to', folder: '/Backup' },
}

/** Keys and users with something of every kind, in a store, and a clock that moves when it is told to. */
export function keepSecrets(store: Store, clock: { time: number }) {
  const now = (): number => clock.time
  const keks: Kek[] = []
  let made = 0
  const addKek = (): string => {
    const created = new Date(made * 1_000).toISOString()
    const id = `kek-${made}`
    made += 1
    keks.push({ id, key: createSecretKey(randomBytes(32)), created, state: 'active' })
    return id
  }
  addKek()
  const wallet = () => createWalletWrapper({ keks }, randomBytes)
  const wrapper: RotatingKeyWrapper = {
    wrap: async (...args) => wallet().wrap(...args),
    unwrap: async (...args) => wallet().unwrap(...args),
    kekIds: async () => wallet().kekIds(),
  }
  /** What a process that has just started has. */
  const another = (on: Store = store) => {
    const cache = createDekCache({ wrapper, random: randomBytes, now })
    return {
      cache,
      owners: createOwners({ store: on, wrapper, cache, env, random: randomBytes, now }),
    }
  }
  const sleep = async (ms: number): Promise<void> => void (clock.time += ms)
  const rotate = async (
    deps: Partial<RotateDeps> = {},
    signal = never,
  ): ReturnType<typeof rotateKeys> => {
    const { cache } = another()
    const all = { store, wrapper, cache, env, random: randomBytes, now, sleep, ...deps }
    return rotateKeys(all, signal)
  }

  return {
    store,
    wrapper,
    now,
    another,
    addKek,
    /** Takes older outer keys away, but for so many. */
    dropOlderKeks: (but = 0) => void keks.splice(0, Math.max(0, keks.length - 1 - but)),
    keepOnly: (kept: (kek: Kek) => boolean) =>
      void keks.splice(0, keks.length, ...keks.filter(kept)),
    rotate,
    rewrap: async (on: Store = store) => rewrapKeys({ store: on, wrapper, env }, never),
    /** The ids of the DEKs that anything of anybody is sealed under. */
    deksInUse: async (): Promise<ReadonlySet<string>> => {
      const used = new Set<string>()
      for (const collection of collections) {
        if (collection === 'due') continue
        for (const { body } of await everything(store, collection))
          if (body !== null) used.add(readDekId(body))
      }
      return used
    },
    /** The ids of the DEKs that users seal with, and of those beside them. */
    deksKept: async () => {
      const rings = (await everything(store, 'keys')).filter(({ fields }) => 'dekId' in fields)
      const idsOf = (field: string) =>
        rings.flatMap(({ fields }) => (field in fields ? [String(fields[field])] : []))
      return { current: idsOf('dekId'), other: idsOf('otherDekId') }
    },
  }
}

export type KeptSecrets = ReturnType<typeof keepSecrets>

/** All documents of a small collection. */
export async function everything(store: Store, collection: (typeof collections)[number]) {
  return store.list({ collection, where: {}, before: 'zzzz', limit: 1_000 })
}

function rowOf(id: string, secret: string, settled: boolean): Row {
  const item = someItem({ id, name: `${secret} ${id}` })
  // Without a parent, a place or anything to do it is in none of the ledger's indexes.
  return newRow(item, null, settled ? 'settled' : 'copy')
}

const upload = (secret: string) => ({ session: secret, offset: 1, digest: 'd', version: '1' })
const intents = (secret: string) => [{ sourceId: 'i', version: '1', contentHash: secret }]

/** How much is kept for a user. */
export interface Size {
  readonly jobs?: number
  readonly rows?: number
}

/** Keeps something of every kind for a user, who has so many jobs with so many rows. */
export async function plant(
  store: Store,
  owners: Owners,
  user: string,
  { jobs = 1, rows = 2, now = 0 }: Size & { readonly now?: number } = {},
): Promise<void> {
  const owner = await owners.of(user)
  await createConnections(store, owners).create({
    id: `connection-${user}`,
    user,
    provider: 'dropbox',
    state: 'active',
    createdAt: 0,
    credentials: {
      accountId: user,
      label: 'l',
      refreshToken: `token of ${user}`,
      accessToken: null,
      accessExpiresAt: 0,
    },
  })
  const session = {
    key: `session-of-${user}`,
    fields: { user },
    body: owner.seal('sessions', `session-of-${user}`, `label of ${user}`),
    expiresAt: null,
  }
  await store.transact(async (transaction) => transaction.put('sessions', session))
  for (let n = 0; n < jobs; n += 1) {
    const id = `job-of-${user}-${n}`
    const secret = `secret of ${id}`
    const memory = { ...emptyMemory, cursor: secret }
    const created = { id, user, createdAt: 0, latest: 1, request, dueAt: null, memory }
    const run = await createJob(store, owners, created)
    const ledger = await openLedger(store, owners, user, id)
    const pages = createManifestPages(store, owners, user, id)
    const page = { number: 1, todo: 'copy' as const, rows: [rowOf('waits', secret, false)] }
    const manifest = await pages.sealed(page, () => 2)
    const line: ReceiptLine = JSON.parse(JSON.stringify({ source: { id: secret } }))
    const settled = Array.from({ length: rows }, (_, at) => rowOf(`row-${at}`, secret, true))
    const receipt = await openReceipt(store, owners, user, run.id).pages(0, [line], now)
    await store.transact(async (transaction) => {
      const checkpoint = owner.seal('runs', run.id, { secret })
      keepRun(transaction, { ...run, checkpoint })
      for (const { document } of manifest) transaction.put('manifest', document)
      transaction.put('transfers', uploadDocument(owner, run.id, `${id}.i`, upload(secret), now))
      transaction.put('transfers', intentDocument(owner, run.id, 'i', intents(secret), now))
      for (const document of receipt.documents) transaction.put('receipts', document)
    })
    for (let from = 0; from < settled.length; from += 400)
      await store.transact(async (transaction) => {
        for (const row of settled.slice(from, from + 400))
          transaction.put('ledger', ledger.document(row))
      })
  }
}

/** Reads all that {@link plant} has kept, the way it is read in earnest. Fails if anything is missing or does not open. */
export async function readBack(
  store: Store,
  owners: Owners,
  user: string,
  { jobs = 1, rows = 2 }: Size = {},
): Promise<void> {
  const wrong: string[] = []
  const same = (what: string, found: unknown, wanted: unknown): void => {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) wrong.push(what)
  }
  const connections = await createConnections(store, owners).list(user)
  same(
    'connection',
    connections.map((one) => one.credentials.refreshToken),
    [`token of ${user}`],
  )
  const session = await store.get('sessions', `session-of-${user}`)
  const labels = await owners.of(user)
  same(
    'session',
    labels.open('sessions', `session-of-${user}`, session?.body ?? null),
    `label of ${user}`,
  )
  same('jobs', (await listJobs(store, owners, user, { limit: 100 })).length, jobs)
  for (let n = 0; n < jobs; n += 1) {
    const id = `job-of-${user}-${n}`
    const secret = `secret of ${id}`
    const run = runId(id, 1)
    same('job', (await readJob(store, owners, user, id)).memory.cursor, secret)
    const { checkpoint } = await readRun(store, run)
    const owner = await owners.of(user)
    same('run', owner.open('runs', run, checkpoint), { secret })
    for await (const page of createManifestPages(store, owners, user, id).all())
      same(
        'manifest',
        page.rows.map((row) => row.item.name),
        [`${secret} waits`],
      )
    same(
      'manifest',
      (await store.list({ collection: 'manifest', where: { job: id }, limit: 9 })).length,
      1,
    )
    const ids = Array.from({ length: rows }, (_, at) => `row-${at}`)
    const ledger = await openLedger(store, owners, user, id)
    same(
      'ledger',
      (await ledger.rows(ids)).map((row) => row?.item.name),
      ids.map((each) => `${secret} ${each}`),
    )
    same('upload', await readUpload(store, await owners.of(user), run, `${id}.i`), upload(secret))
    const found = await openIntents(store, await owners.of(user), run)
    same('intents', found.intents.get('i'), intents(secret))
    const lines: string[] = []
    for await (const line of receiptLines(store, owners, user, run)) lines.push(line)
    same('receipt', lines, [JSON.stringify({ source: { id: secret } })])
  }
  if (wrong.length > 0) throw new Error(`wrong: ${wrong.join(', ')}`)
}
