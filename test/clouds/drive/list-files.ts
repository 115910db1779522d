import type { Answer, Call } from '../call.ts'
import { hash32 } from '../random.ts'
import { fileNotFound, invalidParameter } from './errors.ts'
import { checkMask, inside, masked, parseFieldMask, wants } from './field-mask.ts'
import type { FieldMask } from './field-mask.ts'
import type { Item } from './item.ts'
import { isRoot, listCorpus, numberParameter } from './listing.ts'
import { parentsNamed, parseQuery } from './query.ts'
import { matcher } from './query-match.ts'
import { defaultFileFields, fileFields, renderFile } from './render-file.ts'
import type { RenderContext } from './render-file.ts'
import type { DriveState } from './state.ts'

/** What a listing can be made to do wrong. */
export interface ListingTrouble {
  /** That many of the next listings across all drives say that they did not look everywhere. */
  incomplete: number
  /** Page tokens of earlier epochs are refused. */
  epoch: number
}

const listFields: ReadonlySet<string> = new Set([
  'kind',
  'nextPageToken',
  'incompleteSearch',
  'files',
])
const defaultMask: FieldMask = new Map([
  ['kind', null],
  ['nextPageToken', null],
  ['incompleteSearch', null],
  ['files', defaultFileFields],
])

/** files.list. */
export async function listFiles(
  call: Call,
  context: RenderContext,
  trouble: ListingTrouble,
): Promise<Answer> {
  const { state } = context
  const { query } = call
  const size = numberParameter(query, 'pageSize', 100, 1000)
  const fields = query.get('fields')
  const mask = fields === null ? defaultMask : parseFieldMask(fields)
  checkMask(mask, listFields)
  checkMask(inside(mask, 'files'), fileFields)
  const spaces = query.get('spaces') ?? 'drive'
  if (!/^(drive|appDataFolder)(,(drive|appDataFolder))*$/.test(spaces))
    throw invalidParameter('spaces')

  const q = query.get('q')
  const parsed = q === null || q.trim() === '' ? null : parseQuery(q)
  const parents = parsed === null ? null : parentsNamed(parsed)
  const corpus = listCorpus(state, query, parents)
  for (const id of parents ?? []) if (state.get(id) === undefined) throw fileNotFound(id)
  const matches = parsed === null ? () => true : matcher(parsed, state.rootId, context.email)
  const wanted = (item: Item): boolean =>
    corpus.shows(item) && matches(item) && !isRoot(state, item)

  const order = query.get('orderBy')
  const asked = ['q', 'corpora', 'driveId', 'orderBy', 'spaces'].map((name) => query.get(name))
  const shape = hash32(JSON.stringify([trouble.epoch, asked]))
  const start = readToken(query.get('pageToken'), shape)
  const page = spaces.includes('drive')
    ? take(state, parents, wanted, order, start, size)
    : { items: [], next: null }

  const incomplete = trouble.incomplete > 0 && (corpus.allDrives || corpus.driveId === null)
  if (incomplete) trouble.incomplete--
  const fileMask = inside(mask, 'files')
  const files = []
  if (wants(mask, 'files'))
    for (const item of page.items) files.push(await renderFile(item, fileMask, context))
  const top = {
    kind: 'drive#fileList',
    ...(page.next === null ? {} : { nextPageToken: writeToken(page.next, shape) }),
    incompleteSearch: incomplete,
  }
  const json = { ...masked(top, mask), ...(wants(mask, 'files') ? { files } : {}) }
  return { json }
}

interface Page {
  readonly items: readonly Item[]
  /** Where the next page starts, or null. */
  readonly next: number | null
}

/** Without an order, `start` is a sequence number, so that a long listing never looks at an item twice. */
function take(
  state: DriveState,
  parents: readonly string[] | null,
  wanted: (item: Item) => boolean,
  order: string | null,
  start: number,
  size: number,
): Page {
  if (order !== null) {
    const all = candidates(state, parents, 0).filter(wanted).toSorted(sorter(order))
    return {
      items: all.slice(start, start + size),
      next: start + size < all.length ? start + size : null,
    }
  }
  const items: Item[] = []
  const from = parents === null ? state.items : candidates(state, parents, start)
  for (let at = parents === null ? start : 0; at < from.length; at++) {
    const item = from[at]
    if (item === undefined || !wanted(item)) continue
    if (items.length === size) return { items, next: item.sequence }
    items.push(item)
  }
  return { items, next: null }
}

function candidates(
  state: DriveState,
  parents: readonly string[] | null,
  start: number,
): readonly Item[] {
  if (parents === null) return state.items.filter((item) => item !== undefined)
  const ids = new Set(parents.map((id) => state.get(id)?.id ?? id))
  const all = [...ids].flatMap((id) => state.children(id)).filter((item) => item.sequence >= start)
  return all.toSorted((a, b) => a.sequence - b.sequence)
}

const keys: Readonly<Record<string, (a: Item, b: Item) => number>> = {
  createdTime: (a, b) => a.createdTime - b.createdTime,
  folder: (a, b) => Number(b.mimeType.endsWith('.folder')) - Number(a.mimeType.endsWith('.folder')),
  modifiedTime: (a, b) => a.modifiedTime - b.modifiedTime,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  name_natural: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  quotaBytesUsed: (a, b) => (a.content?.size ?? 0) - (b.content?.size ?? 0),
  recency: (a, b) => a.modifiedTime - b.modifiedTime,
  sharedWithMeTime: (a, b) => (a.sharedWithMe ?? 0) - (b.sharedWithMe ?? 0),
  starred: (a, b) => Number(a.starred) - Number(b.starred),
}

function sorter(order: string): (a: Item, b: Item) => number {
  const steps = order.split(',').map((step) => {
    const [key = '', direction, ...rest] = step.trim().split(/\s+/)
    const compare = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (compare === undefined || rest.length > 0 || !['asc', 'desc', undefined].includes(direction))
      throw invalidParameter('orderBy')
    return direction === 'desc' ? (a: Item, b: Item) => compare(b, a) : compare
  })
  return (a, b) => {
    for (const step of steps) {
      const difference = step(a, b)
      if (difference !== 0) return difference
    }
    return a.sequence - b.sequence
  }
}

function writeToken(start: number, shape: number): string {
  return `~!!~${Buffer.from(`${shape}:${start}`).toString('base64url')}`
}

function readToken(token: string | null, shape: number): number {
  if (token === null) return 0
  const text = token.startsWith('~!!~') ? Buffer.from(token.slice(4), 'base64url').toString() : ''
  const start = new RegExp(`^${shape}:(\\d+)$`).exec(text)?.[1]
  if (start === undefined) throw invalidParameter('pageToken')
  return Number(start)
}
