import type { AccountProvider } from './account.ts'

/** What Waybill says, and signs, about a person whom it has erased. Nothing in it says who they were. */
export interface ErasureStatement {
  readonly v: 1
  readonly erasure: string
  /** RFC 3339, as all times here. */
  readonly startedAt: string
  /** When the record with their wrapped key was deleted: what they had sealed opened no more from then on. */
  readonly keyDeletedAt: string
  readonly endedAt: string
  /** What was deleted: how many of each kind. */
  readonly deleted: Readonly<Record<string, number>>
  /** Lines that stay in audit logs, as proofs: their details are erased, and nobody can tell whose they were. */
  readonly linesKept: number
  readonly copies: {
    /** From when on no version that the store itself keeps for a while opens what was sealed. */
    readonly unreadableFrom: string
    /**
     * - `apart`: keys lie in a database of their own, of which there are no backups: no backup of the rest opens.
     * - `inside`: copies that somebody has made of the store's file have the wrapped keys of their time in them.
     */
    readonly keys: 'apart' | 'inside'
    /** Whether what was removed is overwritten in the store's file; null where Waybill has no file of its own. */
    readonly wiped: boolean | null
  }
  readonly providers: {
    /** Those that could not be told yet. They are asked for so long, then the tokens are forgotten. */
    readonly pending: readonly { readonly provider: AccountProvider; readonly until: string }[]
    /** Accounts whose provider lets only the person take the access back; their tokens are deleted. */
    readonly byThePerson: number
  }
  readonly log: {
    /** The log that tells of it. */
    readonly origin: string
    /** Its line there is the one of an erasure with this hash. */
    readonly sealedHash: string
  }
}

/** A signed statement, with the proof that its log tells of it: verified without asking anybody. */
export interface ErasureCertificate {
  /** A signed note (https://c2sp.org/signed-note): the name that signs, the statement as JSON. */
  readonly note: string
  /** `NAME+ID+KEY` */
  readonly key: string
  readonly proof: {
    /** The text of the log's line, which is what is hashed. */
    readonly line: string
    /** RFC 6962 §2.1.1: from the line up, as hex. */
    readonly path: readonly string[]
    /** The signed head of the log. */
    readonly head: string
    readonly key: string
  }
}
