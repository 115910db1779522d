import { FieldPath, Filter } from '@google-cloud/firestore'
import type { CollectionReference, Query } from '@google-cloud/firestore'
import { fieldsName } from './firestore-documents.ts'
import type { Wanted } from './limits.ts'
import type { Field } from './store.ts'

/**
 * @param collection where to look
 * @param wanted what its documents must have; each field has a value
 * @returns a query for them in the order of their keys, which an index on these fields answers without sorting
 */
export function queryFor(collection: CollectionReference, wanted: Wanted): Query {
  return wanted
    .reduce<Query>(
      (query, [field, values]) => query.where(anyOf(new FieldPath(fieldsName, field), values)),
      collection,
    )
    .orderBy(FieldPath.documentId())
}

// `in` finds no null, although it takes one: https://firebase.google.com/docs/firestore/query-data/queries#limitations
function anyOf(path: FieldPath, values: readonly Field[]): Filter {
  const present = values.filter((value) => value !== null)
  const filters = [
    ...(present.length === 0 ? [] : [Filter.where(path, 'in', present)]),
    ...(present.length === values.length ? [] : [Filter.where(path, '==', null)]),
  ]
  const [only] = values
  if (values.length === 1) return Filter.where(path, '==', only)
  return filters.length === 1 && filters[0] !== undefined ? filters[0] : Filter.or(...filters)
}
