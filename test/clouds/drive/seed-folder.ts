import { lstat, readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { mime } from './item.ts'
import type { DriveState } from './state.ts'

/** What was found in a folder. */
export interface Seeded {
  readonly folders: number
  readonly files: number
  readonly bytes: number
}

const types: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.zip': 'application/zip',
}

/**
 * Adds what a real folder holds below the item `parent`. Files are read only when somebody downloads
 * them, modification times are kept, symbolic links and special files are left out.
 */
export async function seedFolder(
  state: DriveState,
  folder: string,
  parent: string,
): Promise<Seeded> {
  let [folders, files, bytes] = [0, 0, 0]
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() && !entry.isFile()) continue
    const path = join(folder, entry.name)
    const facts = await lstat(path)
    const modifiedTime = Math.floor(facts.mtimeMs)
    if (entry.isFile()) {
      const mimeType = types[extname(entry.name).toLowerCase()] ?? 'application/octet-stream'
      state.add({
        name: entry.name,
        parent,
        modifiedTime,
        mimeType,
        content: { path, size: facts.size },
      })
      files++
      bytes += facts.size
      continue
    }
    const made = state.add({ name: entry.name, parent, modifiedTime, mimeType: mime.folder })
    const inside = await seedFolder(state, path, made.id)
    folders += 1 + inside.folders
    files += inside.files
    bytes += inside.bytes
  }
  return { folders, files, bytes }
}
