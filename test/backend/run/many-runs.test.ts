import { describe, expect, it } from '@jest/globals'
import { isOver } from '../../../shared/job.ts'
import type { Random } from '../../clouds/random.ts'
import { seededRandom } from '../../clouds/random.ts'
import { startEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'

/** What may happen to a Drive between two runs, at random. */
function createTwister(t: Engine, top: string, random: Random) {
  const folders = [top, 'root', t.drive.folder('In', top), t.drive.folder('Out')]
  const files: string[] = []
  let count = 0
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const isBelow = (id: string, folder: string): boolean => {
    for (let at: string | null = id; at !== null && at !== 'root';) {
      if (at === folder) return true
      at = t.drive.item(at).parentId
    }
    return false
  }
  const name = (): string => ['a', 'A', 'b', 'b.txt', 'c'][Math.floor(random() * 5)] ?? 'z'
  const twist = (): void => {
    const folder = pick(folders) ?? top
    const file = pick(files)
    const other = pick(folders.slice(2)) ?? top
    count += 1
    const kind = Math.floor(random() * 8)
    if (kind === 0 || file === undefined) files.push(t.drive.file(name(), folder, `new ${count}`))
    else if (kind === 1) folders.push(t.drive.folder(name(), folder))
    else if (kind === 2) t.drive.change(file, {}, `changed ${count}`)
    else if (kind === 3) t.drive.change(file, { parentId: folder, name: name() })
    else if (kind === 4) t.drive.change(file, { trashed: !t.drive.item(file).trashed })
    else if (kind === 5) t.drive.change(other, { name: name() })
    else if (kind === 6 && !isBelow(folder, other)) t.drive.change(other, { parentId: folder })
    else if (kind === 7) t.drive.change(other, { trashed: !t.drive.item(other).trashed })
  }
  /** What somebody does at the destination, and what it forgets. */
  const twistElsewhere = (): void => {
    const path = pick([...Object.keys(t.dropbox.files()), ...t.dropbox.folders()])
    const folder = pick(t.dropbox.folders())
    const kind = Math.floor(random() * 4)
    if (kind === 0 && path !== undefined) t.dropbox.remove(path)
    else if (kind === 1 && folder !== undefined) {
      const free = `${folder}/${name()}`
      if (t.dropbox.raw(free) === null && !t.dropbox.folders().includes(free))
        t.dropbox.put(free, 'theirs')
    } else if (kind === 2) t.dropbox.forgetCursors()
  }
  return { twist, twistElsewhere, all: () => [...files, ...folders.slice(2)] }
}

async function pathOf(t: Engine, job: string, top: string, id: string): Promise<string> {
  if (id === top || id === 'waybill:top') return '/Backup'
  const row = await t.row(job, id)
  if (row?.placed === null || row?.placed === undefined || row.copy === null)
    throw new Error(`${id} has no copy`)
  return `${await pathOf(t, job, top, row.placed.parentId)}/${row.placed.name}`
}

async function isAsItShouldBe(t: Engine, job: string, top: string, all: readonly string[]) {
  const paths = new Set<string>()
  for (const id of t.drive.below(top)) {
    const path = await pathOf(t, job, top === 'root' ? 'waybill:top' : top, id)
    expect(paths.has(path)).toBe(false)
    paths.add(path)
    expect(Buffer.from(t.dropbox.raw(path) ?? []).toString()).toBe(
      Buffer.from(t.drive.bytes(id)).toString(),
    )
    const { parentId } = t.drive.item(id)
    // It lies where its original lies.
    expect((await t.row(job, id))?.placed?.parentId).toBe(parentId)
  }
  const rows = await Promise.all(all.map(async (id) => t.row(job, id)))
  const known = rows.filter((row) => row !== null && row.lined > 0 && !row.left).length
  expect((await t.job(job)).memory.known).toBe(known)
  const { lines, summary } = await t.receipt(job)
  expect(new Set(lines.map((line) => line.source.id)).size).toBe(lines.length)
  expect(summary.unchanged).toBeGreaterThanOrEqual(0)
  expect(summary).toMatchObject({ failed: 0 })
}

const selections = ['folder', 'drive'] as const
const seeds = Array.from({ length: 20 }, (_, n) => `seed ${n}`)

describe('many runs of a job, with anything happening in between', () => {
  it.each(selections.flatMap((kind) => seeds.map((seed) => [kind, seed] as const)))(
    'end with each item where it belongs (%s, %s)',
    async (kind, seed) => {
      const random = seededRandom(seed)
      const t = await startEngine()
      try {
        const top = t.drive.folder('Top')
        const { twist, twistElsewhere, all } = createTwister(t, top, random)
        for (let n = 0; n < 12; n += 1) twist()
        const job = await t.copy(
          kind === 'folder' ? { kind, id: top } : { kind, sharedDrives: false },
        )
        for (let run = 0; run < 6; run += 1) {
          for (let n = 0; n < 8; n += 1) twist()
          if (random() < 0.5) twistElsewhere()
          if (random() < 0.2) {
            await t.jobs.again(t.user, job)
            await t.deliver((step) => step >= random() * 60)
            const { run: begun } = await t.jobs.get(t.user, job)
            if (!isOver(begun.state)) await t.jobs.cancel(t.user, job)
            twist()
          }
          await t.jobs.again(t.user, job)
          // Some workers die, and in some runs more than one.
          for (let deaths = Math.floor(random() * 3); deaths > 0; deaths -= 1) {
            const at = 1 + Math.floor(random() * 60)
            await t.deliver((step) => step >= at)
            t.records.pass(61_000)
          }
          expect((await t.finish(job)).run.state).toBe('done')
          if (kind === 'folder') await isAsItShouldBe(t, job, top, all())
          else await isAsItShouldBe(t, job, 'root', [...all(), top])
        }
        await t.again(job)
        expect((await t.receipt(job)).lines).toEqual([])
      } finally {
        t.close()
      }
    },
  )
})
