import type { Document } from '../store/store.ts'
import type { ManifestPages, Page } from './manifest-pages.ts'
import type { Row, Todo } from './row.ts'

/** About 600 bytes a row, sealed at once. */
const ROWS_PER_PAGE = 300
/** A page with fewer is filled up before another is begun. */
const ROOMY = 150

/**
 * The rows that wait for something, in sealed pages of rows that wait for the same. A page is written anew as rows leave
 * it and removed with its last one. In memory are only ids and page numbers, about 100 bytes a row.
 */
export interface Manifest {
  has(sourceId: string): boolean
  /** Whether any row waits for this. */
  waits(todo: Todo): boolean
  /** The rows that are in the manifest, by source id. */
  rows(sourceIds: readonly string[]): Promise<ReadonlyMap<string, Row>>
  /** The rows of the oldest page of those that wait for this; none if nothing does. */
  first(todo: Todo): Promise<readonly Row[]>
  /** Page by page, from the oldest, those that wait for this; what is added meanwhile is not among them. */
  pages(todo: Todo): AsyncGenerator<readonly Row[]>
  /** The rows that count as lying in a folder. */
  children(sourceId: string): Promise<readonly Row[]>
  /** Source ids of the rows that hold these places, by place. */
  holders(slots: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** How many pages that are there a change to these rows would write anew. */
  pagesOf(rows: readonly Row[]): number
  /** Works out what to write so that `waiting` are in the manifest and `over` are not; changes nothing yet. */
  prepare(waiting: readonly Row[], over: readonly string[]): Promise<Prepared>
}

export interface Prepared {
  readonly documents: readonly Document[]
  /** Keys of pages that are empty by then. */
  readonly removed: readonly string[]
  /** To be called once these writes have landed. */
  readonly landed: () => void
}

interface Edit {
  readonly todo: Todo
  readonly rows: Map<string, Row>
}

/** @returns a job's manifest, after reading each of its pages once to know which rows are where. */
export async function openManifest(pages: ManifestPages): Promise<Manifest> {
  const todos = new Map<number, Todo>()
  const counts = new Map<number, number>()
  const places = new Map<string, number>()
  let newest = 0
  for await (const { number, todo, rows } of pages.all()) {
    todos.set(number, todo)
    counts.set(number, rows.length)
    for (const { item } of rows) places.set(item.id, number)
    newest = number
  }
  // Read when they are first asked for.
  let parents: Map<string, Set<string>> | null = null
  let slots: Map<string, string> | null = todos.size === 0 ? new Map() : null

  const numbersOf = (todo: Todo): readonly number[] =>
    [...todos].flatMap(([number, each]) => (each === todo ? [number] : []))
  const learn = (row: Row): void => {
    if (row.slot !== null) slots?.set(row.slot, row.item.id)
    if (parents === null || row.parentId === null) return
    parents.set(row.parentId, (parents.get(row.parentId) ?? new Set()).add(row.item.id))
  }
  const learnAll = async (): Promise<void> => {
    for (const number of todos.keys()) for (const row of await pages.read(number)) learn(row)
  }
  const rowsById = async (ids: Iterable<string>): Promise<ReadonlyMap<string, Row>> => {
    const wanted = new Map<number, Set<string>>()
    for (const id of ids) {
      const number = places.get(id)
      if (number !== undefined) wanted.set(number, (wanted.get(number) ?? new Set()).add(id))
    }
    const found = new Map<string, Row>()
    for (const [number, some] of wanted)
      for (const row of await pages.read(number))
        if (some.has(row.item.id)) found.set(row.item.id, row)
    return found
  }

  /** @returns the pages that change, and the rows that were in them and are changed. */
  const edit = async (waiting: readonly Row[], over: readonly string[]) => {
    const edits = new Map<number, Edit>()
    const before: Row[] = []
    const added = new Map<Todo, Row[]>()
    const begin = async (number: number, todo: Todo): Promise<Edit> => {
      const rows = (await pages.read(number)).map((row) => [row.item.id, row] as const)
      const begun = edits.get(number) ?? { todo, rows: new Map(rows) }
      edits.set(number, begun)
      return begun
    }
    const wanted = new Map<string, Row | null>(over.map((id) => [id, null]))
    for (const row of waiting) wanted.set(row.item.id, row)
    for (const [id, row] of wanted) {
      const number = places.get(id)
      const todo = number === undefined ? undefined : todos.get(number)
      if (number !== undefined && todo !== undefined) {
        const { rows } = edits.get(number) ?? (await begin(number, todo))
        const old = rows.get(id)
        if (old !== undefined) before.push(old)
        if (row?.todo === todo) rows.set(id, row)
        else rows.delete(id)
      }
      if (row === null || row.todo === todo) continue
      const others = added.get(row.todo)
      if (others === undefined) added.set(row.todo, [row])
      else others.push(row)
    }
    let last = newest
    for (const [todo, rows] of added) {
      const number = numbersOf(todo).at(-1)
      const isRoomy = number !== undefined && (counts.get(number) ?? 0) < ROOMY
      let page = isRoomy ? await begin(number, todo) : null
      for (const row of rows) {
        if (page === null || page.rows.size >= ROWS_PER_PAGE) {
          page = { todo, rows: new Map() }
          edits.set((last += 1), page)
        }
        page.rows.set(row.item.id, row)
      }
    }
    return { edits, before, last }
  }

  return {
    has: (id) => places.has(id),
    waits: (todo) => numbersOf(todo).length > 0,
    rows: rowsById,
    first: async (todo) => {
      const [number] = numbersOf(todo)
      return number === undefined ? [] : pages.read(number)
    },
    async *pages(todo) {
      for (const number of numbersOf(todo)) if (todos.has(number)) yield await pages.read(number)
    },
    children: async (id) => {
      if (parents === null) {
        parents = new Map()
        await learnAll()
      }
      const found = await rowsById(parents.get(id) ?? [])
      return [...found.values()].filter((row) => row.parentId === id)
    },
    holders: async (asked) => {
      if (slots === null) {
        slots = new Map()
        await learnAll()
      }
      const held = new Map<string, string>()
      for (const slot of asked) {
        const id = slots.get(slot)
        if (id !== undefined) held.set(slot, id)
      }
      return held
    },
    pagesOf: (rows) => {
      const touched = new Set(rows.map(({ item }) => places.get(item.id)))
      // For each thing that they may wait for, one more is filled up.
      return touched.size + 3
    },
    prepare: async (waiting, over) => {
      const { edits, before, last } = await edit(waiting, over)
      let next = last
      const removed: number[] = []
      const written: { readonly page: Page; readonly document: Document }[] = []
      for (const [number, { todo, rows }] of edits) {
        const page = { number, todo, rows: [...rows.values()] }
        if (page.rows.length === 0) removed.push(number)
        else written.push(...(await pages.sealed(page, () => (next += 1))))
      }
      return {
        documents: written.map(({ document }) => document),
        removed: removed.map(pages.key),
        landed: () => {
          newest = next
          for (const { slot, item } of before)
            if (slot !== null && slots?.get(slot) === item.id) slots.delete(slot)
          for (const id of over) places.delete(id)
          for (const number of removed) {
            pages.forget(number)
            todos.delete(number)
            counts.delete(number)
          }
          for (const { page } of written) {
            todos.set(page.number, page.todo)
            counts.set(page.number, page.rows.length)
            for (const { item } of page.rows) places.set(item.id, page.number)
            pages.learn(page)
          }
          for (const row of waiting) learn(row)
        },
      }
    },
  }
}
