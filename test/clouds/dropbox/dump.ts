import type { DumpEntry } from '../simulated-cloud.ts'
import { forEachBelow, placeOf } from './tree.ts'
import type { Entry, Tree } from './tree.ts'

/** One item of a simulated Dropbox as a test compares it. */
interface DropboxDumpEntry extends DumpEntry {
  /** Dropbox's own hash; null for folders. */
  readonly contentHash: string | null
}

/** Display path without a slash at the front → item. */
export type DropboxDump = Readonly<Record<string, DropboxDumpEntry>>

/** Everything below the root. `readable` tells whether contents can be read back. */
export async function dumpTree(tree: Tree, readable: boolean): Promise<DropboxDump> {
  const entries: Entry[] = []
  forEachBelow(tree.root, (entry) => entry !== tree.root && entries.push(entry))
  const dump: Record<string, DropboxDumpEntry> = {}
  for (const entry of entries)
    dump[placeOf(entry).display.slice(1)] = await dumpEntry(entry, readable)
  return dump
}

async function dumpEntry(entry: Entry, readable: boolean): Promise<DropboxDumpEntry> {
  const { kind, id } = entry
  if (kind === 'folder')
    return { kind, id, size: null, sha256: null, modified: null, contentHash: null }
  const { content, contentHash, clientModified } = entry.data
  const sha256 = readable ? await content.hash('sha256') : null
  return { kind, id, size: content.size, sha256, modified: clientModified, contentHash }
}
