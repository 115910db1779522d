import type { ErrorCode } from '../../shared/errors.ts'
import type { ReceiptLine } from '../../shared/receipt.ts'
import type { Dump, DumpEntry } from '../clouds/simulated-cloud.ts'

/** What lies in both clouds, looked at behind Waybill's back, and what Waybill's receipts say about it. */
export interface Evidence {
  readonly source: Dump
  readonly destination: Dump
  /** Of all runs, in order. They are asked only which copy belongs to which item: never whether it is right. */
  readonly lines: readonly ReceiptLine[]
  /** Ids of documents → sha256 of what the source exports them to, in the copy's format. */
  readonly exports: ReadonlyMap<string, string>
  /** Ids of items that nobody could copy → the only reason that counts. */
  readonly expected: ReadonlyMap<string, ErrorCode>
  /** What lay at the destination before, and has to lie there as it was: path → sha256. */
  readonly others: ReadonlyMap<string, string>
}

export interface Comparison {
  /** Files and documents of the source that have to be at the destination, and how many of them are, bit for bit. */
  readonly files: number
  readonly proven: number
  readonly folders: number
  readonly provenFolders: number
  /** Ids of proven items → where their copies are. */
  readonly places: ReadonlyMap<string, string>
  /** Items that were left out for exactly the reason that was expected. */
  readonly accounted: readonly {
    readonly id: string
    readonly path: string
    readonly reason: ErrorCode
  }[]
  /** Copies of what has left the source meanwhile: they stay. */
  readonly kept: number
  /** Everything that is not as it should be. Empty if and only if the copy is proven. */
  readonly wrong: readonly { readonly path: string; readonly what: string }[]
}

/**
 * Compares two clouds item by item: content, size, date, folder, and that nothing is there which nobody put there.
 *
 * @returns what was found; an item counts as proven only if nothing at all is wrong with it
 */
export function compareTrees(evidence: Evidence): Comparison {
  const { source, destination, expected, others } = evidence
  const latest = new Map(evidence.lines.map((line) => [line.source.id, line]))
  const copies = new Map(Object.entries(destination).map(([path, entry]) => [entry.id, path]))
  const placeOf = (id: string): string | undefined =>
    copies.get(latest.get(id)?.destination?.id ?? '')
  const wrong: { path: string; what: string }[] = []
  const accounted: { id: string; path: string; reason: ErrorCode }[] = []
  const places = new Map<string, string>()
  const taken = new Set<string>()
  let [files, folders, proven, provenFolders] = [0, 0, 0, 0]

  for (const [path, entry] of Object.entries(source)) {
    const line = latest.get(entry.id)
    const reason = expected.get(entry.id)
    if (reason !== undefined && line?.reason === reason) {
      accounted.push({ id: entry.id, path, reason })
      continue
    }
    if (entry.kind === 'folder') folders += 1
    else files += 1
    const to = placeOf(entry.id)
    const copy = to === undefined ? undefined : destination[to]
    const what =
      to === undefined || copy === undefined
        ? line === undefined
          ? 'no receipt speaks of it'
          : `it has no copy (${line.reason ?? line.outcome})`
        : taken.has(to)
          ? 'its copy is that of another item, too'
          : difference(evidence, path, entry, to, copy, placeOf)
    if (to !== undefined) taken.add(to)
    if (what !== null || to === undefined) {
      wrong.push({ path, what: what ?? 'it has no copy' })
      continue
    }
    places.set(entry.id, to)
    if (entry.kind === 'folder') provenFolders += 1
    else proven += 1
  }

  let kept = 0
  const above = foldersAbove([...taken, ...others.keys()])
  const present = new Set(Object.values(source).map(({ id }) => id))
  for (const line of latest.values()) {
    const path = placeOf(line.source.id)
    if (path === undefined || present.has(line.source.id) || taken.has(path)) continue
    if (line.reason !== 'left_selection') continue
    taken.add(path)
    kept += 1
  }
  for (const [path, sha256] of others)
    if (destination[path]?.sha256 !== sha256)
      wrong.push({ path, what: 'it lay at the destination before, and was changed' })
  for (const path of Object.keys(destination))
    if (!taken.has(path) && !others.has(path) && !above.has(path))
      wrong.push({ path, what: 'it is at the destination and nowhere else' })
  return { files, proven, folders, provenFolders, places, accounted, kept, wrong }
}

/** @returns in what a copy is not as it should be, or null. */
function difference(
  { source, exports }: Evidence,
  path: string,
  entry: DumpEntry,
  to: string,
  copy: DumpEntry,
  placeOf: (id: string) => string | undefined,
): string | null {
  const parent = folderOf(source, path)
  if (parent !== undefined && placeOf(parent.id) !== to.slice(0, to.lastIndexOf('/')))
    return 'its copy is in another folder'
  if (entry.kind === 'folder') return copy.kind === 'folder' ? null : 'its copy is no folder'
  if (copy.kind !== 'file') return 'its copy is no file'
  const sha256 = entry.kind === 'document' ? (exports.get(entry.id) ?? null) : entry.sha256
  if (sha256 === null) return 'there is nothing to compare its copy with'
  if (entry.kind === 'file' && entry.size !== copy.size) return 'its copy has another size'
  if (sha256 !== copy.sha256) return 'its copy has another content'
  return second(entry.modified) === second(copy.modified) ? null : 'its copy has another date'
}

/** The folder an item lies in. A name may hold slashes, so the longest beginning that is a folder's path counts. */
function folderOf(source: Dump, path: string): DumpEntry | undefined {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const entry = source[path.slice(0, at)]
    if (entry?.kind === 'folder') return entry
  }
  return undefined
}

function foldersAbove(paths: readonly string[]): ReadonlySet<string> {
  const above = new Set<string>()
  for (const path of paths)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (above.has(path.slice(0, at))) break
      above.add(path.slice(0, at))
    }
  return above
}

/** Dropbox keeps whole seconds. */
function second(time: string | null): number {
  return Math.floor(Date.parse(time ?? '') / 1000)
}
