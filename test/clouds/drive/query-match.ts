import type { Item } from './item.ts'
import type { Query } from './query.ts'

/** Makes a test for items out of a query. `rootId` is what the alias `root` stands for. */
export function matcher(query: Query, rootId: string, email: string): (item: Item) => boolean {
  switch (query.kind) {
    case 'and': {
      const terms = query.terms.map((term) => matcher(term, rootId, email))
      return (item) => terms.every((term) => term(item))
    }
    case 'or': {
      const terms = query.terms.map((term) => matcher(term, rootId, email))
      return (item) => terms.some((term) => term(item))
    }
    case 'not': {
      const term = matcher(query.term, rootId, email)
      return (item) => !term(item)
    }
    case 'in': {
      if (query.collection === 'parents') {
        const parent = query.value === 'root' ? rootId : query.value
        return (item) => item.parent === parent
      }
      const mine = query.value === 'me' || query.value === email
      return (item) =>
        (query.collection === 'owners' ? item.ownedByMe : item.driveId === null) === mine
    }
    case 'has':
      return (item) => item[query.field]?.[query.key] === query.value
    case 'compare':
      break
  }
  return comparer(query.field, query.operator, query.value)
}

function comparer(
  field: string,
  operator: string,
  value: string | boolean,
): (item: Item) => boolean {
  if (operator === '!=') {
    const equal = comparer(field, '=', value)
    return (item) => !equal(item)
  }
  if (typeof value === 'boolean')
    return (item) =>
      value ===
      (field === 'trashed'
        ? item.trashed
        : field === 'starred'
          ? item.starred
          : item.sharedWithMe !== null)
  if (field === 'modifiedTime' || field === 'createdTime') {
    const time = Date.parse(value)
    if (operator === '=') return (item) => item[field] === time
    if (operator.startsWith('<')) return (item) => item[field] < time + (operator === '<=' ? 1 : 0)
    return (item) => item[field] > time - (operator === '>=' ? 1 : 0)
  }
  if (field === 'mimeType')
    return operator === '='
      ? (item) => item.mimeType === value
      : (item) => item.mimeType.includes(value)
  // Drive folds case in names, and `contains` looks at the beginnings of words only.
  const wanted = value.toLowerCase()
  if (operator === '=') return (item) => item.name.toLowerCase() === wanted
  return (item) => {
    const name = item.name.toLowerCase()
    for (let at = name.indexOf(wanted); at >= 0; at = name.indexOf(wanted, at + 1))
      if (at === 0 || !/[\p{L}\p{N}]/u.test(name[at - 1] ?? '')) return true
    return false
  }
}
