import type { Store } from '../store/store.ts'
import { putLeaf } from './audit-lines.ts'
import type { Leaf } from './audit-lines.ts'
import { refuseErasing } from './freezes.ts'
import type { Owners } from './owner.ts'

/** How long picked files wait for the job that they were picked for, in milliseconds. */
const picksMs = 24 * 60 * 60_000

/** The files that a person has picked in a Drive of theirs, until a job takes them. */
export interface Picks {
  /** Takes the place of what was picked before. At most 1,000 ids of the provider, sealed for the person; `leaf` tells of it. */
  keep(user: string, connection: string, ids: readonly string[], leaf: Leaf): Promise<void>
  /** What was picked in the last day, and when, in milliseconds since 1970; null if nothing was. */
  find(
    user: string,
    connection: string,
  ): Promise<{ readonly ids: readonly string[]; readonly pickedAt: number } | null>
}

/** @returns what people pick, kept in `store`, a document for each connection. */
export function createPicks({
  store,
  owners,
  now,
}: {
  readonly store: Store
  readonly owners: Owners
  readonly now: () => number
}): Picks {
  return {
    keep: async (user, connection, ids, leaf) => {
      const body = (await owners.of(user)).seal('picks', connection, ids)
      const fields = { user, pickedAt: now() }
      const expiresAt = now() + picksMs
      await store.transact(async (transaction) => {
        await refuseErasing(transaction, user)
        transaction.put('picks', { key: connection, fields, body, expiresAt })
        putLeaf(transaction, leaf)
      })
    },
    find: async (user, connection) => {
      const found = await store.get('picks', connection)
      if (found === null || found.fields['user'] !== user) return null
      const ids = (await owners.of(user)).open<readonly string[]>('picks', connection, found.body)
      return { ids, pickedAt: Number(found.fields['pickedAt']) }
    },
  }
}
