import { WaybillError } from '../../shared/errors.ts'
import { auditLineText } from '../../shared/audit.ts'
import type { Document, Field, Store, Transaction } from '../store/store.ts'
import { lineOf, tileLines } from './audit-lines.ts'
import { createTree, leafHash } from './merkle-tree.ts'
import type { SavedTree } from './merkle-tree.ts'

/** How far a tenant's log has come. */
export interface LogState {
  readonly tenant: string
  /** The log's name in its heads: it stays what it was when the log began. */
  readonly origin: string
  /** Lines so far. */
  readonly size: number
  /** Of the tree over them, as hex. */
  readonly root: string
  /** How many of them have a signed head. */
  readonly signed: number
}

interface KeptState extends LogState {
  readonly tree: SavedTree
  readonly last: string | null
}

/** A signed tree head, and the key to verify it with. */
export interface SignedHead {
  readonly size: number
  readonly note: string
  readonly key: string
}

const HASH_BYTES = 32
const DIGITS = 12

/** @returns leaves that are in no log yet, in the order of their time, from a key on. */
export async function listWaiting(
  store: Store,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly { readonly key: string; readonly tenant: string }[]> {
  const found = await store.list({ collection: 'audit', where: { waits: true }, ...page })
  return found.map(({ key, fields }) => ({ key, tenant: String(fields['tenant']) }))
}

/** @returns tenants whose log has lines that no signed head covers. */
export async function listUnsigned(
  store: Store,
  page: { readonly after?: string; readonly limit: number },
): Promise<readonly string[]> {
  const found = await store.list({ collection: 'heads', where: { waits: true }, ...page })
  return found.map(({ key }) => key)
}

/**
 * Appends leaves to their tenant's log, in one transaction: each gets its number and the hash of the line before, and the
 * tree grows by it. A leaf that somebody else has appended meanwhile stays as it is. Of any number of sequencers one gets
 * ahead and the others find its work done.
 *
 * @param keys at most 100, of leaves of this tenant
 * @param origin the log's name, if it is not there yet
 * @throws WaybillError `audit_invalid` when what is kept of the log is damaged
 */
export async function chainLeaves(
  store: Store,
  tenant: string,
  keys: readonly string[],
  origin: string,
): Promise<void> {
  await store.transact(async (transaction) => {
    const [state, ...leaves] = await Promise.all([
      readState(transaction, tenant),
      ...keys.map(async (key) => transaction.get('audit', key)),
    ])
    const waiting = leaves.filter((leaf) => leaf?.fields['waits'] === true)
    if (waiting.length === 0) return
    const tree = createTree(state?.tree)
    let last = state?.last ?? null
    for (const leaf of waiting) {
      if (leaf === null || leaf.fields['tenant'] !== tenant) throw damaged()
      const number = tree.save().size
      const text = auditLineText(lineOf(leaf, { number, prev: last }))
      const tile = Math.floor(number / tileLines)
      const { waits: _, ...fields } = leaf.fields
      transaction.put('audit', { ...leaf, fields: { ...fields, number, tile, prev: last } })
      tree.add(text)
      last = leafHash(text)
    }
    const saved = tree.save()
    const { signed } = state ?? { signed: 0 }
    const name = state?.origin ?? origin
    const next = { tenant, origin: name, size: saved.size, root: tree.root(), signed }
    transaction.put('heads', stateDocument({ ...next, tree: saved, last }))
  })
}

/**
 * @returns how far a tenant's log has come; null if it has not begun
 * @throws WaybillError `audit_invalid` when what is kept of it is damaged
 */
export async function readLog(store: Store, tenant: string): Promise<LogState | null> {
  return readState(store, tenant)
}

/** Keeps a signed head, unless there is one of as many lines, or more, already. */
export async function keepHead(
  store: Store,
  tenant: string,
  { size, note, key }: SignedHead,
): Promise<void> {
  await store.transact(async (transaction) => {
    const state = await readState(transaction, tenant)
    if (state === null || state.size < size) throw damaged()
    if (state.signed >= size) return
    transaction.put('heads', {
      key: `${tenant}.${String(size).padStart(DIGITS, '0')}`,
      fields: { tenant, size, note, key },
      body: null,
      expiresAt: null,
    })
    transaction.put('heads', stateDocument({ ...state, signed: size }))
  })
}

const HEADS_AT_ONCE = 100

/** @returns a tenant's signed heads, the smallest first. */
export async function* signedHeads(store: Store, tenant: string): AsyncGenerator<SignedHead> {
  let after: string | undefined
  for (;;) {
    const page = { collection: 'heads', where: { tenant }, limit: HEADS_AT_ONCE } as const
    const found = await store.list(after === undefined ? page : { ...page, after })
    for (const { fields } of found)
      yield {
        size: Number(fields['size']),
        note: String(fields['note']),
        key: String(fields['key']),
      }
    after = found.at(-1)?.key
    if (found.length < HEADS_AT_ONCE || after === undefined) return
  }
}

async function readState(
  from: Pick<Transaction, 'get'>,
  tenant: string,
): Promise<KeptState | null> {
  const found = await from.get('heads', tenant)
  if (found === null) return null
  const { origin, size, root, signed, last, tree } = found.fields
  const saved = { size: Number(size), hashes: hashesFrom(tree) }
  const state = {
    tenant,
    origin: String(origin),
    size: saved.size,
    root: String(root),
    signed: Number(signed),
    tree: saved,
    last: typeof last === 'string' ? last : null,
  }
  // The tree is checked against its own root: a damaged one would be signed, and could never be gone on with.
  const ones = state.size.toString(2).replaceAll('0', '').length
  if (saved.hashes.length !== ones || createTree(saved).root() !== state.root) throw damaged()
  return state
}

function stateDocument({ tenant, origin, size, root, signed, tree, last }: KeptState): Document {
  const bytes = Buffer.concat(tree.hashes.map((hash) => Buffer.from(hash, 'hex')))
  const fields = { origin, size, root, signed, last, tree: bytes.toString('base64url') }
  return {
    key: tenant,
    fields: size > signed ? { ...fields, waits: true } : fields,
    body: null,
    expiresAt: null,
  }
}

function hashesFrom(text: Field | undefined): readonly string[] {
  const bytes = Buffer.from(String(text), 'base64url')
  const count = Math.ceil(bytes.length / HASH_BYTES)
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES).toString('hex'),
  )
}

function damaged(): WaybillError {
  return new WaybillError('audit_invalid', 'What is kept of an audit log is damaged.')
}
