import type { AuditEntry, AuditExport, AuditLine } from '../../shared/audit.ts'
import { readLog, signedHeads } from '../records/audit-chain.ts'
import { entryOf, linesFrom, personalTenant } from '../records/audit-lines.ts'
import type { Owners } from '../records/owner.ts'
import type { Document, Store } from '../store/store.ts'
import type { TenantOf } from './acts.ts'

/** A page of a log. */
export interface AuditPage {
  readonly lines: readonly AuditEntry[]
  /** Number of the first line of the next page; null at the end. */
  readonly next: number | null
}

/** The log of what was done in a person's tenant, as that person may see it: of a domain's, their own lines. An act is in it within a minute. */
export interface AuditLog {
  /** Oldest first, from the line with a number on. Details are opened for their owner. */
  list(user: string, page: { readonly from: number; readonly limit: number }): Promise<AuditPage>
  /** The log up to its newest signed head as JSON texts without line ends: what `verifyLog` reads. */
  export(user: string): AsyncIterable<string>
}

/**
 * @param deps.tenantOf as that of `createActs`
 * @param deps.refuseExport throws for whoever may not have the whole log of their tenant; nobody is refused unless given
 */
export function createAuditLog(deps: {
  readonly store: Store
  readonly owners: Owners
  readonly tenantOf?: TenantOf
  readonly refuseExport?: (user: string) => Promise<void>
}): AuditLog {
  const { store, owners, tenantOf = personalTenant, refuseExport } = deps

  return {
    list: async (user, page) => {
      const owner = await owners.of(user)
      const tenant = await tenantOf(owner)
      const isOwn = tenant === personalTenant(owner)
      const actor = owner.blind('actor', user)
      // What others of a domain do is for its administrators.
      return listLog(store, tenant, page, (line, document) =>
        isOwn || line.actor === actor ? entryOf(owner, line, document) : null,
      )
    },
    export: (user) => exportLog({ store, owners, tenantOf, refuseExport }, user),
  }
}

/**
 * @param entryFor makes an entry of a line and of the document that keeps it; null leaves it out
 * @returns a page of a tenant's log, oldest first
 */
export async function listLog(
  store: Store,
  tenant: string,
  { from, limit }: { readonly from: number; readonly limit: number },
  entryFor: (line: AuditLine, document: Document) => AuditEntry | null,
): Promise<AuditPage> {
  const { size } = (await readLog(store, tenant)) ?? { size: 0 }
  const until = Math.min(from + limit, size)
  const lines: AuditEntry[] = []
  for (let next = from; next < until;) {
    const found = await linesFrom(store, tenant, next)
    const some = found.filter(({ line }) => line.number < until)
    const entries = some.map(({ line, document }) => entryFor(line, document))
    lines.push(...entries.filter((entry) => entry !== null))
    // A line that is missing is left out, never waited for.
    next = (some.at(-1)?.line.number ?? until) + 1
  }
  return { lines, next: until < size ? until : null }
}

async function* exportLog(
  deps: {
    readonly store: Store
    readonly owners: Owners
    readonly tenantOf: TenantOf
    readonly refuseExport: ((user: string) => Promise<void>) | undefined
  },
  user: string,
): AsyncGenerator<string> {
  const { store, owners } = deps
  await deps.refuseExport?.(user)
  const tenant = await deps.tenantOf(await owners.of(user))
  const keys = new Set<string>()
  for await (const { key } of signedHeads(store, tenant)) keys.add(key)
  for (const key of keys) yield textOf({ key })
  let number = 0
  // There may be a head for each line: what was read for one is kept for the next.
  let held: Awaited<ReturnType<typeof linesFrom>> = []
  for await (const { size, note, key } of signedHeads(store, tenant)) {
    // Signed with a key that was new while this was read: whoever reads it has to hear of that first.
    if (!keys.has(key)) return
    while (number < size) {
      if (held.length === 0) held = await linesFrom(store, tenant, number)
      const some = held.filter(({ line }) => line.number < size)
      held = held.slice(some.length)
      const owner = await owners.of(user)
      for (const { line, document } of some) yield textOf(entryOf(owner, line, document))
      // Missing lines show when the export is verified.
      number = (some.at(-1)?.line.number ?? size) + 1
    }
    yield textOf({ head: note })
  }
}

function textOf(line: AuditExport): string {
  return JSON.stringify(line)
}
