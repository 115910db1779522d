import type { Readable } from 'node:stream'
import type { WaybillError } from '../../shared/errors.ts'
import type { ExportForm, HashName, Hashes, Item } from '../../shared/item.ts'
import type { ProviderId } from '../../shared/job.ts'

/**
 * The contract of a cloud, read side and write side. Each sentence below has a test in `test/contract`.
 *
 * For both sides: every failure is a WaybillError whose code says what to do; `null` means "not there" and nothing
 * else does. What a provider cannot do is absent (an optional member, or `null` in its capabilities), never a stub that
 * throws. An adapter holds no state about items and never tries again; it waits only for work that a provider goes on
 * with after its answer. Waiting and retrying are wrappers.
 */

/** A drive with a change log of its own: `my-drive`, or a shared drive by its id. */
export interface Corpus {
  readonly id: string
  readonly name: string
  /** The id that its top-level items have as their parent. */
  readonly rootId: string
}

/** What one listing covers: the children of some folders (at most `foldersPerListing`), or everything in a corpus. */
export type Listing =
  | { readonly kind: 'children'; readonly of: readonly string[] }
  | { readonly kind: 'corpus'; readonly corpus: string }

export interface Page {
  readonly items: readonly Item[]
  /** Goes on where this page ended; null on the last page. Opaque, and may be refused later (`listing_restarted`). */
  readonly cursor: string | null
  /** False if the provider says that it did not look everywhere: what is missing here may still exist. */
  readonly complete: boolean
}

export interface Change {
  readonly id: string
  /** How the item is now; null if it is gone or no longer visible. */
  readonly item: Item | null
}

export interface ChangesPage {
  readonly changes: readonly Change[]
  /** Token of the next page if there is `more`, else the token for next time. */
  readonly token: string
  readonly more: boolean
}

export interface Body {
  /** Ends early or fails when the connection does: who reads counts the bytes. */
  readonly stream: Readable
  /** Bytes from `from` to the end, if the provider said so. */
  readonly length: number | null
  /** Where the stream begins: `from` as asked, or 0 if the provider ignored it. */
  readonly from: number
}

export interface SourceCapabilities {
  /** How many folders one listing of children may name. */
  readonly foldersPerListing: number
  /** Checksums that files usually have. */
  readonly hashes: readonly HashName[]
}

/** The read side of a cloud. */
export interface Source {
  readonly provider: ProviderId
  readonly capabilities: SourceCapabilities
  /** Whose account this is, for showing it to them, and an id to compare. */
  account(): Promise<{ readonly id: string; readonly label: string }>
  /** The person's own drive. */
  ownDrive(): Promise<Corpus>
  /** Each shared drive they are a member of. */
  sharedDrives(): Promise<readonly Corpus[]>
  /** The item as it is now, or null if it is gone or not visible. */
  get(id: string): Promise<Item | null>
  /**
   * One page. An item may come twice on different pages; order is not promised; trashed items are left out. Throws
   * `source_missing` for a corpus that is not there, `gone` if a folder is not (with several, any of them).
   */
  list(listing: Listing, cursor: string | null): Promise<Page>
  /** Where `changes` begins if asked from now on. Taken before a listing, nothing falls between the two. */
  changesToken(corpus: string): Promise<string>
  /** What changed in the corpus since the token, trashed and removed items among it. Throws `cursor_lost` for a token too old. */
  changes(corpus: string, token: string): Promise<ChangesPage>
  /**
   * Opens the bytes of a file from byte `from` on, or a document in one of its forms (then `from` must be 0). Can be
   * asked again and again. Throws `gone`, `download_forbidden`, `export_too_large`, …, and `keeps_changing` if the file
   * is shorter than `from`. An abort fails the call, or the stream, with the signal's own reason.
   */
  open(
    item: Item,
    at: { readonly from: number; readonly form?: ExportForm; readonly signal?: AbortSignal },
  ): Promise<Body>
}

/** A folder at a destination, by both names that providers know: an id and a path from the top. */
export interface Folder {
  readonly id: string
  readonly path: string
}

/** Where a copy goes. `name` is legal at the destination. */
export interface Place {
  readonly parent: Folder
  readonly name: string
}

/** A file at a destination. */
export interface Copy {
  readonly id: string
  /** Changes with every write: what a precondition names. */
  readonly version: string
  readonly path: string
  readonly bytes: number
  readonly hashes: Hashes
}

/** A write lands only if nothing is there, or if what is there is still this version. */
export type Precondition =
  | { readonly if: 'absent' }
  | { readonly if: 'version'; readonly version: string }

/** An upload that the provider keeps for a while, by an opaque id. A bearer secret: sealed wherever it is kept. */
export type Session = string

export interface Commit {
  readonly session: Session
  /** Bytes that the session holds. */
  readonly size: number
  readonly place: Place
  readonly modifiedAt: string
  readonly precondition: Precondition
  /** Checksums of those bytes, as far as they are known: by them a commit whose answer was lost is found again. */
  readonly hashes?: Hashes
}

/** One entry's outcome out of a call that carried many: in the order asked. */
export type Result<T> = { readonly ok: T } | { readonly error: WaybillError }

/** What changed at the destination. A folder that is gone takes all that lay in it. */
export interface DestinationChange {
  /** As the provider spells it for comparison (Dropbox: lower case). */
  readonly path: string
  readonly gone: boolean
  readonly id: string | null
  readonly version: string | null
}

export interface NameRules {
  /** Characters that no name may hold, besides control characters. */
  readonly forbidden: string
  /** Characters that no name may end with. */
  readonly forbiddenAtEnd: string
  /** Whole names that are refused, in lower case. */
  readonly reserved: readonly string[]
  /** Longest name, in UTF-16 units. */
  readonly longest: number
  /** Whether two names that differ only in case are one. */
  readonly foldsCase: boolean
  /** Whether names are normalised to NFC. */
  readonly composes: boolean
}

export interface DestinationCapabilities {
  /** The checksums that each copy comes back with. */
  readonly hashes: readonly HashName[]
  readonly largestFile: number
  /** Every append but the last is a multiple of `align` bytes and none is longer than `largest`. */
  readonly chunk: { readonly align: number; readonly largest: number }
  readonly needsSize: boolean
  /** Most folders one `ensureFolders` takes. */
  readonly foldersPerCall: number
  /** Most commits one `commit` takes. */
  readonly commitsPerCall: number
  /** Most commit calls at once. */
  readonly commitLanes: number
  /** What one `stage` takes, if there is one. */
  readonly stage: { readonly bodies: number; readonly bytes: number } | null
  readonly names: NameRules
  /** Modification times are kept to this many milliseconds; null if they are not kept. */
  readonly timeResolutionMs: number | null
  /** For how many days at least a copy that was replaced can be had back; null where it is lost. */
  readonly keepsVersionsDays: number | null
}

/** The write side of a cloud. Nothing is ever replaced that the precondition does not name. */
export interface Destination {
  readonly provider: ProviderId
  readonly capabilities: DestinationCapabilities
  /** The folder at a path from the top, made with its parents where missing; `name_taken` if a file is in the way. */
  openFolder(path: string): Promise<Folder>
  /** Makes folders, or returns those already there; `name_taken` for one where a file is in the way. Parents come first in the list. */
  ensureFolders(places: readonly Place[]): Promise<readonly Result<Folder>[]>
  /**
   * Sends small whole bodies into sessions of their own, ready to commit. Only where `capabilities.stage` says so.
   * `ahead` is how many more bodies are likely to follow in later calls: what they need is then asked for at once.
   */
  stage?(bodies: readonly Uint8Array[], ahead?: number): Promise<readonly Result<Session>[]>
  /**
   * Begins a session with its first bytes; `last` closes it, ready to commit. `hashes` are checksums of these bytes, as
   * far as the caller knows them: one that the provider checks by is not computed again. Throws `damaged_in_transit` if
   * what arrived is something else.
   */
  begin(bytes: Uint8Array, last: boolean, hashes?: Hashes): Promise<Session>
  /**
   * Adds bytes at `offset` and returns how many bytes the session then holds. That may differ from offset + length if
   * an earlier answer was lost: the caller goes on from there. A repeat of the `last` append that had landed is a
   * success. `hashes` as with `begin`, of these bytes alone. Throws `session_lost` if the session is unknown, and
   * `damaged_in_transit`.
   */
  append(
    session: Session,
    offset: number,
    bytes: Uint8Array,
    last: boolean,
    hashes?: Hashes,
  ): Promise<number>
  /**
   * Turns closed sessions into files. Where the same bytes already lie at the place, that is the copy and a success.
   * `name_taken` if something else lies there (or the version is another); the session's bytes stay usable for
   * another place. `session_lost` if it is unknown or was committed before: then `find` tells.
   */
  commit(commits: readonly Commit[]): Promise<readonly Result<Copy>[]>
  /** What lies at a place. */
  find(place: Place): Promise<{ readonly file: Copy } | { readonly folder: Folder } | null>
  /**
   * Moves or renames a file or folder of ours; `gone` if it is not there, `name_taken` if something else is in the way.
   * A repeat of a move that had landed is a success.
   */
  move(
    from: { readonly id: string; readonly path: string },
    to: Place,
  ): Promise<{ readonly id: string; readonly path: string; readonly version: string | null }>
  /** Opens a copy's bytes, to read it back. */
  open(
    copy: { readonly id: string; readonly path: string },
    at: { readonly from: number; readonly signal?: AbortSignal },
  ): Promise<Body>
  /**
   * What changed below the folder since the cursor, our own writes among it; without a cursor everything that is there.
   * Throws `cursor_lost` if it must begin anew, `gone` if the folder is not there any more.
   */
  changesSince(
    folder: Folder,
    cursor: string | null,
  ): Promise<{
    readonly changes: readonly DestinationChange[]
    readonly cursor: string
    readonly more: boolean
  }>
  /** Whose account this is, for showing it to them, and an id to compare. */
  account(): Promise<{ readonly id: string; readonly label: string }>
}

/** A valid access token whenever it is asked for; `reject` says that the provider refused this one. */
export interface TokenSource {
  get(): Promise<string>
  reject(token: string): void
}
