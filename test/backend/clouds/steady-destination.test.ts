import { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import type { Copy, Destination } from '../../../backend/clouds/cloud.ts'
import { WaybillError } from '../../../shared/errors.ts'
import { failure, inTurn, steadied } from './steady-clouds.ts'

describe('a steady destination', () => {
  const place = { parent: { id: 'id:folder', path: '/Backups' }, name: 'a.txt' }
  const copy: Copy = {
    id: 'id:1',
    version: 'r1',
    path: '/Backups/a.txt',
    bytes: 3,
    hashes: { contentHash: 'aa' },
  }
  const commit = {
    session: 's1',
    size: 3,
    place,
    modifiedAt: '2026-01-01T00:00:00.000Z',
    precondition: { if: 'absent' },
    hashes: { contentHash: 'aa' },
  } as const

  it('sends only the entries again that failed in passing, and keeps the order', async () => {
    const { destination, end } = steadied()
    const sent: (readonly string[])[] = []
    const { destination: steady } = destination({
      ensureFolders: (places) => {
        sent.push(places.map((each) => each.name))
        return Promise.resolve(
          places.map(({ name }) => {
            if (name === 'taken') return { error: failure('name_taken') }
            if (name === 'busy' && sent.length < 3) return { error: failure('busy') }
            return { ok: { id: name, path: `/${name}` } }
          }),
        )
      },
    })
    const names = ['first', 'busy', 'taken', 'last']
    const results = await end(steady.ensureFolders(names.map((name) => ({ ...place, name }))))
    expect(sent).toEqual([names, ['busy'], ['busy']])
    expect(results).toMatchObject([
      { ok: { id: 'first' } },
      { ok: { id: 'busy' } },
      { error: { code: 'name_taken' } },
      { ok: { id: 'last' } },
    ])
  })

  it('keeps what succeeded when a later attempt fails for good', async () => {
    const { destination, end } = steadied()
    const { destination: steady } = destination({
      commit: inTurn([{ ok: copy }, { error: failure('busy') }], failure('connection_expired')),
    })
    expect(await end(steady.commit([commit, commit]))).toMatchObject([
      { ok: { id: 'id:1' } },
      { error: { code: 'connection_expired' } },
    ])
  })

  it('throws what fails for all', async () => {
    const { destination, end } = steadied()
    const { destination: steady } = destination({
      commit: inTurn<never>(failure('destination_full')),
    })
    expect(await end(steady.commit([commit, commit]))).toMatchObject({ code: 'destination_full' })
  })

  it('leaves the error with entries that stay busy', async () => {
    const { destination, end } = steadied()
    const { destination: steady, calls } = destination({
      commit: (commits) =>
        Promise.resolve(
          commits.map(({ session }) =>
            session === 'free' ? { ok: copy } : { error: failure('busy') },
          ),
        ),
    })
    expect(await end(steady.commit([commit, { ...commit, session: 'free' }]))).toMatchObject([
      { error: { code: 'busy' } },
      { ok: { id: 'id:1' } },
    ])
    expect(calls()).toEqual({ commit: 8 })
  })

  it('stages only where the destination does, and each body that failed again', async () => {
    const { destination, end } = steadied()
    expect('stage' in destination({}).destination).toBe(false)
    const { destination: steady } = destination({
      stage: inTurn([{ ok: 's1' }, { error: failure('damaged_in_transit') }], [{ ok: 's2' }]),
    })
    expect(
      steady.stage && (await end(steady.stage([new Uint8Array(1), new Uint8Array(2)]))),
    ).toEqual([{ ok: 's1' }, { ok: 's2' }])
  })

  it('refuses an answer about another number of entries', async () => {
    const { destination, end } = steadied()
    const { destination: steady } = destination({ commit: inTurn([{ ok: copy }]) })
    expect(await end(steady.commit([commit, commit]))).toMatchObject({ code: 'internal' })
  })

  describe('whose answer to a commit was lost', () => {
    const lost = [{ error: failure('session_lost') }]

    async function outcome(
      found: Awaited<ReturnType<Destination['find']>> | WaybillError,
      change: object = {},
      first = failure('unavailable'),
    ) {
      const { destination, end } = steadied()
      const { destination: steady } = destination({
        commit: inTurn(first, lost),
        find: () =>
          found instanceof WaybillError ? Promise.reject(found) : Promise.resolve(found),
      })
      return end(steady.commit([{ ...commit, ...change }]))
    }

    it('finds the copy that it had made', async () => {
      expect(await outcome({ file: copy })).toEqual([{ ok: copy }])
    })

    it('does not take other bytes of the same length for it', async () => {
      const other = { file: { ...copy, hashes: { contentHash: 'bb' } } }
      expect(await outcome(other)).toEqual(lost)
    })

    it('does not take a file of another length for it', async () => {
      expect(await outcome({ file: { ...copy, bytes: 4 } })).toEqual(lost)
    })

    it('goes by the length where no checksum is known', async () => {
      expect(await outcome({ file: copy }, { hashes: {} })).toEqual([{ ok: copy }])
    })

    it('does not take the version that was to be replaced for it', async () => {
      const precondition = { if: 'version', version: 'r1' }
      expect(await outcome({ file: copy }, { precondition, hashes: {} })).toEqual(lost)
    })

    it('says that the session is lost where nothing lies, or a folder', async () => {
      expect(await outcome(null)).toEqual(lost)
      expect(await outcome({ folder: { id: 'id:2', path: '/Backups/a.txt' } })).toEqual(lost)
    })

    it('says why it could not look', async () => {
      expect(await outcome(failure('connection_expired'))).toMatchObject([
        { error: { code: 'connection_expired' } },
      ])
    })

    it('goes by a checksum alone where the session was lost from the beginning', async () => {
      const { destination, end } = steadied()
      const { destination: steady } = destination({
        commit: inTurn([...lost, ...lost]),
        find: () => Promise.resolve({ file: copy }),
      })
      expect(await end(steady.commit([commit, { ...commit, hashes: {} }]))).toEqual([
        { ok: copy },
        ...lost,
      ])
    })
  })

  describe('whose answer to a move was lost', () => {
    const from = { id: 'id:1', path: '/Backups/old.txt' }

    it('finds what it had moved', async () => {
      const { destination, end } = steadied()
      const { destination: steady } = destination({
        move: inTurn<never>(failure('unavailable'), failure('gone')),
        find: () => Promise.resolve({ file: copy }),
      })
      expect(await end(steady.move(from, place))).toEqual({
        id: 'id:1',
        path: '/Backups/a.txt',
        version: 'r1',
      })
    })

    it('takes nothing else for it', async () => {
      const { destination, end } = steadied()
      const { destination: steady } = destination({
        move: inTurn<never>(failure('unavailable'), failure('gone')),
        find: () => Promise.resolve({ file: { ...copy, id: 'id:2' } }),
      })
      expect(await end(steady.move(from, place))).toMatchObject({ code: 'gone' })
    })

    it('does not look if it was the first attempt', async () => {
      const { destination, end } = steadied()
      const { destination: steady, calls } = destination({ move: inTurn<never>(failure('gone')) })
      expect(await end(steady.move(from, place))).toMatchObject({ code: 'gone' })
      expect(calls()).toEqual({ move: 1 })
    })
  })

  it('hands every other method on, with its arguments', async () => {
    const { destination } = steadied()
    const told: unknown[] = []
    const tell =
      <T>(answer: T) =>
      (...args: readonly unknown[]): Promise<T> => {
        told.push(args)
        return Promise.resolve(answer)
      }
    const folder = place.parent
    const body = { stream: Readable.from([]), length: 0, from: 2 }
    const changes = { changes: [], cursor: 'cursor', more: false }
    const account = { id: 'dbid:1', label: 'Ada' }
    const { destination: steady } = destination({
      openFolder: tell(folder),
      begin: tell('session'),
      append: tell(7),
      open: tell(body),
      changesSince: tell(changes),
      account: tell(account),
    })
    const bytes = new Uint8Array(3)
    const answers = [
      await steady.openFolder('/Backups'),
      await steady.begin(bytes, true, copy.hashes),
      await steady.append('s1', 4, bytes, false, copy.hashes),
      await steady.open(copy, { from: 2 }),
      await steady.changesSince(folder, null),
      await steady.account(),
    ]
    expect(answers).toEqual([folder, 'session', 7, body, changes, account])
    expect(told).toEqual([
      ['/Backups'],
      [bytes, true, copy.hashes],
      ['s1', 4, bytes, false, copy.hashes],
      [copy, { from: 2 }],
      [folder, null],
      [],
    ])
  })
})
