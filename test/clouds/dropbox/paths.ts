/** A path as Dropbox understands it: the root has no names. */
export interface Path {
  /** Names as written, in NFC. */
  readonly names: readonly string[]
  /** The key of the case-insensitive tree, empty for the root. */
  readonly lower: string
}

/** The largest name, in characters. */
const longestName = 255

/** Files of operating systems and of Dropbox's own client, which the service does not store. */
const refusedNames = new Set([
  'desktop.ini',
  'thumbs.db',
  '.ds_store',
  'icon\r',
  '.dropbox',
  '.dropbox.attr',
])

/** The form of a name by which two names in one folder are the same. */
export function lowerName(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** The names of a path that is empty or starts with a slash, or null when a name is malformed. */
export function parsePath(text: string): Path | null {
  if (text === '') return { names: [], lower: '' }
  const names = text.slice(1).normalize('NFC').split('/')
  if (!names.every(isWellFormedName)) return null
  return pathOf(names)
}

/** The path with these names. */
export function pathOf(names: readonly string[]): Path {
  return { names, lower: names.map((name) => `/${lowerName(name)}`).join('') }
}

/** Whether Dropbox refuses to store anything under this name. */
export function isRefusedName(name: string): boolean {
  return refusedNames.has(name.toLowerCase())
}

/** `document.txt` with a number, `document (2).txt`, as Dropbox renames on a conflict. */
export function numberedName(name: string, number: number): string {
  return withSuffix(name, `(${number})`)
}

/** `document.txt` as a conflicted copy; from the second one on with a number. */
export function conflictedName(name: string, number: number): string {
  return withSuffix(name, number === 1 ? '(conflicted copy)' : `(conflicted copy ${number})`)
}

function withSuffix(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)} ${suffix}${name.slice(dot)}` : `${name} ${suffix}`
}

function isWellFormedName(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return false
  if (/[/\\\0]/.test(name) || /[ .]$/.test(name) || !name.isWellFormed()) return false
  return name.length <= longestName || Array.from(name).length <= longestName
}
