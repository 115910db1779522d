import { basename } from 'node:path'
import type { ErrorCode } from '../../shared/errors.ts'
import type { ForkedClouds } from '../clouds/fork.ts'

/** What a demo knows about the Drive that it made. */
export interface SeededDrive {
  /** Items worth a look, their names in the Drive, and what is hard about each. */
  readonly cases: readonly { readonly id: string; readonly name: string; readonly what: string }[]
  /** Items that nobody can copy → the one reason that is right. */
  readonly expected: ReadonlyMap<string, ErrorCode>
  /** What lies in the Dropbox before anything is copied: path in a dump → sha256 as hex. */
  readonly others: ReadonlyMap<string, string>
  /** What a person will do to the Drive after the first copy; empty ids where there is nothing to do it to. */
  readonly changes: {
    readonly renamed: string
    readonly changed: string
    readonly trashed: string
    readonly parent: string
  }
}

/** Puts a real folder into the Drive. Its files are read when somebody downloads them, and never written. */
export async function seedRealFolder(
  { drive }: ForkedClouds,
  folder: string,
): Promise<SeededDrive> {
  const { control } = drive
  const parent = await control.addFolder(basename(folder))
  await control.seedFolder(folder, parent)
  const entries = Object.values(await control.dump())
  const files = entries.filter(({ kind }) => kind === 'file')
  const folders = entries.filter(({ id, kind }) => kind === 'folder' && id !== parent)
  const [first, second] = files
  return {
    cases: [],
    expected: new Map(),
    others: new Map(),
    changes: {
      renamed: folders[0]?.id ?? '',
      changed: first?.id ?? '',
      trashed: second?.id ?? '',
      parent,
    },
  }
}

/** What a person does to their Drive between two runs. Only the simulated Drive changes. */
export async function changeDrive(
  { drive }: ForkedClouds,
  { renamed, changed, trashed, parent }: SeededDrive['changes'],
): Promise<readonly string[]> {
  const { control } = drive
  const done: string[] = []
  if (renamed !== '') {
    await control.update(renamed, { name: 'A new name for this folder' })
    done.push('renamed a folder')
  }
  if (changed !== '') {
    await control.update(changed, { content: 'Rewritten after the first copy.' })
    done.push('rewrote a file')
  }
  if (trashed !== '') {
    await control.update(trashed, { trashed: true })
    done.push('put a file into the trash')
  }
  await control.addFile(parent, 'New.txt', 'Written after the first copy.')
  done.push('added a file')
  return done
}
