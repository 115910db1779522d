import { WaybillError } from '../../shared/errors.ts'
import type { Item } from '../../shared/item.ts'
import type { Corpus, Source } from '../clouds/cloud.ts'
import { newRow, rewrite } from '../records/row.ts'
import type { Row } from '../records/row.ts'
import { freshCheckpoint } from './checkpoint.ts'
import type { Checkpoint } from './checkpoint.ts'
import { openDestination } from './open-destination.ts'
import { firstTodo, seen } from './merge-items.ts'
import { driveRows, parentOf, sharedDriveRow, topRow } from './roots.ts'
import type { Scan } from './scan.ts'

/** The corpus that every account has. */
export const ownCorpus = 'my-drive'

/**
 * Takes the change tokens, before anything is listed so that nothing falls between, and writes down the roots. A later
 * run begins from the tokens that the last one left.
 *
 * @throws WaybillError `source_missing` when nothing of what was picked is there
 */
export async function beginScan(scan: Scan): Promise<void> {
  const { work } = scan
  const { selection } = work.job.request.source
  const { memory } = work.job
  const folder = memory.folder ?? (await openDestination(work))
  const isFirst = work.number === 1
  const fresh: Checkpoint = {
    ...freshCheckpoint,
    begun: true,
    folder,
    cursor: memory.cursor,
    looked: isFirst,
    retaken: isFirst,
  }
  if (Object.keys(memory.tokens).length > 0) {
    const added = selection.kind === 'drive' && selection.sharedDrives ? await newDrives(scan) : []
    const tokens = await takeTokens(
      work.source,
      added.map((corpus) => corpus.id),
    )
    await scan.save(added.map(sharedDriveRow), 0, {
      ...fresh,
      tokens: { ...memory.tokens, ...tokens },
      corpora: added,
      changed: Object.keys(memory.tokens),
    })
    return
  }
  await listAnew(scan, fresh)
}

/**
 * Begins from the roots: in a first run, after one that ended before it was done, and when the source has lost the place
 * where its changes go on. What the ledger knows of them stays.
 *
 * @throws WaybillError `source_missing` when nothing of what was picked is there
 */
export async function listAnew(scan: Scan, checkpoint: Checkpoint): Promise<void> {
  const { work } = scan
  const first = await firstRoots(scan)
  const known = await work.rows.rows(first.rows.map((row) => row.item.id))
  const rows = first.rows.map((row, index) => onto(known[index] ?? null, row))
  await scan.save(rows, first.rows.length - 1, { ...checkpoint, changed: [], ...first.checkpoint })
}

/** @returns the root as it is found now, with what the ledger remembers of it. */
function onto(known: Row | null, found: Row): Row {
  if (known === null) return found
  if (found.lined === -1) return rewrite(known, { todo: found.todo })
  // What is not there has no name nor anything else: only that it is gone is news.
  const item = found.item.trashed ? { ...known.item, trashed: true } : found.item
  return seen(known, item, found.parentId, !item.trashed)
}

async function newDrives({ work }: Scan): Promise<readonly Corpus[]> {
  const drives = await work.source.sharedDrives()
  return drives.filter((corpus) => !Object.hasOwn(work.job.memory.tokens, corpus.id))
}

async function takeTokens(
  source: Source,
  corpora: readonly string[],
): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {}
  for (const corpus of corpora) tokens[corpus] = await source.changesToken(corpus)
  return tokens
}

async function firstRoots({ work }: Scan): Promise<{
  readonly rows: readonly Row[]
  readonly checkpoint: Pick<Checkpoint, 'tokens' | 'corpora'>
}> {
  const { source } = work
  const { selection } = work.job.request.source
  if (selection.kind === 'drive') {
    const shared = selection.sharedDrives ? await source.sharedDrives() : []
    const corpora = [await source.ownDrive(), ...shared]
    const tokens = await takeTokens(
      source,
      corpora.map((corpus) => corpus.id),
    )
    return { rows: [topRow(selection), ...driveRows(corpora)], checkpoint: { tokens, corpora } }
  }
  const ids = selection.kind === 'folder' ? [selection.id] : selection.ids
  const tokens = await takeTokens(source, [ownCorpus])
  const items: Item[] = []
  for (const id of ids) {
    let item = await source.get(id)
    if (item !== null && !Object.hasOwn(tokens, item.corpus)) {
      Object.assign(tokens, await takeTokens(source, [item.corpus]))
      // Once more: what happened before the token was taken would never be heard of.
      item = await source.get(id)
    }
    if (item !== null && !item.trashed) items.push(item)
    else if (selection.kind === 'items') items.push(missing(id))
  }
  if (items.every((item) => item.trashed))
    throw new WaybillError(
      'source_missing',
      'What was picked is not there any more, or you have no access to it.',
    )
  if (selection.kind === 'folder') {
    const [item] = items
    if (item?.kind !== 'folder')
      throw new WaybillError('source_missing', 'What was picked as a folder is not a folder.')
    const top = { ...topRow(selection), todo: 'list' as const }
    const corpora =
      item.corpus === ownCorpus ? tokens : { [item.corpus]: tokens[item.corpus] ?? '' }
    return { rows: [top], checkpoint: { tokens: corpora, corpora: [] } }
  }
  const rows = items.map((item) => newRow(item, parentOf(selection, item), firstTodo(item, true)))
  return { rows: [topRow(selection), ...rows], checkpoint: { tokens, corpora: [] } }
}

/** @returns what stands in the ledger for a picked item that is not there, so that the receipt has a line for it. */
function missing(id: string): Item {
  return {
    id,
    kind: 'file',
    name: id,
    parentId: null,
    mimeType: '',
    size: null,
    modifiedAt: new Date(0).toISOString(),
    version: '',
    hashes: {},
    exports: [],
    targetId: null,
    canDownload: false,
    ownedByMe: false,
    trashed: true,
    corpus: ownCorpus,
  }
}
