import type { Store } from '../store/store.ts'
import { refuseErasing } from './freezes.ts'
import { unlessLost } from './owner.ts'
import type { Owners } from './owner.ts'

/** So many networks and countries are remembered; the one that was not seen for longest is forgotten first. */
const remembered = 20
const yearMs = 365 * 24 * 60 * 60_000
/** That somebody comes from where they have been before is written down this often. */
const noticeMs = 24 * 60 * 60_000

/** Where somebody comes from, as far as that is known. */
export interface Place {
  readonly network: string
  /** Two letters; null where nobody says. */
  readonly country: string | null
}

/** What was never seen before. */
export interface News {
  readonly network: boolean
  readonly country: boolean
}

/** Whose places these are: a person in a browser, or one of their API keys. */
export interface Whose {
  readonly user: string
  /** Our id of the key; absent for a browser. */
  readonly key?: string
}

/** Where people and their keys have been, sealed for them. */
export interface Sightings {
  /** Remembers a place. The first one is no news: there is nothing to compare it with. */
  see(whose: Whose, place: Place): Promise<News>
}

interface Remembered {
  readonly networks: Readonly<Record<string, number>>
  readonly countries: Readonly<Record<string, number>>
}

const nowhere: Remembered = { networks: {}, countries: {} }

/** @returns the places kept in `store`: forgotten a year after somebody was last seen. */
export function createSightings({
  store,
  owners,
  now,
}: {
  readonly store: Store
  readonly owners: Owners
  /** Milliseconds since 1970. */
  readonly now: () => number
}): Sightings {
  return {
    see: async ({ user, key }, { network, country }) => {
      const own = key === undefined ? user : `${user}.${key}`
      const owner = await owners.of(user)
      return store.transact(async (transaction): Promise<News> => {
        await refuseErasing(transaction, user)
        const found = await transaction.get('sightings', own)
        const known =
          found === null
            ? null
            : unlessLost(() => owner.open<Remembered>('sightings', own, found.body))
        const { networks, countries } = known ?? nowhere
        const [wasThere, wasIn] = [at(networks, network), at(countries, country)]
        const isRecent = (time: number | null) => time !== null && time + noticeMs > now()
        if (!isRecent(wasThere) || (country !== null && !isRecent(wasIn))) {
          const places = {
            networks: latest({ ...networks, [network]: now() }),
            countries: country === null ? countries : latest({ ...countries, [country]: now() }),
          }
          const body = owner.seal('sightings', own, places satisfies Remembered)
          const expiresAt = now() + yearMs
          transaction.put('sightings', { key: own, fields: { user }, body, expiresAt })
        }
        return {
          network: wasThere === null && hasAny(networks),
          country: country !== null && wasIn === null && hasAny(countries),
        }
      })
    },
  }
}

function at(times: Readonly<Record<string, number>>, name: string | null): number | null {
  return name !== null && Object.hasOwn(times, name) ? (times[name] ?? null) : null
}

function hasAny(times: Readonly<Record<string, number>>): boolean {
  return Object.keys(times).length > 0
}

function latest(times: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const newest = Object.entries(times).toSorted(([, one], [, other]) => other - one)
  return Object.fromEntries(newest.slice(0, remembered))
}
