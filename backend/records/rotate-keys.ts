import { isErasedKey } from './key-records.ts'
import { isRevocationKey } from './revocations.ts'
import type { Document, Store } from '../store/store.ts'
import { isDone, rotateUser } from './rotate-user.ts'
import type { RotateDeps, Rotation } from './rotate-user.ts'

/** What a rotation has done since it was begun or taken up again. */
export interface RotateCounts {
  /** Users whose older DEK is gone. */
  readonly rotated: number
  /** Records that were sealed anew. */
  readonly resealed: number
  /** Records under an older DEK that do not open: they were damaged before, and are lost with it. */
  readonly damaged: number
  /** Users whose DEK is still to be replaced. At 0 the rotation is over. */
  readonly left: number
  /** How many of those left have keys that are damaged themselves: nothing brings them along, and nothing opens for them. */
  readonly refused: number
}

/** How a rotation is doing. */
export interface RotateProgress {
  readonly rotated: number
  readonly resealed: number
  /** Until when it waits, in milliseconds since 1970; null while it works. */
  readonly waitsUntil: number | null
}

/** No user: their ids have 22 characters. */
const ROTATION = 'rotation'
/** Sorts after every user. */
const LAST_KEY = 'z'.repeat(200)
const PAGE = 100
const USERS_AT_ONCE = 4

/**
 * Gives every user a new DEK, seals everything under it and forgets the older one:
 *
 * ```
 * make a DEK ─► coming ── ten minutes ─► going ── ten minutes ─► a pass that finds nothing under the older one ─► forget it
 *               nobody seals with it,    the new one seals, the older one opens,
 *               everybody gets to know   and what is under it is sealed anew
 * ```
 *
 * Whoever reads or writes meanwhile has every DEK that it can meet: nobody seals with one that others do not know yet, and
 * the older one goes after a pass that found nothing under it and began when nobody could seal with it any more. Each step is a
 * transaction that names what it expects, and what is still to be done is what is written down: a rotation that was
 * killed goes on where it was, and two at once do no harm.
 *
 * Users whose DEK cannot be had are left for later. A user who came after the rotation began has a new DEK already.
 *
 * @param signal ends it early, with what it has done
 * @param told hears how it is doing, often
 * @param anew begins another one, also where an earlier one is not over: somebody whose keys cannot be had keeps it open
 * @throws whatever the store throws
 */
export async function rotateKeys(
  deps: RotateDeps,
  signal: AbortSignal,
  told: (progress: RotateProgress) => void = () => undefined,
  anew = false,
): Promise<RotateCounts> {
  const began = await beginRotation(deps, anew)
  const done = { rotated: 0, resealed: 0, damaged: 0 }
  let refused = 0
  const rotation: Rotation = { ...deps, began, signal, done, told: () => told(state(null)) }
  const state = (waitsUntil: number | null): RotateProgress => {
    const { rotated, resealed } = done
    return { rotated, resealed, waitsUntil }
  }

  for (let until: number | null = began; until !== null && !signal.aborted;) {
    until = null
    refused = 0
    for await (const page of keyPages(deps.store)) {
      for (let at = 0; at < page.length; at += USERS_AT_ONCE) {
        const some = page.slice(at, at + USERS_AT_ONCE)
        for (const end of await Promise.all(some.map(async (each) => rotateUser(rotation, each)))) {
          if (end === 'refused') refused += 1
          if (typeof end === 'number') until = Math.max(until ?? 0, end)
        }
      }
      told(state(null))
    }
    if (until === null || signal.aborted) break
    told(state(until))
    await deps.sleep(Math.max(0, until - deps.now()), signal)
  }

  let left = 0
  for await (const page of keyPages(deps.store))
    left += page.filter(({ fields }) => !isDone(fields, began)).length
  if (left === refused) await endRotation(deps.store, began)
  return { ...done, left, refused }
}

async function* keyPages(store: Store): AsyncGenerator<readonly Document[]> {
  for (let after: string | undefined; ;) {
    const onwards = after === undefined ? {} : { after }
    const query = { collection: 'keys', where: {}, before: LAST_KEY, limit: PAGE } as const
    const page = await store.list({ ...query, ...onwards })
    yield page.filter(
      (document) =>
        document.key !== ROTATION && !isRevocationKey(document.key) && !isErasedKey(document),
    )
    after = page.at(-1)?.key
    if (after === undefined) return
  }
}

/** @returns when the rotation that is to go on began, in milliseconds since 1970. */
async function beginRotation({ store, now }: RotateDeps, anew: boolean): Promise<number> {
  return store.transact(async (transaction) => {
    const found = await transaction.get('keys', ROTATION)
    if (found !== null && !anew) return Number(found.fields['began'])
    const began = now()
    const document = { key: ROTATION, fields: { began }, body: null, expiresAt: null }
    transaction.put('keys', document)
    return began
  })
}

async function endRotation(store: Store, began: number): Promise<void> {
  await store.transact(async (transaction) => {
    const found = await transaction.get('keys', ROTATION)
    if (found?.fields['began'] === began) transaction.remove('keys', ROTATION)
  })
}
