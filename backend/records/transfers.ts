import type { Document, Store } from '../store/store.ts'
import type { Owner } from './owner.ts'

/** Upload sessions live a week at the providers we know; what is older is of no use. */
const WEEK_MS = 7 * 24 * 60 * 60_000

/** How far a large file has come: enough for another worker to go on with it. */
export interface Upload {
  readonly session: string
  /** Bytes that the session surely holds. */
  readonly offset: number
  /** How many of them the run has counted as sent; all, where nothing is said. */
  readonly counted?: number
  /** State of the digests after `offset` bytes. */
  readonly digest: string
  /** The source item's version that these bytes are of. */
  readonly version: string
}

/** What a worker is about to commit, written down before it does: afterwards the copy is known to be ours. */
export interface Intent {
  readonly sourceId: string
  readonly version: string
  readonly contentHash: string
}

/** @returns the upload of one item, as a document of the run. */
export function uploadDocument(
  owner: Owner,
  run: string,
  itemKey: string,
  upload: Upload,
  now: number,
): Document {
  const key = uploadKey(run, itemKey)
  return { key, fields: { run }, body: owner.sealResume(key, upload), expiresAt: now + WEEK_MS }
}

/** @returns the key of an item's upload. */
export function uploadKey(run: string, itemKey: string): string {
  return `${run}.upload.${itemKey.slice(itemKey.indexOf('.') + 1)}`
}

/** @returns the upload that was begun for an item in this run, or null. */
export async function readUpload(
  store: Store,
  owner: Owner,
  run: string,
  itemKey: string,
): Promise<Upload | null> {
  const key = uploadKey(run, itemKey)
  const found = await store.get('transfers', key)
  return found === null ? null : owner.openResume<Upload>(key, found.body)
}

/** @returns what is about to be committed, as a document of the run. */
export function intentDocument(
  owner: Owner,
  run: string,
  id: string,
  intents: readonly Intent[],
  now: number,
): Document {
  const key = intentKey(run, id)
  return { key, fields: { run }, body: owner.sealResume(key, intents), expiresAt: now + WEEK_MS }
}

/** @returns the key of an intent. */
export function intentKey(run: string, id: string): string {
  return `${run}.intent.${id}`
}

/**
 * @returns what earlier workers of this run were about to commit when they ended, by source id, and the keys of these
 * records
 */
export async function openIntents(
  store: Store,
  owner: Owner,
  run: string,
): Promise<{
  readonly intents: ReadonlyMap<string, readonly Intent[]>
  readonly keys: readonly string[]
}> {
  const intents = new Map<string, Intent[]>()
  const keys: string[] = []
  let after = `${run}.intent.`
  for (;;) {
    const page = await store.list({ collection: 'transfers', where: { run }, limit: 100, after })
    for (const { key, body } of page) {
      if (!key.startsWith(`${run}.intent.`)) return { intents, keys }
      keys.push(key)
      for (const intent of owner.openResume<Intent[]>(key, body))
        intents.set(intent.sourceId, [...(intents.get(intent.sourceId) ?? []), intent])
    }
    const last = page.at(-1)
    if (last === undefined) return { intents, keys }
    after = last.key
  }
}

/** Forgets at most `limit` transfers of a run; returns how many. */
export async function dropTransfers(store: Store, run: string, limit: number): Promise<number> {
  const found = await store.list({ collection: 'transfers', where: { run }, limit })
  if (found.length > 0)
    await store.transact(async (transaction) => {
      for (const { key } of found) transaction.remove('transfers', key)
    })
  return found.length
}
