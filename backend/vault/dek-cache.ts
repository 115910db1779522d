import { WaybillError } from '../../shared/errors.ts'
import type { RandomBytes } from './cobblestone.ts'
import type { KeyOwner } from './context.ts'
import type { KeyWrapper } from './key-wrapper.ts'
import { unwrapUserKeys } from './user-keys.ts'
import type { KeyRecord, UserKeys } from './user-keys.ts'

/** DEKs are unwrapped anew after as long as this, in milliseconds, unless a cache is told otherwise. */
export const usualMaxAgeMs = 5 * 60_000

/** How long and how often keys may be used before the wrapper is asked again. */
export interface DekCacheOptions {
  readonly wrapper: KeyWrapper
  readonly random: RandomBytes
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** 1,000 users unless told. */
  readonly maxEntries?: number
  /** Five minutes unless told, counted from the moment the wrapper was asked, however often the keys are used. */
  readonly maxAgeMs?: number
  /** 10,000 lookups unless told. */
  readonly maxUses?: number
  /**
   * How long keys that left the cache can still be used by whoever had looked them up, unless they were purged, and
   * never beyond their age, which is why they leave it that much earlier: 30 s unless told.
   */
  readonly graceMs?: number
}

/** Keys of users at work, in memory only. */
export interface DekCache {
  /**
   * Gives a user's keys, unwrapping them when they are not there, too old, used up or of another epoch. Any number of
   * lookups at once cost one unwrap. Look up for each operation: keys that leave the cache are destroyed, soon when
   * they were too old, used up or crowded out, at once when they were purged or are of another epoch.
   *
   * @throws WaybillError as `unwrapUserKeys`; a failure is not remembered. `key_unavailable` also when the keys were
   * purged while they were being unwrapped.
   */
  lookup(record: KeyRecord, owner: KeyOwner): Promise<UserKeys>
  /** Forgets the keys of one DEK, or all of them, including those being unwrapped at this moment. */
  purge(dekId?: string): void
  /** Forgets what is too old; every lookup does the same. Call it now and then when there may be no lookups. */
  sweep(): void
}

interface Entry {
  readonly dekId: string
  readonly keyEpoch: number
  readonly keys: UserKeys
  readonly expiresAt: number
  uses: number
}

interface Unwrapping {
  readonly dekId: string
  readonly keyEpoch: number
  readonly entry: Promise<Entry>
}

/** @returns an empty cache. */
export function createDekCache({
  wrapper,
  random,
  now,
  maxEntries = 1_000,
  maxAgeMs = usualMaxAgeMs,
  maxUses = 10_000,
  graceMs = 30_000,
}: DekCacheOptions): DekCache {
  // A Map keeps the order of insertion: the first entry is the one that was looked up longest ago.
  const entries = new Map<string, Entry>()
  const underWay = new Map<string, Unwrapping>()
  let nextExpiry = Infinity

  // Out of the cache, but perhaps still in the hands of an operation that looked them up a moment ago.
  const retired = new Map<Entry, number>()

  const destroy = (id: string, entry: Entry): void => {
    entries.delete(id)
    entry.keys.destroy()
  }

  const retire = (id: string, entry: Entry): void => {
    entries.delete(id)
    const until = Math.min(now() + graceMs, entry.expiresAt)
    retired.set(entry, until)
    nextExpiry = Math.min(nextExpiry, until)
  }

  const sweep = (): void => {
    const time = now()
    if (time < nextExpiry) return
    nextExpiry = Infinity
    for (const [id, entry] of entries) {
      const renewAt = entry.expiresAt - graceMs
      if (renewAt <= time) retire(id, entry)
      else nextExpiry = Math.min(nextExpiry, renewAt)
    }
    for (const [entry, until] of retired) {
      if (until > time) nextExpiry = Math.min(nextExpiry, until)
      else if (retired.delete(entry)) entry.keys.destroy()
    }
  }

  const remember = (id: string, entry: Entry): void => {
    entries.set(id, entry)
    nextExpiry = Math.min(nextExpiry, entry.expiresAt - graceMs)
    const [oldest] = entries
    if (oldest !== undefined && entries.size > maxEntries) retire(...oldest)
  }

  const unwrap = (id: string, record: KeyRecord, owner: KeyOwner): Unwrapping => {
    const { dekId, keyEpoch } = record
    // The wrapper's permission was seen no earlier than this, so access that is withdrawn ends within the age.
    const expiresAt = now() + maxAgeMs
    const finish = async (): Promise<Entry> => {
      try {
        const keys = await unwrapUserKeys(record, { owner, wrapper, random })
        if (underWay.get(id) !== started) {
          keys.destroy()
          throw new WaybillError('key_unavailable', 'Keys were purged while they were unwrapped')
        }
        const entry = { dekId, keyEpoch, keys, expiresAt, uses: 0 }
        remember(id, entry)
        return entry
      } finally {
        if (underWay.get(id) === started) underWay.delete(id)
      }
    }
    const started: Unwrapping = { dekId, keyEpoch, entry: Promise.resolve().then(finish) }
    underWay.set(id, started)
    return started
  }

  return {
    lookup: async (record, owner) => {
      sweep()
      // The owner is part of the name: keys in the cache were unwrapped for somebody, and are that one's only.
      const id = JSON.stringify([owner.env, owner.tenantId, owner.userId, record.dekId])
      const known = entries.get(id)
      if (known !== undefined && known.keyEpoch === record.keyEpoch && known.uses < maxUses) {
        known.uses += 1
        entries.delete(id)
        entries.set(id, known)
        return known.keys
      }
      if (known !== undefined) {
        // Another epoch withdraws the keys at once; being used up only means that the wrapper is asked again.
        if (known.keyEpoch === record.keyEpoch) retire(id, known)
        else destroy(id, known)
      }
      const started = underWay.get(id)
      const joined = started?.keyEpoch === record.keyEpoch ? started : unwrap(id, record, owner)
      const entry = await joined.entry
      entry.uses += 1
      return entry.keys
    },
    purge: (dekId) => {
      for (const [id, entry] of entries) {
        if (dekId === undefined || entry.dekId === dekId) destroy(id, entry)
      }
      for (const entry of retired.keys()) {
        if (dekId !== undefined && entry.dekId !== dekId) continue
        retired.delete(entry)
        entry.keys.destroy()
      }
      for (const [id, started] of underWay) {
        if (dekId === undefined || started.dekId === dekId) underWay.delete(id)
      }
    },
    sweep,
  }
}
