import { z } from 'zod'

/** What Firestore bills: https://cloud.google.com/firestore/pricing#operations */
export interface Operations {
  readonly reads: number
  readonly writes: number
  readonly deletes: number
}

export const noOperations: Operations = { reads: 0, writes: 0, deletes: 0 }

const commit = z.object({
  writes: z.array(z.object({ delete: z.string().optional() })).default([]),
})
const found = z.object({ document: z.object({}).optional() })
const looked = z.object({ found: z.object({}).optional(), missing: z.string().optional() })

/**
 * @param method such as `Commit`
 * @param request as it was sent
 * @param answers all of them; that a call failed is for the caller to know, and costs nothing
 */
export function operationsOf(
  method: string,
  request: unknown,
  answers: readonly unknown[],
): Operations {
  if (method === 'Commit' || method === 'BatchWrite') {
    const { writes } = commit.parse(request)
    const deletes = writes.filter((write) => write.delete !== undefined).length
    return { reads: 0, writes: writes.length - deletes, deletes }
  }
  if (method === 'RunQuery') {
    const documents = answers.filter((answer) => found.parse(answer).document !== undefined)
    // A query costs a read even if it finds nothing.
    return { ...noOperations, reads: Math.max(1, documents.length) }
  }
  if (method !== 'BatchGetDocuments') return noOperations
  // What is not there costs as much as what is.
  const documents = answers
    .map((answer) => looked.parse(answer))
    .filter((answer) => (answer.found ?? answer.missing) !== undefined)
  return { ...noOperations, reads: documents.length }
}

/** @returns both together */
export function plus(one: Operations, other: Operations): Operations {
  return {
    reads: one.reads + other.reads,
    writes: one.writes + other.writes,
    deletes: one.deletes + other.deletes,
  }
}
