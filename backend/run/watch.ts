import type { Place, Sightings, Whose } from '../records/sightings.ts'
import type { Alarms } from './alarms.ts'

const mostSeen = 10_000
/** A place is looked up again after so long, so that it is remembered that somebody is still there. */
const freshMs = 60 * 60_000

/** Watches where people and their keys come from. */
export interface Watch {
  /** Raises an alarm for a network or a country that was never seen of them. */
  seen(whose: Whose, place: Place): Promise<void>
}

/** @returns a watch that asks the store once an hour for each place. */
export function createWatch({
  sightings,
  alarms,
  now,
}: {
  readonly sightings: Sightings
  readonly alarms: Alarms
  /** Milliseconds since 1970. */
  readonly now: () => number
}): Watch {
  const lately = new Map<string, number>()
  return {
    seen: async (whose, place) => {
      const name = JSON.stringify([whose.user, whose.key, place.network, place.country])
      if ((lately.get(name) ?? 0) > now() - freshMs) return
      const news = await sightings.see(whose, place)
      if (lately.size >= mostSeen) lately.clear()
      lately.set(name, now())
      if (whose.key !== undefined) {
        if (news.network || news.country) await alarms.raise(whose.user, 'key_new_network')
      } else if (news.country) await alarms.raise(whose.user, 'new_country')
      else if (news.network) await alarms.raise(whose.user, 'new_network')
    },
  }
}
