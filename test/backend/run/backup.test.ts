import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { seededRandom } from '../../clouds/random.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

const backup = { kind: 'backup' } as const

let t: Engine
let top: string
async function begin(keepsVersionsDays: number | null): Promise<void> {
  t = await startEngine({ dropbox: { keepsVersionsDays } })
  top = t.drive.folder('Top')
}
afterEach(() => t.close())

const of = (id: string) => ({ kind: 'folder', id }) as const
const contents = (): readonly string[] => Object.values(t.dropbox.files()).toSorted()

describe('a backup to a destination that keeps versions', () => {
  beforeEach(async () => begin(30))

  it('replaces what has changed, as a copy does', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const job = await t.copy(of(top), backup)
    t.drive.change(file, {}, 'two')
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/f.txt': 'two' })
  })

  it('keeps the copy of what was removed at the source', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const job = await t.copy(of(top), backup)
    t.drive.change(file, { trashed: true })
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/f.txt': 'one' })
    expect((await t.receipt(job)).lines).toMatchObject([
      { outcome: 'skipped', reason: 'left_selection' },
    ])
  })
})

describe('a backup to a destination that keeps no versions', () => {
  beforeEach(async () => begin(null))

  it('puts new bytes beside the old ones, with a date in their name', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const job = await t.copy(of(top), backup)
    t.drive.change(file, {}, 'two')
    await t.again(job)
    t.drive.change(file, {}, 'three')
    await t.again(job)
    const files = t.dropbox.files()
    expect(files['/Backup/f.txt']).toBe('one')
    expect(contents()).toEqual(['one', 'three', 'two'])
    const dated = Object.keys(files).filter((path) => path !== '/Backup/f.txt')
    for (const path of dated)
      expect(path).toMatch(/^\/Backup\/f \(\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\)\.txt$/)
    const { lines } = await t.receipt(job)
    const notes = [expect.stringContaining('date')]
    expect(lines).toMatchObject([{ outcome: 'copied', proof: 'both-checksums', notes }])
    expect(dated).toContain(lines[0]?.destination?.path)
    await t.again(job)
    expect((await t.receipt(job)).lines).toEqual([])
  })

  it('moves and renames what has not changed, with its date', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const folder = t.drive.folder('In', top)
    const job = await t.copy(of(top), backup)
    t.drive.change(file, {}, 'two')
    await t.again(job)
    t.drive.change(file, { name: 'g.txt', parentId: folder })
    await t.again(job)
    const [moved = ''] = Object.entries(t.dropbox.files()).find(([, text]) => text === 'two') ?? []
    expect(moved).toMatch(/^\/Backup\/In\/g \(.*\)\.txt$/)
    expect(t.dropbox.files()['/Backup/f.txt']).toBe('one')
    expect((await t.receipt(job)).lines).toMatchObject([{ outcome: 'moved' }])
  })

  it('moves no older copy along with what has moved and changed', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const folder = t.drive.folder('In', top)
    const job = await t.copy(of(top), backup)
    t.drive.change(file, { parentId: folder }, 'two')
    await t.again(job)
    expect(t.dropbox.files()['/Backup/f.txt']).toBe('one')
    expect(contents()).toEqual(['one', 'two'])
  })

  it('replaces all the same in a job that is a copy', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const job = await t.copy(of(top))
    t.drive.change(file, {}, 'two')
    await t.again(job)
    expect(t.dropbox.files()).toEqual({ '/Backup/f.txt': 'two' })
  })

  it('does not replace what a killed and cancelled run has left unrecorded', async () => {
    const file = t.drive.file('f.txt', top, 'one')
    const job = await t.start(of(top), backup)
    await t.deliver((_step, when, name) => when === 'after' && name === 'destination.commit')
    expect(contents()).toEqual(['one'])
    await t.jobs.cancel(t.user, job)
    t.drive.change(file, {}, 'two')
    await t.again(job)
    expect(contents()).toEqual(['one', 'two'])
    expect((await t.receipt(job)).summary).toMatchObject({ copied: 1, failed: 0 })
  })

  it('never loses any bytes, with workers killed anywhere', async () => {
    for (const when of ['before', 'after'] as const)
      for (let at = 1, dead = true; dead; at += 1) {
        t.close()
        await begin(null)
        const [a = '', b = ''] = ['a', 'b'].map((name) => t.drive.file(name, top, `${name} one`))
        const job = await t.copy(of(top), backup)
        t.drive.change(a, {}, 'a two')
        t.drive.change(b, { name: 'c' }, 'b two')
        await t.jobs.again(t.user, job)
        const life = await t.deliver((step, now) => step >= at && now === when)
        dead = life.dead
        // It changes once more while nobody is at work.
        if (at % 2 === 0) t.drive.change(a, {}, 'a three')
        expect((await t.finish(job)).run.state).toBe('done')
        await t.again(job)
        const newest = at % 2 === 0 ? 'a three' : 'a two'
        for (const text of ['a one', 'b one', 'b two', newest]) expect(contents()).toContain(text)
        const row = await t.row(job, a)
        const current = row?.placed?.name ?? ''
        expect(t.dropbox.files()[`/Backup/${current}`]).toBe(newest)
      }
  })

  it.each(Array.from({ length: 10 }, (_, n) => `seed ${n}`))(
    'never loses any bytes, whatever happens (%s)',
    async (seed) => {
      const random = seededRandom(seed)
      const folders = [top, t.drive.folder('In', top), t.drive.folder('Out', top)]
      const files: string[] = []
      const pick = <T>(from: readonly T[]): T | undefined =>
        from[Math.floor(random() * from.length)]
      const ever = new Set<string>()
      let count = 0
      const job = await t.copy(of(top), backup)
      for (let run = 0; run < 8; run += 1) {
        for (let n = 0; n < 6; n += 1) {
          const file = pick(files)
          const name = pick(['a.txt', 'A.txt', 'b.txt']) ?? ''
          const parentId = pick(folders) ?? top
          count += 1
          if (file === undefined || random() < 0.3)
            files.push(t.drive.file(name, parentId, `content ${count}`))
          else if (random() < 0.5) t.drive.change(file, {}, `content ${count}`)
          else t.drive.change(file, { name, parentId, trashed: random() < 0.2 })
        }
        await t.jobs.again(t.user, job)
        for (let deaths = Math.floor(random() * 3); deaths > 0; deaths -= 1) {
          const at = 1 + Math.floor(random() * 40)
          await t.deliver((step) => step >= at)
          t.records.pass(61_000)
        }
        expect((await t.finish(job)).run.state).toBe('done')
        const now = contents()
        expect([...ever].filter((text) => !now.includes(text))).toEqual([])
        for (const text of now) ever.add(text)
        for (const id of t.drive.below(top)) {
          const row = await t.row(job, id)
          if (row === null || row.item.kind === 'folder') continue
          const bytes = Buffer.from(t.drive.bytes(id)).toString()
          expect(contents()).toContain(bytes)
          expect(row.copy).not.toBeNull()
        }
      }
    },
  )
})

describe('a backup that would replace many copies', () => {
  beforeEach(async () => begin(30))

  async function planted(files: number): Promise<{
    readonly job: string
    readonly change: (count: number, text: string) => void
  }> {
    const ids = Array.from({ length: files }, (_, n) => t.drive.file(`f${n}`, top, `old ${n}`))
    return {
      job: await t.copy(of(top), backup),
      change: (count, text) => {
        for (const id of ids.slice(0, count)) t.drive.change(id, {}, `${text} ${id}`)
      },
    }
  }
  const encrypted = (): number => contents().filter((text) => text.startsWith('new')).length
  const again = async (job: string) => {
    await t.jobs.again(t.user, job)
    return t.finish(job)
  }
  const asks = { run: { state: 'paused', reason: 'many_changes', resumesAt: null } }

  it('replaces a hundred without a question', async () => {
    const { job, change } = await planted(120)
    change(100, 'new')
    expect(await again(job)).toMatchObject({ run: { state: 'done' } })
    expect(encrypted()).toBe(100)
  })

  it('replaces a tenth of what it knows without a question, and no more', async () => {
    // With the folder that is copied, that is not known, and with one inside it, which is.
    t.drive.folder('In', top)
    const { job, change } = await planted(1_499)
    expect((await t.job(job)).memory.known).toBe(1_500)
    change(150, 'new')
    expect(await again(job)).toMatchObject({ run: { state: 'done' } })
    change(151, 'newer')
    expect(await again(job)).toMatchObject(asks)
    expect(contents().filter((text) => text.startsWith('newer'))).toEqual([])
  })

  it('pauses before it replaces the first, and goes on when its owner says so', async () => {
    const { job, change } = await planted(110)
    change(101, 'new')
    expect(await again(job)).toMatchObject(asks)
    expect(encrypted()).toBe(0)
    // Time alone changes nothing.
    t.records.pass(7 * 24 * 3_600_000)
    await t.tick()
    expect(await t.jobs.get(t.user, job)).toMatchObject(asks)
    await t.jobs.resume(t.user, job)
    expect(await t.finish(job)).toMatchObject({ run: { state: 'done', totals: { copied: 101 } } })
    expect(encrypted()).toBe(101)
  })

  it('counts copies that have to be moved as well', async () => {
    const { job, change } = await planted(110)
    change(101, 'new')
    for (let n = 1; n <= 60; n += 1) t.drive.change(`file-${n + 1}`, { name: `renamed ${n}` })
    expect(await again(job)).toMatchObject(asks)
  })

  it('asks for each run anew', async () => {
    const { job, change } = await planted(110)
    change(101, 'new')
    await again(job)
    await t.jobs.resume(t.user, job)
    await t.finish(job)
    change(101, 'newer')
    expect(await again(job)).toMatchObject(asks)
  })

  it('asks again about what a cancelled run has left', async () => {
    const { job, change } = await planted(110)
    change(101, 'new')
    await again(job)
    await t.jobs.cancel(t.user, job)
    expect(await again(job)).toMatchObject(asks)
    expect(encrypted()).toBe(0)
  })

  it('remembers the answer when it is killed anywhere afterwards, also when it is paused again', async () => {
    const { job, change } = await planted(110)
    for (let at = 1, dead = true; dead; at += at < 20 ? 1 : 4) {
      change(101, `new ${at}`)
      await again(job)
      expect(await t.jobs.get(t.user, job)).toMatchObject(asks)
      await t.jobs.resume(t.user, job)
      const life = await t.deliver((step) => step >= at)
      dead = life.dead
      t.records.pass(61_000)
      const { run } = await t.jobs.get(t.user, job)
      if (run.state === 'running' && at % 2 === 0) {
        await t.jobs.pause(t.user, job)
        await t.jobs.resume(t.user, job)
      }
      expect(await t.finish(job)).toMatchObject({ run: { state: 'done', totals: { copied: 101 } } })
    }
  })

  it('asks nothing in a job that is a copy, nor in a first run', async () => {
    const ids = Array.from({ length: 110 }, (_, n) => t.drive.file(`f${n}`, top, `old ${n}`))
    const job = await t.copy(of(top))
    for (const id of ids) t.drive.change(id, {}, `new ${id}`)
    await t.again(job)
    expect(encrypted()).toBe(110)
  })
})
