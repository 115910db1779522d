/**
 * What Waybill remembers, as documents in named collections. Shaped so that SQLite and Firestore can both keep it.
 *
 * A document has plain `fields` (states, numbers, opaque and blinded ids: what queries need) and a sealed `body`. The
 * store never looks into the body.
 */
export type Collection =
  | 'keys'
  | 'connections'
  | 'jobs'
  | 'runs'
  | 'due'
  | 'manifest'
  | 'ledger'
  | 'transfers'
  | 'receipts'
  | 'tickets'
  | 'signIns'
  | 'sessions'
  | 'apiKeys'
  | 'sightings'
  | 'googleEvents'
  | 'picks'
  | 'freezes'
  | 'revocations'
  | 'erasures'
  | 'audit'
  | 'heads'
  | 'tenants'
  | 'aliases'
  | 'people'

export type Field = string | number | boolean | null

export interface Document {
  /** At most 200 characters of `[A-Za-z0-9_.-]`, but not `.`, `..` or `__…__`, which Firestore keeps for itself. */
  readonly key: string
  /** At most 60, named in letters and digits, texts of at most 1,500 bytes each. */
  readonly fields: Readonly<Record<string, Field>>
  /** Sealed; at most 900 KiB. */
  readonly body: Uint8Array | null
  /** When the store may forget it, in whole milliseconds since 1970 and before the year 10000; null keeps it. */
  readonly expiresAt: number | null
}

/** Fields by which a collection can be listed, each with equality on all its fields. Data, so that index files can be made of it. */
export const indexes: Readonly<Record<Collection, readonly (readonly string[])[]>> = {
  keys: [['kekId'], ['otherKekId']],
  connections: [['user']],
  jobs: [['user']],
  runs: [['job'], ['state']],
  due: [['waits']],
  manifest: [['job']],
  ledger: [
    ['job', 'parent'],
    ['job', 'todo'],
    ['job', 'slot'],
  ],
  transfers: [['run']],
  receipts: [['run']],
  tickets: [['user']],
  signIns: [['user']],
  sessions: [['user']],
  apiKeys: [['user']],
  sightings: [['user']],
  googleEvents: [],
  picks: [['user']],
  freezes: [['erasure']],
  revocations: [['user'], ['waits']],
  erasures: [['waits']],
  audit: [['waits'], ['actor'], ['tenant', 'tile']],
  heads: [['waits'], ['tenant']],
  tenants: [],
  aliases: [],
  people: [['tenant']],
}

export interface Query {
  readonly collection: Collection
  /**
   * Exactly the fields of one of the collection's indexes, each equal in value and type: a null is found by null, a field
   * that is not there by nothing. A list of at most 30 values means any of them, for one field only. No fields at all
   * mean any document, and only up to a `before`: whoever reads a collection through says how far.
   */
  readonly where: Readonly<Record<string, Field | readonly Field[]>>
  /** Only documents whose key sorts after this one. */
  readonly after?: string
  /** Only documents whose key sorts before this one. */
  readonly before?: string
  /** 1 to 1,000. */
  readonly limit: number
}

/** Reads come before writes. What was read is what is committed against. It takes nothing after its end. */
export interface Transaction {
  get(collection: Collection, key: string): Promise<Document | null>
  /** Creates or replaces. */
  put(collection: Collection, document: Document): void
  /** Absent is fine. */
  remove(collection: Collection, key: string): void
}

/**
 * Whatever is beyond a limit named here is refused with `internal`: our own code has gone wrong. What keeps the documents
 * being away or failing for the moment is `store_unavailable`, never a code that a cloud could have: no item is at fault.
 */
export interface Store {
  /** The document, or null if there is none or its time is over. */
  get(collection: Collection, key: string): Promise<Document | null>
  /** Many at once, in the order asked; null for those that are not there. At most 1,000 keys. */
  getMany(collection: Collection, keys: readonly string[]): Promise<readonly (Document | null)[]>
  /** Documents in the order of their keys (by bytes), without those whose time is over. */
  list(query: Query): Promise<readonly Document[]>
  /**
   * Runs `change`, then lands all its writes or none, and only if nothing that it read has changed meanwhile;
   * otherwise runs it again, so it must have no other effect. At most 450 writes, and 3.5 MiB of bodies. `keys` have
   * transactions of their own, which touch no other collection. What it throws is thrown on, and nothing lands. Throws
   * `store_full` when the disk is full, `busy` when what it reads keeps changing.
   */
  transact<T>(change: (transaction: Transaction) => Promise<T>): Promise<T>
  /**
   * Forgets at most `limit` documents whose time is over; returns how many. Absent from a store that forgets by itself,
   * within days.
   */
  sweep?(limit: number): Promise<number>
  /**
   * Overwrites what was removed where it still lies in the store's own files; false if somebody reads them at this moment.
   * Absent from a store that has no files of its own.
   */
  wipe?(): Promise<boolean>
  close(): void
}
