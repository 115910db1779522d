import { hasCode } from '../../shared/errors.ts'
import type { Document, Store } from '../store/store.ts'
import type { RotatingKeyWrapper } from '../vault/key-wrapper.ts'
import { rewrapUserKeys } from '../vault/user-keys.ts'
import type { KeyRecord } from '../vault/user-keys.ts'
import { keyDocument, keyOwner, keyRingFrom } from './key-records.ts'
import type { KeyRing } from './key-records.ts'

/** What a pass over the DEKs under older KEKs has done. */
export interface RewrapCounts {
  /** DEKs that it brought under the newest KEK. */
  readonly rewrapped: number
  /** DEKs that are still under an older one. Only at 0 may the older KEKs be disabled, and destroyed some days later. */
  readonly left: number
  /** How many of those left are damaged, or are not what they say they are: no later pass will bring them along. */
  readonly refused: number
}

export interface RewrapDeps {
  readonly store: Store
  readonly wrapper: RotatingKeyWrapper
  /** Name of the installation. */
  readonly env: string
}

// As many values as one query takes.
const KEKS_AT_ONCE = 30
const PAGE = 100
const DEKS_AT_ONCE = 8
/** While a DEK is being replaced there are two, each under a KEK of its own. */
const kekFields = ['kekId', 'otherKekId'] as const

/** One of a user's DEKs that is under an older KEK. */
interface Behind {
  readonly document: Document
  readonly kekId: unknown
  readonly which: 'current' | 'other'
}

/**
 * Brings every DEK that is under an older KEK under the newest one. The DEKs themselves stay as they are, so nothing
 * that was sealed changes, no key in a cache is withdrawn, and whoever reads meanwhile finds either wrapped form, both of
 * which open. What is still to be done is what the index says: a pass that was killed is simply begun again.
 *
 * A KEK that cannot be had leaves its DEKs for a later pass. So does one that is the newest already but does not wrap
 * yet, which Cloud KMS takes some minutes, at worst three hours, to see to:
 * https://cloud.google.com/kms/docs/consistency
 *
 * @param signal ends the pass early, with what it has done
 * @throws WaybillError `key_unavailable` when the wrapper cannot say which KEKs there are; whatever the store throws
 */
export async function rewrapKeys(deps: RewrapDeps, signal: AbortSignal): Promise<RewrapCounts> {
  const [newest, ...older] = await deps.wrapper.kekIds()
  let [rewrapped, refused, early] = [0, 0, false]
  const out = new Set<unknown>()

  const bring = async (behind: Behind): Promise<void> => {
    const { kekId } = behind
    if (early || signal.aborted || out.has(kekId)) return
    try {
      const moved = await rewrap(deps, behind, newest)
      if (moved === 'rewrapped') rewrapped += 1
      if (moved === 'early') early = true
    } catch (error) {
      if (hasCode(error, 'envelope_refused')) refused += 1
      else if (hasCode(error, 'key_unavailable')) out.add(kekId)
      else throw error
    }
  }

  for await (const all of pagesUnder(deps.store, older)) {
    // One of each KEK goes ahead: where it was not to be had lately, one call at a time finds out if it is back.
    const ahead = new Map(all.toReversed().map((each) => [each.kekId, each]))
    for (const first of ahead.values()) await bring(first)
    const page = all.filter((each) => ahead.get(each.kekId) !== each)
    for (let at = 0; at < page.length; at += DEKS_AT_ONCE)
      await Promise.all(page.slice(at, at + DEKS_AT_ONCE).map(bring))
  }

  let left = 0
  for await (const page of pagesUnder(deps.store, older)) left += page.length
  return { rewrapped, left, refused }
}

async function* pagesUnder(
  store: Store,
  kekIds: readonly string[],
): AsyncGenerator<readonly Behind[]> {
  for (const field of kekFields)
    for (let at = 0; at < kekIds.length; at += KEKS_AT_ONCE) {
      const where = { [field]: kekIds.slice(at, at + KEKS_AT_ONCE) }
      const which = field === 'kekId' ? 'current' : 'other'
      let page = await store.list({ collection: 'keys', where, limit: PAGE })
      while (page.length > 0) {
        yield page.map((document) => ({ document, kekId: document.fields[field], which }))
        const after = page.at(-1)?.key ?? ''
        page = await store.list({ collection: 'keys', where, after, limit: PAGE })
      }
    }
}

async function rewrap(
  { store, wrapper, env }: RewrapDeps,
  { document, which }: Behind,
  newest: string,
): Promise<'rewrapped' | 'early' | 'changed'> {
  const user = document.key
  const ring = keyRingFrom(document)
  const record = which === 'current' ? ring.current : ring.other?.record
  if (record === undefined) return 'changed'
  const fresh = await rewrapUserKeys(record, { owner: keyOwner(env, user), wrapper })
  if (fresh.kekId !== newest) return 'early'
  return store.transact(async (transaction) => {
    const found = await transaction.get('keys', user)
    const changed = found === null ? null : withRewrapped(keyRingFrom(found), record, fresh)
    if (changed === null) return 'changed'
    transaction.put('keys', keyDocument(user, changed))
    return 'rewrapped'
  })
}

/** @returns null if the DEK is not there as it was: deleted, replaced or rewrapped by somebody else meanwhile. */
function withRewrapped(ring: KeyRing, before: KeyRecord, fresh: KeyRecord): KeyRing | null {
  const { kekId, wrapped } = fresh
  const isIt = (record: KeyRecord): boolean =>
    record.dekId === before.dekId &&
    record.kekId === before.kekId &&
    Buffer.compare(record.wrapped, before.wrapped) === 0
  if (isIt(ring.current)) return { ...ring, current: { ...ring.current, kekId, wrapped } }
  const { other } = ring
  if (other === null || !isIt(other.record)) return null
  return { ...ring, other: { ...other, record: { ...other.record, kekId, wrapped } } }
}
