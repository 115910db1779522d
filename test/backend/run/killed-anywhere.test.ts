import { describe, expect, it } from '@jest/globals'
import { startEngine } from '../engine/engine.ts'
import type { Engine, Life } from '../engine/engine.ts'

const selection = (engine: Engine) =>
  ({ kind: 'folder', id: engine.drive.item('folder-1').id }) as const

/** A little of everything; the top is `folder-1`. */
function plant({ drive }: Engine): void {
  const top = drive.folder('Top')
  const a = drive.folder('A', top)
  const b = drive.folder('B', a)
  drive.folder('empty', top)
  for (let n = 0; n < 4; n += 1) drive.file(`f${n}`, a, `content ${n}`)
  drive.file('twin', b, 'one')
  drive.file('TWIN', b, 'two')
  drive.document('doc', top, { docx: null, pdf: 'as pdf' })
  drive.file('locked', top, 'locked', { canDownload: false })
}

/** Renames, moves, new content, new, trashed and returning items. */
function replant({ drive, dropbox }: Engine): void {
  const id = (name: string): string => {
    for (let n = 1; n < 30; n += 1)
      for (const kind of ['file', 'folder', 'document']) {
        try {
          if (drive.item(`${kind}-${n}`).name === name) return `${kind}-${n}`
        } catch {
          // Not every number is of every kind.
        }
      }
    throw new Error(`nothing is called ${name}`)
  }
  drive.change(id('A'), { name: 'A renamed' })
  drive.change(id('B'), { parentId: id('Top') })
  drive.change(id('f0'), {}, 'other content')
  drive.change(id('f1'), { parentId: id('B'), name: 'f1 moved' }, 'moved and changed')
  drive.change(id('f2'), { trashed: true })
  drive.file('new', id('empty'), 'new')
  for (const path of Object.keys(dropbox.files())) if (path.endsWith('/f3')) dropbox.remove(path)
  dropbox.put('/Backup/empty/new', 'somebody else’s')
}

/** Source contents below the top. */
function wanted({ drive }: Engine): readonly string[] {
  const files = drive.below('folder-1').filter((id) => drive.item(id).canDownload)
  return [...files.map((id) => Buffer.from(drive.bytes(id)).toString()), 'as pdf']
}

async function checked(engine: Engine, job: string, also: readonly string[] = []): Promise<void> {
  expect(Object.values(engine.dropbox.files()).toSorted()).toEqual(
    [...wanted(engine), ...also].toSorted(),
  )
  const { lines } = await engine.receipt(job)
  expect(new Set(lines.map((line) => line.source.id)).size).toBe(lines.length)
}

/** Delivers until the run is over, the first worker dying where `diesAt` says. */
async function withOneDeath(engine: Engine, job: string, diesAt: Life['diesAt']): Promise<Life> {
  const life = await engine.deliver(diesAt)
  const end = await engine.finish(job)
  expect(end.run).toMatchObject({ state: 'done' })
  return life
}

async function firstRun(at: number, when: 'before' | 'after'): Promise<boolean> {
  const engine = await startEngine()
  try {
    plant(engine)
    const job = await engine.start(selection(engine))
    const life = await withOneDeath(engine, job, (step, now) => step >= at && now === when)
    await checked(engine, job)
    const { summary } = await engine.receipt(job)
    expect(summary).toMatchObject({ copied: 10, skipped: 1, failed: 0, lines: 11 })
    return life.dead
  } finally {
    engine.close()
  }
}

async function secondRun(at: number, when: 'before' | 'after'): Promise<boolean> {
  const engine = await startEngine()
  try {
    plant(engine)
    const job = await engine.copy(selection(engine))
    replant(engine)
    await engine.jobs.again(engine.user, job)
    const life = await withOneDeath(engine, job, (step, now) => step >= at && now === when)
    await checked(engine, job, ['somebody else’s', 'content 2'])
    const { lines, summary } = await engine.receipt(job)
    const outcomes = lines.map(({ source, outcome }) => `${source.path.at(-1)} ${outcome}`)
    expect(outcomes.toSorted()).toEqual(
      [
        'A renamed renamed',
        'B moved',
        'f0 copied',
        'f1 moved copied',
        'f2 skipped',
        'new copied',
        'f3 copied',
      ].toSorted(),
    )
    expect(summary.unchanged).toBe(5)
    return life.dead
  } finally {
    engine.close()
  }
}

describe('a worker that is killed between any two steps', () => {
  for (const when of ['before', 'after'] as const) {
    it(`in a first run, ${when} a call lands: everything is there once, with one line each`, async () => {
      let at = 1
      while (await firstRun(at, when)) at += 1
      expect(at).toBeGreaterThan(40)
    })

    it(`in a later run, ${when} a call lands: everything is there once, with one line each`, async () => {
      let at = 1
      while (await secondRun(at, when)) at += 1
      expect(at).toBeGreaterThan(40)
    })
  }
})
