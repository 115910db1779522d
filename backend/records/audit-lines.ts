import { createHash } from 'node:crypto'
import { WaybillError, hasCode } from '../../shared/errors.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import { actResults, isActName } from '../../shared/audit.ts'
import type { ActDetails, ActName, ActResult, AuditEntry, AuditLine } from '../../shared/audit.ts'
import type { Document, Store, Transaction } from '../store/store.ts'
import { newId } from './ids.ts'
import { unlessLost } from './owner.ts'
import type { Owner } from './owner.ts'

/** Something that was done. */
export interface Act {
  readonly act: ActName
  /** Our id of who did it; the owner of the details unless told. */
  readonly actor?: string
  /** Our id of what it was done to. */
  readonly target: string | null
  /** `done` unless told. */
  readonly result?: ActResult
  /** Of some hundred bytes; sealed. */
  readonly details: ActDetails
}

/** An act on its way into its tenant's log: a document that nobody but its act writes, so that acts never wait for each other. */
export type Leaf = Document

/** Lines that are listed together. */
export const tileLines = 256

const SALT_BYTES = 16
// As many as a transaction of the sequencer has room for.
const MOST_DETAIL_BYTES = 16 * 1024

/**
 * The tenant that a person without a domain is. Made with their keys: once these are gone, nobody can say any more whose log
 * it was.
 */
export function personalTenant(owner: Owner): string {
  return owner.blind('tenant', owner.user)
}

/** @returns what stands for a person in the lines of what they did. */
export function actorOf(owner: Owner): string {
  return owner.blind('actor', owner.user)
}

/**
 * Makes the leaf of an act. Put it into the transaction that does what it tells of, with {@link putLeaf}: then both are
 * there or none.
 *
 * @param owner whose keys seal the details, and make the actor and the target unlinkable once they are gone
 * @param tenant our id of the tenant whose log it is for
 * @param now milliseconds since 1970
 * @throws WaybillError `internal` for details of more than 16 KiB
 */
export function newLeaf(
  owner: Owner,
  tenant: string,
  { act, actor = owner.user, target, result = 'done', details }: Act,
  { now, random }: { readonly now: number; readonly random: (bytes: number) => Uint8Array },
): Leaf {
  const key = newId(now, random)
  const salt = Buffer.from(random(SALT_BYTES)).toString('base64url')
  const text = JSON.stringify({ salt, ...details })
  if (Buffer.byteLength(text) > MOST_DETAIL_BYTES)
    throw new WaybillError('internal', 'The details of an act are too long.')
  const body = owner.sealAct(key, text)
  return {
    key,
    fields: {
      waits: true,
      tenant,
      at: now,
      actor: owner.blind('actor', actor),
      act,
      target: target === null ? null : owner.blind('target', target),
      result,
      sealedHash: sha256(body),
      detailsHash: sha256(text),
    },
    body,
    expiresAt: null,
  }
}

/** Puts a leaf into the transaction that does what it tells of. */
export function putLeaf(transaction: Transaction, leaf: Leaf): void {
  transaction.put('audit', leaf)
}

const keysAway: readonly ErrorCode[] = ['key_unavailable', 'envelope_refused', 'frozen']

/**
 * For what stops or ends something, which must not wait for keys.
 *
 * @returns the leaf that is being made; undefined while the keys that it takes are away, lost, or being erased
 */
export async function unlessKeysAway(making: Promise<Leaf>): Promise<Leaf | undefined> {
  try {
    return await making
  } catch (error) {
    if (keysAway.some((code) => hasCode(error, code))) return undefined
    throw error
  }
}

/** @returns the line that a leaf becomes with its place in the log. */
export function lineOf(
  { fields }: Document,
  { number, prev }: Pick<AuditLine, 'number' | 'prev'>,
): AuditLine {
  const { at, actor, act, target, result, sealedHash, detailsHash } = fields
  const known = actResults.find((each) => each === result)
  if (!isActName(act) || known === undefined)
    throw new WaybillError('audit_invalid', 'A line of the log is damaged.')
  return {
    v: 1,
    number,
    at: new Date(Number(at)).toISOString(),
    actor: String(actor),
    act,
    target: target === null ? null : String(target),
    result: known,
    sealedHash: String(sealedHash),
    detailsHash: String(detailsHash),
    prev,
  }
}

/** @returns the lines of a tenant from a number up to the end of its tile, each with the document that keeps it. */
export async function linesFrom(
  store: Store,
  tenant: string,
  number: number,
): Promise<readonly { readonly line: AuditLine; readonly document: Document }[]> {
  const tile = Math.floor(number / tileLines)
  const found = await store.list({
    collection: 'audit',
    where: { tenant, tile },
    limit: tileLines,
  })
  return found
    .map((document) => {
      const { number: own, prev } = document.fields
      const place = { number: Number(own), prev: typeof prev === 'string' ? prev : null }
      return { line: lineOf(document, place), document }
    })
    .filter(({ line }) => line.number >= number)
    .toSorted((one, other) => one.line.number - other.line.number)
}

/** @returns a line with its details, as far as `owner` has the keys to them. */
export function entryOf(owner: Owner, line: AuditLine, { key, body }: Document): AuditEntry {
  if (body === null) return { line, sealed: null, details: null }
  const details = unlessLost((): ActDetails => JSON.parse(owner.openAct(key, body)))
  return { line, sealed: Buffer.from(body).toString('base64url'), details }
}

const ERASED_AT_ONCE = 100

/**
 * Wipes the details of all that a person did, in whichever log: the lines stay as they are, and go on to be verified.
 *
 * @param actor what stands for the person in the lines. Only their keys can say it: ask them before they are destroyed,
 *   which makes what is left of the lines unlinkable
 * @returns how many lines had details
 */
export async function eraseDetails(store: Store, actor: string): Promise<number> {
  const where = { actor }
  let erased = 0
  let after: string | undefined
  for (;;) {
    const page = { collection: 'audit', where, limit: ERASED_AT_ONCE } as const
    const found = await store.list(after === undefined ? page : { ...page, after })
    erased += await eraseEach(
      store,
      found.filter(({ body }) => body !== null).map(({ key }) => key),
    )
    after = found.at(-1)?.key
    if (found.length < ERASED_AT_ONCE || after === undefined) return erased
  }
}

async function eraseEach(store: Store, keys: readonly string[]): Promise<number> {
  return store.transact(async (transaction) => {
    const found = await Promise.all(keys.map(async (key) => transaction.get('audit', key)))
    const left = found.filter((document) => document !== null && document.body !== null)
    for (const document of left)
      if (document !== null) transaction.put('audit', { ...document, body: null })
    return left.length
  })
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
