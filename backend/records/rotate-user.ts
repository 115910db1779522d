import { hasCode } from '../../shared/errors.ts'
import type { Document, Store } from '../store/store.ts'
import { usualMaxAgeMs } from '../vault/dek-cache.ts'
import type { DekCache } from '../vault/dek-cache.ts'
import type { KeyWrapper } from '../vault/key-wrapper.ts'
import { rotateUserKeys } from '../vault/user-keys.ts'
import { keyDocument, keyOwner, keyRingFrom } from './key-records.ts'
import type { KeyRing, OtherDek, Pass } from './key-records.ts'
import { believedMs } from './owner.ts'
import { resealPage, sealedPages } from './sealed-records.ts'

export interface RotateDeps {
  readonly store: Store
  readonly wrapper: KeyWrapper
  readonly cache: DekCache
  /** Name of the installation. */
  readonly env: string
  readonly random: (bytes: number) => Uint8Array
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A rotation under way. */
export interface Rotation extends RotateDeps {
  readonly began: number
  readonly signal: AbortSignal
  readonly done: { rotated: number; resealed: number; damaged: number }
  readonly told: () => void
}

/** How far a user came: nothing is left to do, or only another time; their keys are refused; or until when to wait. */
type End = 'nothing' | 'later' | 'refused' | number

/**
 * Whoever works believes what it has read of a user's keys for a while, and may then use a DEK until it is too old. What
 * it sealed last may land minutes later, if the store is busy.
 */
const settledMs = believedMs + usualMaxAgeMs + 280_000

/** Pages without anything to do after which it is written down all the same how far a pass has come. */
const PAGES_AT_MOST = 50
/** Passes over one user's records before the next user's turn. */
const PASSES = 3

/** @returns whether there is nothing to do for a user in a rotation that began then. */
export function isDone(fields: Document['fields'], began: number): boolean {
  return fields['otherDekId'] === undefined && Number(fields['madeAt'] ?? 0) >= began
}

/**
 * Takes all the steps with one user that can be taken now. The order of the steps: `rotate-keys.ts`.
 *
 * @param document what is kept of the user's keys
 * @returns whether anything is left, or until when to wait with it; throws what the store throws
 */
export async function rotateUser(rotation: Rotation, document: Document): Promise<End> {
  const { began, signal, now } = rotation
  const user = document.key
  try {
    if (isDone(document.fields, began)) return 'nothing'
    for (let ring: KeyRing | null = keyRingFrom(document), passes = 0; ring !== null;) {
      const { other, madeAt } = ring
      if (signal.aborted || passes >= PASSES) return 'later'
      if (other === null && madeAt >= began) return 'nothing'
      const settled = (other?.since ?? 0) + settledMs
      if (other === null) ring = await announce(rotation, user, ring)
      else if (other.step === 'coming') {
        if (now() < settled) return settled
        ring = await promote(rotation, user, ring)
      } else {
        if (other.pass === null && now() < settled) return settled
        passes += 1
        ring = await bringAlong(rotation, user, ring, other)
      }
    }
    // Somebody else changed it: the next look shows what there is.
    return now()
  } catch (error) {
    if (hasCode(error, 'envelope_refused')) return 'refused'
    if (hasCode(error, 'key_unavailable') || hasCode(error, 'busy')) return 'later'
    throw error
  }
}

async function announce(rotation: Rotation, user: string, ring: KeyRing): Promise<KeyRing | null> {
  const { wrapper, random, env, began, now } = rotation
  const made = await rotateUserKeys(ring.current, { owner: keyOwner(env, user), wrapper, random })
  return change(rotation, user, ring, (found) => ({
    ...found,
    other: {
      record: { ...made, keyEpoch: found.current.keyEpoch },
      step: 'coming',
      // Never before the rotation, whatever the clock of this machine says: it would be replaced again.
      since: Math.max(now(), began),
      pass: null,
    },
  }))
}

async function promote(rotation: Rotation, user: string, ring: KeyRing): Promise<KeyRing | null> {
  return change(rotation, user, ring, ({ current, other, ...rest }) => {
    if (other === null) return { current, other, ...rest }
    const since = rotation.now()
    const pass = { began: since, at: '', found: 0 }
    return {
      current: other.record,
      madeAt: other.since,
      other: { record: current, step: 'going', since, pass },
    }
  })
}

/** Makes a pass, or the rest of one. Forgets the older DEK after one that proves that nothing is left under it. */
async function bringAlong(
  rotation: Rotation,
  user: string,
  start: KeyRing,
  other: OtherDek,
): Promise<KeyRing | null> {
  const { store, cache, env, signal, done, now } = rotation
  const owner = keyOwner(env, user)
  let ring: KeyRing | null = start
  let pass = other.pass ?? { began: now(), at: '', found: 0 }
  let [pages, damaged] = [0, 0]
  for await (const page of sealedPages(store, user, pass.at)) {
    // Asked for each time: the cache is what keeps to how long keys may be used.
    const to = await cache.lookup(ring.current, owner)
    const from = await cache.lookup(ring.other?.record ?? other.record, owner)
    const some = await resealPage(store, page, { from, to })
    done.resealed += some.resealed
    damaged += some.damaged
    pass = { ...pass, at: page.at, found: pass.found + some.resealed }
    pages += 1
    if (some.resealed === 0 && pages < PAGES_AT_MOST && !signal.aborted) continue
    rotation.told()
    pages = 0
    ring = await note(rotation, user, ring, pass)
    if (ring === null || signal.aborted) return ring
  }
  const isProof = pass.began >= other.since + settledMs && pass.found === 0
  if (!isProof) return note(rotation, user, ring, null)
  const alone = await change(rotation, user, ring, (found) => ({ ...found, other: null }))
  if (alone === null) return null
  cache.purge(other.record.dekId)
  done.rotated += 1
  done.damaged += damaged
  return alone
}

async function note(
  rotation: Rotation,
  user: string,
  ring: KeyRing,
  pass: Pass | null,
): Promise<KeyRing | null> {
  return change(rotation, user, ring, ({ other, ...rest }) => ({
    ...rest,
    other: other === null ? null : { ...other, pass },
  }))
}

/** @returns the keys as they are then; null if the user is gone, or has other DEKs, or is another step on. */
async function change(
  { store }: RotateDeps,
  user: string,
  expected: KeyRing,
  to: (found: KeyRing) => KeyRing,
): Promise<KeyRing | null> {
  const stepOf = ({ current, other }: KeyRing): string =>
    [current.dekId, other?.record.dekId, other?.step].join(' ')
  return store.transact(async (transaction) => {
    const document = await transaction.get('keys', user)
    if (document === null) return null
    const found = keyRingFrom(document)
    if (stepOf(found) !== stepOf(expected)) return null
    const changed = to(found)
    transaction.put('keys', keyDocument(user, changed))
    return changed
  })
}
