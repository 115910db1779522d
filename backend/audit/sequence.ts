import { hasCode } from '../../shared/errors.ts'
import {
  chainLeaves,
  keepHead,
  listUnsigned,
  listWaiting,
  readLog,
} from '../records/audit-chain.ts'
import type { Store } from '../store/store.ts'
import type { Signer } from '../vault/signer.ts'
import { formatKey, signNote } from './signed-note.ts'
import { headText } from './tree-head.ts'

/** What one transaction appends: its writes and details have room in every store. */
const LINES_AT_ONCE = 100
const PAGE = 400
/** Done at the same time, of different tenants. */
const TENANTS_AT_ONCE = 8
/** Looked at by one call: what is damaged stands first in line each time, and keeps nobody else waiting. */
const LOOKED_AT_MOST = 10_000

export interface SequenceDeps {
  readonly store: Store
  readonly signer: Signer
  /** In front of the name of each new log, for good. */
  readonly host: string
}

/**
 * Brings the acts that wait into their tenants' logs, and has the new heads signed. What waits is the front of an index, so
 * nobody looks at a tenant that has nothing to do. Safe to call at any time, by any number of processes, and to end
 * anywhere: a leaf becomes a line in the transaction in which the log grows, and only a head that is kept already is
 * signed, so that no two that were ever signed contradict each other.
 *
 * @returns how many leaves it found. Throws what went wrong with one of the logs once the others are done.
 */
export async function sequence(deps: SequenceDeps): Promise<number> {
  const { store } = deps
  let looked = 0
  const results: PromiseSettledResult<void>[] = []
  for await (const page of pages(
    async (from) => listWaiting(store, from),
    ({ key }) => key,
  )) {
    looked += page.length
    const byTenant = [...Map.groupBy(page, ({ tenant }) => tenant)]
    results.push(
      ...(await eachOf(byTenant, async ([tenant, leaves]) => {
        const keys = leaves.map(({ key }) => key)
        for (let at = 0; at < keys.length; at += LINES_AT_ONCE)
          await chainLeaves(
            store,
            tenant,
            keys.slice(at, at + LINES_AT_ONCE),
            originOf(deps, tenant),
          )
      })),
    )
    if (looked >= LOOKED_AT_MOST) break
  }
  for await (const page of pages(
    async (from) => listUnsigned(store, from),
    (tenant) => tenant,
  )) {
    const signed = await eachOf(page, async (tenant) => signHead(deps, tenant))
    results.push(...signed)
    if (signed.some(isWithoutKey)) break
  }
  const failed = results.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return looked
}

function originOf({ host }: SequenceDeps, tenant: string): string {
  return `${host}/audit/${tenant}`
}

/** Signs what is kept, never what is about to be: a transaction may run again with other leaves. */
async function signHead({ store, signer }: SequenceDeps, tenant: string): Promise<void> {
  const state = await readLog(store, tenant)
  if (state === null || state.signed >= state.size) return
  const { note, key } = await signNote(headText(state), state.origin, signer)
  await keepHead(store, tenant, { size: state.size, note, key: formatKey(key) })
}

async function* pages<T>(
  list: (from: { readonly after?: string; readonly limit: number }) => Promise<readonly T[]>,
  keyOf: (one: T) => string,
): AsyncGenerator<readonly T[]> {
  let after: string | undefined
  for (;;) {
    const page = await list(after === undefined ? { limit: PAGE } : { after, limit: PAGE })
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (page.length < PAGE || last === undefined) return
    after = keyOf(last)
  }
}

async function eachOf<T>(
  all: readonly T[],
  act: (one: T) => Promise<void>,
): Promise<readonly PromiseSettledResult<void>[]> {
  const results: PromiseSettledResult<void>[] = []
  for (let at = 0; at < all.length && !results.some(isWithoutKey); at += TENANTS_AT_ONCE)
    results.push(...(await Promise.allSettled(all.slice(at, at + TENANTS_AT_ONCE).map(act))))
  return results
}

/** One key signs for everybody: while it is away, each log that waits would be read for nothing, every minute. */
function isWithoutKey(result: PromiseSettledResult<void>): boolean {
  return result.status === 'rejected' && hasCode(result.reason, 'key_unavailable')
}
