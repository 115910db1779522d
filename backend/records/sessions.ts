import type { Document, Store } from '../store/store.ts'
import { putLeaf, unlessKeysAway } from './audit-lines.ts'
import type { Act, Leaf } from './audit-lines.ts'
import { refuseErasing } from './freezes.ts'
import { hashed, isSecret, newSecret } from './hashed-secret.ts'
import { unlessLost } from './owner.ts'
import type { Owner, Owners } from './owner.ts'

const idleMs = 30 * 60_000
const absoluteMs = 12 * 60 * 60_000
/** That somebody is still there is written down this often. */
const noticeMs = 60_000
const sessionsAtOnce = 100

/** A browser in which somebody is signed in. */
export interface Session extends Begun {
  /** When they signed in, in milliseconds since 1970. */
  readonly begunAt: number
}

/** Somebody who has just signed in. */
interface Begun {
  readonly user: string
  /** How their account is called: usually an e-mail address. Null for the owner of a Waybill on one machine. */
  readonly label: string | null
}

/**
 * Sessions of browsers: known by the hash of a 256-bit secret that only the browser has, over after 30 minutes in which it
 * asked for nothing, and 12 hours after their beginning at the latest.
 */
export interface Sessions {
  /** Begins one; returns the secret for the browser. */
  begin(session: Begun): Promise<string>
  /** Who is signed in; null for anything but the secret of a session that is not over. Notices that they are there. */
  find(secret: unknown): Promise<Session | null>
  /** Ends one; it may be over already. */
  end(secret: unknown): Promise<void>
  /** Ends all of a person; returns how many there were. */
  endAll(user: string): Promise<number>
}

/** @returns the sessions kept in `store`, their labels sealed for the people they are of, their beginnings and ends told of by what `leaf` makes. */
export function createSessions({
  store,
  owners,
  leaf,
  now,
  random,
}: {
  readonly store: Store
  readonly owners: Owners
  readonly leaf: (user: string, act: Act) => Promise<Leaf>
  readonly now: () => number
  readonly random: (bytes: number) => Uint8Array
}): Sessions {
  const open = (owner: Owner, { key, fields, body }: Document): Session | null =>
    unlessLost(() => ({
      user: owner.user,
      begunAt: Number(fields['createdAt']),
      label: owner.open<string | null>('sessions', key, body),
    }))

  const notice = async (key: string): Promise<void> =>
    store.transact(async (transaction) => {
      const found = await transaction.get('sessions', key)
      if (found !== null) transaction.put('sessions', { ...found, ...seenAt(found, now()) })
    })

  return {
    begin: async (session) => {
      const secret = newSecret(random)
      const key = hashed('session', secret)
      const owner = await owners.of(session.user)
      const body = owner.seal('sessions', key, session.label)
      const begun = { user: session.user, createdAt: now() }
      const line = await leaf(session.user, { act: 'signed_in', target: null, details: {} })
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, session.user)
        transaction.put('sessions', { key, body, ...seenAt({ fields: begun }, now()) })
        putLeaf(transaction, line)
      })
      return secret
    },
    find: async (secret) => {
      if (!isSecret(secret)) return null
      const key = hashed('session', secret)
      const found = await store.get('sessions', key)
      if (found === null) return null
      if (Number(found.fields['seenAt']) + noticeMs <= now()) await notice(key)
      return open(await owners.of(String(found.fields['user'])), found)
    },
    end: async (secret) => {
      if (!isSecret(secret)) return
      const key = hashed('session', secret)
      const found = await store.get('sessions', key)
      if (found === null) return
      const act = { act: 'signed_out', target: null, details: {} } as const
      const line = await unlessKeysAway(leaf(String(found.fields['user']), act))
      await store.transact(async (transaction) => {
        if ((await transaction.get('sessions', key)) === null) return
        transaction.remove('sessions', key)
        if (line !== undefined) putLeaf(transaction, line)
      })
    },
    endAll: async (user) => {
      let ended = 0
      for (;;) {
        const query = { collection: 'sessions', where: { user }, limit: sessionsAtOnce } as const
        const found = await store.list(query)
        await store.transact(async (transaction) => {
          for (const { key } of found) transaction.remove('sessions', key)
        })
        ended += found.length
        if (found.length < sessionsAtOnce) return ended
      }
    },
  }
}

function seenAt({ fields }: Pick<Document, 'fields'>, now: number) {
  const latest = Number(fields['createdAt']) + absoluteMs
  return { fields: { ...fields, seenAt: now }, expiresAt: Math.min(now + idleMs, latest) }
}
