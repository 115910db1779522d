import { buffer } from 'node:stream/consumers'
import { contentHash } from '../../backend/clouds/content-hash.ts'
import { hashBytes } from '../../backend/clouds/digest.ts'
import type { HashName } from '../../shared/item.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import { bareCalls } from './bare-cloud-calls.ts'

const foldersPerListing = 50

export interface LoopOptions {
  /** A folder in the Drive that holds folders of files. */
  readonly top: string
  readonly names: readonly HashName[]
  /** Downloads at once, bodies in one append and appends at once, and files in one commit. */
  readonly downloads: number
  readonly bodies: number
  readonly appends: number
  readonly commits: number
  /** Folder at the destination. */
  readonly to: string
}

/** How long a bare loop took, in milliseconds. */
export interface LoopTime {
  readonly all: number
  /** Of these, for the files' bytes. */
  readonly copying: number
}

/**
 * Copies small files with the calls that a copy makes, and nothing around them: listings, folders, downloads, digests,
 * one append for many, one commit for more, and the destination's cursor at the end.
 */
export async function loopBare(clouds: ForkedClouds, options: LoopOptions): Promise<LoopTime> {
  const { names, bodies, to } = options
  const { download, list, ask, send } = bareCalls(clouds)
  const start = performance.now()

  const children = async (folders: readonly string[]): Promise<readonly string[]> => {
    const found: string[] = []
    for (let pageToken: string | null = null; ;) {
      const page = await list(folders, pageToken)
      found.push(...page.files.map(({ id }) => id))
      if (page.nextPageToken === undefined) return found
      pageToken = page.nextPageToken
    }
  }
  const folders = await children([options.top])
  const files: string[] = []
  for (let from = 0; from < folders.length; from += foldersPerListing)
    files.push(...(await children(folders.slice(from, from + foldersPerListing))))
  const paths = folders.map((id) => `${to}/${id}`)
  await ask('create_folder_v2', { path: to })
  await ask('create_folder_batch', { paths })
  const listed = performance.now()

  const ids: string[] = []
  const downloaded: Buffer[] = []
  const closed: { readonly id: string; readonly size: number }[] = []
  let committed = 0
  let committing: Promise<void> = Promise.resolve()
  const appending = new Set<Promise<void>>()

  const commit = (count: number): void => {
    const entries = closed.splice(0, count).map(({ id, size }) => ({
      cursor: { session_id: id, offset: size },
      commit: {
        path: `${paths[committed % paths.length]}/${(committed += 1)}`,
        mode: 'add',
        autorename: false,
      },
    }))
    committing = finish(committing, entries)
  }
  const finish = async (last: Promise<void>, entries: readonly object[]): Promise<void> => {
    await last
    requireAll(await ask('upload_session/finish_batch_v2', { entries }))
  }
  const append = async (batch: readonly Buffer[]): Promise<void> => {
    const sessions = ids.splice(0, batch.length)
    const entries = batch.map(({ length }, at) => ({
      cursor: { session_id: sessions[at], offset: 0 },
      length,
      close: true,
    }))
    const whole = Buffer.concat(batch)
    const argument = { entries, content_hash: contentHash(whole) }
    requireAll(await send('upload_session/append_batch', argument, whole, whole.length))
    closed.push(...batch.map(({ length }, at) => ({ id: sessions[at] ?? '', size: length })))
    if (closed.length >= options.commits) commit(options.commits)
  }
  const queue = files.values()
  const worker = async (): Promise<void> => {
    for (const id of queue) {
      const bytes = await buffer(await download(id))
      hashBytes(bytes, names)
      downloaded.push(bytes)
      if (downloaded.length < bodies) continue
      const batch: Promise<void> = append(downloaded.splice(0, bodies)).finally(() =>
        appending.delete(batch),
      )
      appending.add(batch)
      while (appending.size >= options.appends) await Promise.race(appending)
    }
  }

  for (let from = 0; from < files.length; from += 1000)
    ids.push(
      ...sessionsOf(
        await ask('upload_session/start_batch', {
          num_sessions: Math.min(1000, files.length - from),
        }),
      ),
    )
  await Promise.all(Array.from({ length: options.downloads }, worker))
  await Promise.all(appending)
  await append(downloaded)
  while (closed.length > 0) commit(options.commits)
  await committing
  const copying = performance.now() - listed
  let page = pageOf(await ask('list_folder', { path: to, recursive: true, limit: 2000 }))
  let seen = page.entries.length
  while (page.has_more) {
    page = pageOf(await ask('list_folder/continue', { cursor: page.cursor }))
    seen += page.entries.length
  }
  if (seen < files.length) throw new Error('the bare loop did not copy everything')
  return { all: performance.now() - start, copying }
}

function pageOf(answer: unknown) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the simulated Dropbox answers so
  return answer as {
    readonly entries: readonly unknown[]
    readonly cursor: string
    readonly has_more: boolean
  }
}

function sessionsOf(answer: unknown): readonly string[] {
  if (typeof answer === 'object' && answer !== null && 'session_ids' in answer)
    return Array.isArray(answer.session_ids) ? answer.session_ids.map(String) : []
  throw new Error('no sessions were started')
}

function requireAll(answer: unknown): void {
  const text = JSON.stringify(answer)
  if (text.includes('"failure"')) throw new Error('a bare call failed for some of its files')
}
