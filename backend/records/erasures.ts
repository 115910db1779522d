import { timingSafeEqual } from 'node:crypto'
import { WaybillError } from '../../shared/errors.ts'
import type { Document, Field, Store, Transaction } from '../store/store.ts'
import { refuseErasing } from './freezes.ts'
import { hashed } from './hashed-secret.ts'

/** What an erasure does, in this order; at `ended` only its certificate is missing, at `certified` nothing. */
export const erasureSteps = [
  'accounts',
  'keys',
  'jobs',
  'rest',
  'details',
  'leaf',
  'ended',
  'certified',
] as const

export type ErasureStep = (typeof erasureSteps)[number]

/** Kinds of what is deleted, as a certificate counts them. */
export const erasedKinds = [
  'connections',
  'jobs',
  'runs',
  'manifestPages',
  'ledgerRows',
  'transfers',
  'receiptPages',
  'sessions',
  'apiKeys',
  'sightings',
  'picks',
  'people',
  'tickets',
  'signIns',
] as const

export type ErasedKind = (typeof erasedKinds)[number]

/**
 * An erasure under way, or the one that there was. Nothing in it says whose: only the freeze of the person does, until the
 * end, and it names the erasure, not the other way round.
 */
export interface Erasure {
  readonly id: string
  readonly step: ErasureStep
  /** Hash of what its person fetches the certificate with. */
  readonly secret: string
  /** Milliseconds since 1970, as all times here. */
  readonly startedAt: number
  /** When the wrapped key was gone; null before. */
  readonly keyDeletedAt: number | null
  readonly endedAt: number | null
  /** Our id of the tenant in whose log it is told; null where the keys that would say it were lost already. */
  readonly tenant: string | null
  /** What stands for the person in their lines; null as above. */
  readonly actor: string | null
  /** Key of the line that tells of it. */
  readonly leaf: string | null
  /** Accounts whose provider lets only the person take the access back. */
  readonly byThePerson: number
  readonly deleted: Readonly<Record<ErasedKind, number>>
  /** The certificate, once it is made. */
  readonly certificate: string | null
}

const CODE_MS = 10 * 60_000
const CERTIFICATE_MS = 30 * 24 * 60 * 60_000
// Without I, L, O and U (https://www.crockford.com/base32.html): 50 bits, for ten minutes, beside being signed in.
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LETTERS = 10

/**
 * Gives a person the code with which they say that they mean it; one that was given before is good no more.
 *
 * @returns the code, and until when it is good. Throws `frozen` while the person is being erased already.
 */
export async function giveCode(
  store: Store,
  user: string,
  { now, random }: { readonly now: number; readonly random: (bytes: number) => Uint8Array },
): Promise<{ readonly code: string; readonly until: number }> {
  const letters = Array.from(random(CODE_LETTERS), (byte) => LETTERS[byte % LETTERS.length] ?? '')
  const code = [letters.slice(0, 5), letters.slice(5)].map((part) => part.join('')).join('-')
  const until = now + CODE_MS
  const fields = { code: hashed('erase', plain(code)) }
  await store.transact(async (transaction) => {
    await refuseErasing(transaction, user)
    transaction.put('erasures', { key: codeKey(user), fields, body: null, expiresAt: until })
  })
  return { code, until }
}

/**
 * Uses the code up and begins: from then on nothing of the person's comes to be that was not there.
 *
 * @throws WaybillError `invalid_request` for anything but the code that is good, `frozen` if it has begun already
 */
export async function beginErasure(
  store: Store,
  user: string,
  code: string,
  begun: Pick<Erasure, 'id' | 'secret' | 'startedAt' | 'tenant' | 'actor'>,
): Promise<void> {
  const erasure: Erasure = {
    ...begun,
    step: 'accounts',
    keyDeletedAt: null,
    endedAt: null,
    leaf: null,
    byThePerson: 0,
    deleted: noneDeleted,
    certificate: null,
  }
  await store.transact(async (transaction) => {
    await refuseErasing(transaction, user)
    const given = await transaction.get('erasures', codeKey(user))
    if (given === null || !isSame(given.fields['code'], hashed('erase', plain(code))))
      throw new WaybillError(
        'invalid_request',
        'The code is not the one that was given, or its ten minutes are over: ask for another.',
      )
    const since = (await transaction.get('freezes', user))?.fields['since'] ?? begun.startedAt
    transaction.remove('erasures', codeKey(user))
    const fields = { since, erasure: begun.id }
    transaction.put('freezes', { key: user, fields, body: null, expiresAt: null })
    transaction.put('erasures', toDocument(erasure))
  })
}

/** @returns erasures that are under way, or whose certificate is not made yet, from a key on. */
export async function listErasures(store: Store): Promise<readonly Erasure[]> {
  const found = await store.list({ collection: 'erasures', where: { waits: true }, limit: 100 })
  return found.map(fromDocument)
}

/** @returns whose erasure it is; null once it has ended. */
export async function erasedUser(store: Store, erasure: string): Promise<string | null> {
  const [found] = await store.list({ collection: 'freezes', where: { erasure }, limit: 1 })
  return found?.key ?? null
}

/** @returns the erasure; null if there is none, or its certificate is forgotten. */
export async function readErasure(
  from: Pick<Transaction, 'get'>,
  id: string,
): Promise<Erasure | null> {
  const found = await from.get('erasures', id)
  return found === null ? null : fromDocument(found)
}

/** @returns the erasure with this id, for who has its secret; throws `not_found` for everybody else. */
export async function readOwnErasure(store: Store, id: string, secret: string): Promise<Erasure> {
  const found = await readErasure(store, id)
  if (found !== null && isSame(found.secret, hashed('certificate', secret))) return found
  throw new WaybillError('not_found', 'There is no such certificate, or its 30 days are over.')
}

/**
 * Changes an erasure in the step that it is in, together with what belongs to it: of any number of processes, and however
 * often they are killed, what is counted is counted once.
 *
 * @param change reads with the transaction before it writes; null if there is nothing to change
 * @returns the erasure as it is then; null if it has gone on without us
 */
export async function changeErasure(
  store: Store,
  { id, step }: Pick<Erasure, 'id' | 'step'>,
  change: (now: Erasure, transaction: Transaction) => Promise<Partial<Erasure> | null>,
): Promise<Erasure | null> {
  return store.transact(async (transaction) => {
    const now = await readErasure(transaction, id)
    if (now === null || now.step !== step) return null
    const changed = await change(now, transaction)
    if (changed === null) return now
    const next = { ...now, ...changed }
    transaction.put('erasures', toDocument(next))
    return next
  })
}

function codeKey(user: string): string {
  return `code.${user}`
}

/** As people type it. */
function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')
}

function isSame(kept: unknown, given: string): boolean {
  const [a, b] = [Buffer.from(String(kept)), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function countsOf(count: (kind: ErasedKind) => number): Readonly<Record<ErasedKind, number>> {
  return {
    connections: count('connections'),
    jobs: count('jobs'),
    runs: count('runs'),
    manifestPages: count('manifestPages'),
    ledgerRows: count('ledgerRows'),
    transfers: count('transfers'),
    receiptPages: count('receiptPages'),
    sessions: count('sessions'),
    apiKeys: count('apiKeys'),
    sightings: count('sightings'),
    picks: count('picks'),
    people: count('people'),
    tickets: count('tickets'),
    signIns: count('signIns'),
  }
}

const noneDeleted = countsOf(() => 0)

/** The certificate is no secret of anybody's, and sealed for nobody. */
function toDocument({ id, certificate, deleted, ...fields }: Erasure): Document {
  const isDone = fields.step === 'certified'
  const { endedAt, startedAt } = fields
  return {
    key: id,
    fields: { ...fields, ...deleted, ...(isDone ? {} : { waits: true }) },
    body: certificate === null ? null : Buffer.from(certificate, 'utf8'),
    expiresAt: isDone ? (endedAt ?? startedAt) + CERTIFICATE_MS : null,
  }
}

function fromDocument({ key, fields, body }: Document): Erasure {
  const step = erasureSteps.find((each) => each === fields['step'])
  if (step === undefined)
    throw new WaybillError('internal', 'An erasure is in a step that Waybill does not know.')
  return {
    id: key,
    step,
    secret: String(fields['secret']),
    startedAt: Number(fields['startedAt']),
    keyDeletedAt: numberOr(fields['keyDeletedAt']),
    endedAt: numberOr(fields['endedAt']),
    tenant: textOr(fields['tenant']),
    actor: textOr(fields['actor']),
    leaf: textOr(fields['leaf']),
    byThePerson: Number(fields['byThePerson']),
    deleted: countsOf((kind) => Number(fields[kind] ?? 0)),
    certificate: body === null ? null : Buffer.from(body).toString('utf8'),
  }
}

function textOr(value: Field | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOr(value: Field | undefined): number | null {
  return typeof value === 'number' ? value : null
}
