import { parsePath, pathOf } from './paths.ts'
import type { Path } from './paths.ts'
import { placeOf } from './tree.ts'
import type { Entry, Revision, Tree } from './tree.ts'

/** What a path argument refers to: a path that may or may not exist, or a stored revision. */
export type Located =
  | { readonly path: Path }
  | { readonly revision: Revision }
  | { readonly failure: 'malformed_path' | 'not_found' }

/** Reads `/path`, `id:…`, `id:…/below`, `ns:…/path` and `rev:…`. */
export function locate(tree: Tree, namespace: string, text: string): Located {
  if (text.startsWith('rev:')) {
    const revision = tree.revision(text.slice(4))
    return revision === undefined ? { failure: 'not_found' } : { revision }
  }
  if (text === '' || text.startsWith('/')) return parsed(text, [])
  const slash = text.indexOf('/')
  const head = slash < 0 ? text : text.slice(0, slash)
  const rest = slash < 0 ? '' : text.slice(slash)
  if (head === `ns:${namespace}`) return parsed(rest, [])
  const entry = tree.byId(head)
  return entry === undefined ? { failure: 'not_found' } : parsed(rest, namesOf(entry))
}

/** The names from the root down to the entry. */
function namesOf(entry: Entry): readonly string[] {
  const { display } = placeOf(entry)
  return display === '' ? [] : display.slice(1).split('/')
}

function parsed(text: string, above: readonly string[]): Located {
  const path = parsePath(text)
  if (path === null) return { failure: 'malformed_path' }
  return { path: above.length === 0 ? path : pathOf([...above, ...path.names]) }
}
