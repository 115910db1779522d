import { contentHash } from '../../../backend/clouds/content-hash.ts'
import type {
  Commit,
  Copy,
  Destination,
  DestinationChange,
  Folder,
  Place,
  Result,
} from '../../../backend/clouds/cloud.ts'
import { dropboxNames } from '../../../backend/clouds/dropbox/names.ts'
import { WaybillError } from '../../../shared/errors.ts'
import type { ErrorCode } from '../../../shared/errors.ts'

interface Node {
  readonly id: string
  readonly path: string
  /** Null for a folder. */
  readonly bytes: Uint8Array | null
  readonly version: string
}

/** A destination that lives in memory, with its own log of changes. */
export interface TinyDropbox {
  readonly destination: Destination
  /** What somebody else does. */
  put(path: string, content: string | Uint8Array): void
  mkdir(path: string): void
  remove(path: string): void
  /** Path → content as text, of files. */
  files(): Record<string, string>
  raw(path: string): Uint8Array | null
  folders(): readonly string[]
  forgetCursors(): void
  forgetSessions(): void
  /** Asked before each call. */
  onCall(hook: (name: string, about: string) => void | Promise<void>): void
  /** Asked after each call has landed: what it throws is an answer that was lost. */
  onAnswer(hook: (name: string, about: string) => void | Promise<void>): void
  /** Bytes that came in, by call. */
  readonly received: Record<string, number>
  readonly calls: Record<string, number>
}

const lower = (path: string): string => path.toLowerCase()

export function createTinyDropbox({
  staging = true,
  commitsPerCall = 1000,
  keepsVersionsDays = 30,
}: {
  readonly staging?: boolean
  readonly commitsPerCall?: number
  readonly keepsVersionsDays?: number | null
} = {}): TinyDropbox {
  const nodes = new Map<string, Node>()
  const sessions = new Map<string, { bytes: Uint8Array[]; size: number; closed: boolean }>()
  const log: DestinationChange[] = []
  const calls: Record<string, number> = {}
  const received: Record<string, number> = {}
  let oldest = 0
  let count = 0
  let before: (name: string, about: string) => void | Promise<void> = () => undefined
  let after: (name: string, about: string) => void | Promise<void> = () => undefined

  const fail = (code: ErrorCode): never => {
    throw new WaybillError(code, 'For the test.')
  }
  const call = async <T>(name: string, about: string, act: () => T): Promise<T> => {
    calls[name] = (calls[name] ?? 0) + 1
    await before(name, about)
    const answer = act()
    await after(name, about)
    return answer
  }
  const write = (path: string, bytes: Uint8Array | null, id?: string): Node => {
    count += 1
    const node = { id: id ?? `id:${count}`, path, bytes, version: `rev${count}` }
    nodes.set(lower(path), node)
    log.push({ path: lower(path), gone: false, id: node.id, version: node.version })
    return node
  }
  const parents = (path: string): void => {
    const above = path.slice(0, path.lastIndexOf('/'))
    if (above === '' || nodes.has(lower(above))) return
    parents(above)
    write(above, null)
  }
  const inside = (path: string): readonly Node[] =>
    [...nodes.values()].filter((node) => lower(node.path).startsWith(`${lower(path)}/`))
  const remove = (path: string): void => {
    for (const node of inside(path)) nodes.delete(lower(node.path))
    if (nodes.delete(lower(path)))
      log.push({ path: lower(path), gone: true, id: null, version: null })
  }
  const toCopy = (node: Node): Copy => ({
    id: node.id,
    version: node.version,
    path: node.path,
    bytes: node.bytes?.length ?? 0,
    hashes: { contentHash: contentHash(node.bytes ?? new Uint8Array(0)) },
  })
  const pathOf = ({ parent, name }: Place): string => `${parent.path}/${name}`
  const toFolder = ({ id, path }: Node): Folder => ({ id, path })
  const byId = (id: string): Node | undefined => [...nodes.values()].find((node) => node.id === id)

  const commitOne = ({ session, place, precondition, size }: Commit): Result<Copy> => {
    const held = sessions.get(session)
    if (held === undefined || !held.closed || held.size !== size)
      return { error: new WaybillError('session_lost', 'For the test.') }
    const bytes = Buffer.concat(held.bytes)
    const there = nodes.get(lower(pathOf(place)))
    const same = there?.bytes !== undefined && there.bytes !== null && bytes.equals(there.bytes)
    const may =
      precondition.if === 'absent' ? there === undefined : there?.version === precondition.version
    const parent = nodes.get(lower(place.parent.path))
    if (parent === undefined) parents(pathOf(place))
    if (!may && !same) return { error: new WaybillError('name_taken', 'For the test.') }
    sessions.delete(session)
    return { ok: toCopy(same ? there : write(pathOf(place), bytes, there?.id)) }
  }
  const begin = (bytes: Uint8Array, last: boolean): string => {
    count += 1
    const session = `session-${count}`
    sessions.set(session, { bytes: [Uint8Array.from(bytes)], size: bytes.length, closed: last })
    return session
  }
  const got = (name: string, bytes: number): void => {
    received[name] = (received[name] ?? 0) + bytes
  }

  const destination: Destination = {
    provider: 'dropbox',
    capabilities: {
      hashes: ['contentHash'],
      largestFile: 2 ** 40,
      chunk: { align: 4 << 20, largest: 148 << 20 },
      needsSize: false,
      foldersPerCall: 1000,
      commitsPerCall,
      commitLanes: 1,
      stage: staging ? { bodies: 4, bytes: 8 << 20 } : null,
      names: dropboxNames,
      timeResolutionMs: 1000,
      keepsVersionsDays,
    },
    openFolder: async (path) =>
      call('openFolder', path, () => {
        const there = nodes.get(lower(path))
        if (there?.bytes) return fail('name_taken')
        parents(path)
        return toFolder(there ?? write(path, null))
      }),
    ensureFolders: async (places) =>
      call('ensureFolders', places.map((place) => place.name).join(), () =>
        places.map((place): Result<Folder> => {
          const there = nodes.get(lower(pathOf(place)))
          if (there?.bytes) return { error: new WaybillError('name_taken', 'For the test.') }
          parents(pathOf(place))
          return { ok: toFolder(there ?? write(pathOf(place), null)) }
        }),
      ),
    ...(staging && {
      stage: async (bodies: readonly Uint8Array[]) =>
        call('stage', String(bodies.length), () => {
          got(
            'stage',
            bodies.reduce((sum, body) => sum + body.length, 0),
          )
          return bodies.map((body) => ({ ok: begin(body, true) }))
        }),
    }),
    begin: async (bytes, last) =>
      call('begin', String(bytes.length), () => {
        got('begin', bytes.length)
        return begin(bytes, last)
      }),
    append: async (session, offset, bytes, last) =>
      call('append', String(offset), () => {
        got('append', bytes.length)
        const held = sessions.get(session)
        if (held === undefined) return fail('session_lost')
        if (held.size !== offset || held.closed) return held.size
        held.bytes.push(Uint8Array.from(bytes))
        held.size += bytes.length
        held.closed = last
        return held.size
      }),
    commit: async (commits) =>
      call('commit', commits.map((commit) => commit.place.name).join(), () =>
        commits.map(commitOne),
      ),
    find: async (place) =>
      call('find', place.name, () => {
        const there = nodes.get(lower(pathOf(place)))
        if (there === undefined) return null
        return there.bytes === null ? { folder: toFolder(there) } : { file: toCopy(there) }
      }),
    move: async (from, to) =>
      call('move', to.name, () => {
        const node = byId(from.id)
        if (node === undefined) return fail('gone')
        const path = pathOf(to)
        const there = nodes.get(lower(path))
        if (there !== undefined && there.id !== node.id) return fail('name_taken')
        if (lower(path).startsWith(`${lower(node.path)}/`)) return fail('internal')
        if (node.path === path) return { id: node.id, path, version: node.version }
        const below = inside(node.path)
        remove(node.path)
        const moved = write(path, node.bytes, node.id)
        for (const each of below)
          write(`${path}${each.path.slice(node.path.length)}`, each.bytes, each.id)
        return { id: moved.id, path, version: moved.bytes === null ? null : moved.version }
      }),
    open: async () => fail('internal'),
    changesSince: async (folder, cursor) =>
      call('changesSince', folder.path, () => {
        const there = nodes.get(lower(folder.path))
        if (there === undefined || there.bytes !== null) return fail('gone')
        const under = ({ path }: { readonly path: string }): boolean =>
          lower(path).startsWith(`${lower(folder.path)}/`) || lower(path) === lower(folder.path)
        if (cursor !== null && Number(cursor) < oldest) return fail('cursor_lost')
        const changes =
          cursor === null
            ? inside(folder.path).map((node) => ({ ...node, path: lower(node.path), gone: false }))
            : log.slice(Number(cursor)).filter(under)
        return { changes, cursor: String(log.length), more: false }
      }),
    account: async () => call('account', '', () => ({ id: 'owner', label: 'o@example.com' })),
  }

  return {
    destination,
    put: (path, content) => {
      parents(path)
      write(path, typeof content === 'string' ? Buffer.from(content) : content)
    },
    mkdir: (path) => {
      parents(path)
      write(path, null)
    },
    remove,
    files: () =>
      Object.fromEntries(
        [...nodes.values()]
          .flatMap(({ path, bytes }) => (bytes === null ? [] : [[path, bytes] as const]))
          .map(([path, bytes]) => [path, Buffer.from(bytes).toString()] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    raw: (path) => nodes.get(lower(path))?.bytes ?? null,
    folders: () =>
      [...nodes.values()].filter((node) => node.bytes === null).map((node) => node.path),
    forgetCursors: () => {
      oldest = log.length + 1
      log.push({ path: '/nowhere', gone: true, id: null, version: null })
    },
    forgetSessions: () => sessions.clear(),
    onCall: (hook) => {
      before = hook
    },
    onAnswer: (hook) => {
      after = hook
    },
    received,
    calls,
  }
}
