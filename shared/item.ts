/** Checksums as lower-case hex. A provider gives the ones it has. */
export interface Hashes {
  readonly md5?: string
  readonly sha1?: string
  readonly sha256?: string
  /** Dropbox: SHA-256 over the SHA-256 of each 4 MiB block. https://www.dropbox.com/developers/reference/content-hash */
  readonly contentHash?: string
}

export type HashName = keyof Hashes

/** A form in which a document without bytes of its own can be had. */
export interface ExportForm {
  readonly mimeType: string
  /** Without the dot. */
  readonly extension: string
  /** Where the provider serves this form, if it named a place. */
  readonly url?: string
}

/**
 * A file or folder as its source describes it.
 *
 * `document` has no bytes of its own (Google Docs) and is exported; `shortcut` points at another item.
 */
export interface Item {
  /** The source's own id: everything is keyed by it, so a rename is a rename. */
  readonly id: string
  readonly kind: 'file' | 'folder' | 'document' | 'shortcut'
  readonly name: string
  /** The folder it lies in; null where the person can see none (shared with them, or without a folder). */
  readonly parentId: string | null
  readonly mimeType: string
  /** In bytes; null where the source does not say or the number is not that of the bytes we would read. */
  readonly size: number | null
  /** RFC 3339 in UTC, to the millisecond. */
  readonly modifiedAt: string
  /** Changes whenever the bytes change; compared only for equality. */
  readonly version: string
  readonly hashes: Hashes
  readonly exports: readonly ExportForm[]
  /** What a shortcut points at. */
  readonly targetId: string | null
  readonly canDownload: boolean
  readonly ownedByMe: boolean
  readonly trashed: boolean
  /** The corpus it belongs to: `my-drive` or a shared drive's id. */
  readonly corpus: string
}
