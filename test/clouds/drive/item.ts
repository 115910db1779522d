import type { Content } from '../content.ts'

/** MIME types of what is no blob. */
export const mime = {
  folder: 'application/vnd.google-apps.folder',
  shortcut: 'application/vnd.google-apps.shortcut',
  document: 'application/vnd.google-apps.document',
  spreadsheet: 'application/vnd.google-apps.spreadsheet',
  presentation: 'application/vnd.google-apps.presentation',
  drawing: 'application/vnd.google-apps.drawing',
  script: 'application/vnd.google-apps.script',
  form: 'application/vnd.google-apps.form',
  site: 'application/vnd.google-apps.site',
  map: 'application/vnd.google-apps.map',
  video: 'application/vnd.google-apps.vid',
} as const

/** One item of the simulated Drive, as the server knows it. Only the state changes it. */
export interface Item {
  readonly id: string
  /** The order of creation; listings without orderBy follow it. */
  readonly sequence: number
  name: string
  mimeType: string
  /** The one parent; null for roots, for what is shared with the user, and for orphans. */
  parent: string | null
  /** The shared drive it lives in. */
  driveId: string | null
  ownedByMe: boolean
  /** Milliseconds since 1970, when somebody shared it with the user. */
  sharedWithMe: number | null
  /** The bytes of a blob; null for everything that Google keeps without bytes. */
  content: Content | null
  /** Bytes that an export has, by MIME type, or for every format. */
  exportSize: number | Readonly<Record<string, number>>
  targetId: string | null
  /** Milliseconds since 1970. */
  createdTime: number
  modifiedTime: number
  /** In the trash, itself or with a folder above it. */
  trashed: boolean
  explicitlyTrashed: boolean
  /** Counts every change. */
  version: number
  /** Counts the changes of content. */
  revision: number
  canDownload: boolean
  abusive: boolean
  starred: boolean
  description: string | null
  /** Needed in `X-Goog-Drive-Resource-Keys` when not null. */
  resourceKey: string | null
  properties: Readonly<Record<string, string>> | null
  appProperties: Readonly<Record<string, string>> | null
  /** What the next download does: half of it is old, or all of it, and then the item has moved on. */
  changesWhileRead: { readonly content: Content; readonly serves: 'old' | 'mixed' } | null
}

/** A blob's bytes, in a form that also travels as JSON. */
export type ContentSource =
  | string
  | Buffer
  | Content
  /** Synthetic bytes. */
  | { readonly pattern: string | number; readonly size: number }
  | { readonly base64: string }
  /** A file of this machine. */
  | { readonly path: string; readonly size: number }

/** What a test says about a new item; everything else has a default. */
export interface NewItem {
  readonly name: string
  /** Made up unless given. */
  readonly id?: string
  /** The root of My Drive unless given; null for an orphan or, with `sharedWithMe`, a shared item. */
  readonly parent?: string | null
  /** A blob's default is application/octet-stream. */
  readonly mimeType?: string
  readonly content?: ContentSource
  readonly exportSize?: number | Readonly<Record<string, number>>
  readonly targetId?: string
  readonly ownedByMe?: boolean
  readonly sharedWithMe?: boolean
  /** Milliseconds since 1970; now unless given. */
  readonly modifiedTime?: number
  readonly createdTime?: number
  readonly trashed?: boolean
  readonly canDownload?: boolean
  readonly abusive?: boolean
  readonly starred?: boolean
  readonly description?: string
  readonly resourceKey?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly appProperties?: Readonly<Record<string, string>>
}

/** What a test may change about an item. A new content, like Drive's, also moves modifiedTime. */
export type ItemChange = Partial<Omit<NewItem, 'id' | 'targetId' | 'ownedByMe' | 'sharedWithMe'>>

/** Whether an item may have children. */
export function isFolder(item: Item): boolean {
  return item.mimeType === mime.folder
}
