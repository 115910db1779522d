import type { ExportLine } from '../../shared/export.ts'
import { actorOf } from '../records/audit-lines.ts'
import type { Owners } from '../records/owner.ts'
import { createRevocations } from '../records/revocations.ts'
import type { Collection, Document, Query, Store } from '../store/store.ts'
import { kinds, linesOf } from './kinds.ts'
import type { Kind } from './kinds.ts'

export interface ExportDeps {
  readonly store: Store
  readonly owners: Owners
  /** Milliseconds since 1970. */
  readonly now: () => number
}

type Listed = Extract<Kind, { readonly name: string }>

const collections = Object.keys(kinds).filter((name): name is Collection =>
  Object.hasOwn(kinds, name),
)

/** Bodies of some collections have 200 KiB. */
const PAGE = 12

const about =
  'All that Waybill keeps about you, opened, one JSON value on each line: this header, then lines of the kinds named here, then a line that says how many lines these were. No token is in it: tokens are secrets between your providers and Waybill, and you get new ones by connecting again. What you copied is not kept here at all.'

/**
 * Exports all that is kept about a person, page by page: little of it is in memory at any time. What changes meanwhile is
 * there as it was or as it is.
 *
 * @returns JSON texts without line ends. Throws `key_unavailable`, and what the store throws.
 */
export async function* exportPerson(deps: ExportDeps, user: string): AsyncGenerator<string> {
  const { now } = deps
  const every = Object.entries(kinds)
  const named = every.flatMap(([, kind]) => ('name' in kind ? [[kind.name, kind.about]] : []))
  const leftOut = every.flatMap(([name, kind]) => ('leftOut' in kind ? [[name, kind.leftOut]] : []))
  const at = new Date(now()).toISOString()
  yield textOf({
    export: {
      version: 1,
      at,
      user,
      about,
      kinds: Object.fromEntries(named),
      leftOut: Object.fromEntries(leftOut),
    },
  })
  let lines = 0
  for await (const line of linesAbout(deps, user)) {
    yield textOf(line)
    lines += 1
  }
  yield textOf({ end: { lines } })
}

async function* linesAbout(deps: ExportDeps, user: string): AsyncGenerator<ExportLine> {
  for (const { collection, kind } of listedBy('key')) {
    const found = await deps.store.get(collection, user)
    if (found !== null) yield* opened(deps, user, kind, [found])
  }
  for (const { collection, kind } of listedBy('user'))
    for await (const page of pages(deps.store, { collection, where: { user } })) {
      yield* opened(deps, user, kind, page)
      if (collection === 'jobs') for (const { key } of page) yield* linesOfJob(deps, user, key)
      if (collection === 'revocations') yield* revokedAccounts(deps, user)
    }
  const actor = actorOf(await deps.owners.of(user))
  for (const { collection, kind } of listedBy('actor'))
    for await (const page of pages(deps.store, { collection, where: { actor } }))
      yield* opened(deps, user, kind, page)
}

/** Keys of what belongs to a job begin with the job's and go on with `-` or `.`, which sort before `0`. */
async function* linesOfJob(
  deps: ExportDeps,
  user: string,
  job: string,
): AsyncGenerator<ExportLine> {
  for (const { collection, kind } of listedBy('job'))
    for await (const page of pages(deps.store, {
      collection,
      where: {},
      after: job,
      before: `${job}0`,
    }))
      yield* opened(deps, user, kind, page)
}

async function* opened(
  { owners }: ExportDeps,
  user: string,
  kind: Listed,
  documents: readonly Document[],
): AsyncGenerator<ExportLine> {
  const owner = await owners.of(user)
  for (const document of documents)
    for (const data of linesOf(kind, owner, document)) yield { kind: kind.name, data }
}

/** Sealed with keys of their own, which only a revocation has. */
async function* revokedAccounts(
  { store, owners, now }: ExportDeps,
  user: string,
): AsyncGenerator<ExportLine> {
  const revocations = createRevocations(store, owners, now)
  for (const each of await revocations.list({ user })) {
    const accountId = (await revocations.open(each))?.accountId ?? null
    yield { kind: 'revocation', data: { id: each.id, accountId } }
  }
}

function listedBy(by: Listed['by']) {
  return collections.flatMap((collection) => {
    const kind = kinds[collection]
    return 'name' in kind && kind.by === by ? [{ collection, kind }] : []
  })
}

async function* pages(
  store: Store,
  query: Omit<Query, 'limit'>,
): AsyncGenerator<readonly Document[]> {
  for (let from = query; ;) {
    const page = await store.list({ ...from, limit: PAGE })
    if (page.length > 0) yield page
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    from = { ...query, after: last.key }
  }
}

function textOf(line: ExportLine): string {
  return JSON.stringify(line)
}
