import { z } from 'zod'

/** A transaction that was begun and not ended, as `Rollback` is asked to end it. */
export interface OpenTransaction {
  readonly database: string
  readonly transaction: Uint8Array
}

/** Which transactions are open, by what goes over the wire. */
export interface OpenTransactions {
  /** A call is on its way to Firestore: a commit, or its like, ends its transaction whatever is answered. */
  sent(method: string, request: unknown): void
  /** Firestore has answered: the answer names the transaction that the call has begun. */
  answered(request: unknown, answers: readonly unknown[]): void
  all(): readonly OpenTransaction[]
}

const ending: readonly string[] = ['Commit', 'Rollback']
const named = z.object({ transaction: z.instanceof(Uint8Array).optional() })
// A query has a parent, in its database.
const placed = z.object({ database: z.string().optional(), parent: z.string().optional() })

/** @returns the transactions seen from now on */
export function createOpenTransactions(): OpenTransactions {
  const open = new Map<string, OpenTransaction>()
  const nameOf = (message: unknown): Uint8Array | null => {
    const { transaction } = named.parse(message)
    return transaction === undefined || transaction.length === 0 ? null : transaction
  }
  return {
    sent(method, request) {
      const transaction = nameOf(request)
      if (ending.includes(method) && transaction !== null)
        open.delete(Buffer.from(transaction).toString('hex'))
    },
    answered(request, answers) {
      for (const transaction of answers.map(nameOf)) {
        if (transaction === null) continue
        const { parent = '', database = parent.split('/documents')[0] ?? '' } =
          placed.parse(request)
        open.set(Buffer.from(transaction).toString('hex'), { database, transaction })
      }
    },
    all: () => [...open.values()],
  }
}
