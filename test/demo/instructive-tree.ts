import { createHash } from 'node:crypto'
import type { ErrorCode } from '../../shared/errors.ts'
import type { ContentSource, NewItem } from '../clouds/drive/item.ts'
import { mime } from '../clouds/drive/item.ts'
import type { ForkedClouds } from '../clouds/fork.ts'
import type { SeededDrive } from './seeded-drive.ts'

const KiB = 1024
const MiB = 1024 * KiB

/**
 * Fills the clouds with every case that is known to be hard, each by its name.
 *
 * @param to the path of the folder in Dropbox into which the Drive will be copied
 */
export async function seedInstructiveTree(clouds: ForkedClouds, to: string): Promise<SeededDrive> {
  const drive = clouds.drive.control
  const cases: { id: string; name: string; what: string }[] = []
  const expected = new Map<string, ErrorCode>()
  const add = async (what: string, item: NewItem, reason?: ErrorCode): Promise<string> => {
    const id = await drive.add(item)
    cases.push({ id, name: item.name, what })
    if (reason !== undefined) expected.set(id, reason)
    return id
  }

  const names = await drive.addFolder('Hard names')
  for (const [what, name] of hardNames)
    await add(what, { name, parent: names, content: `This is ${what}.` })
  const folder = await add('a folder of the same name', {
    name: 'File or folder',
    parent: names,
    mimeType: mime.folder,
  })
  await drive.addFile(folder, 'inside.txt', 'inside')
  const theirs = 'Somebody else wrote this.'
  await clouds.dropbox.control.put(`${to}/My Drive/Hard names/Already there.txt`, theirs)

  const documents = await drive.addFolder('Google documents')
  for (const [what, name, kind, exportSize] of hardDocuments)
    await add(what, { name, parent: documents, mimeType: mime[kind], exportSize })
  const form = { name: 'Questions', parent: documents, mimeType: mime.form }
  await add('a form, which has no file format', form, 'not_exportable')

  const parent = await drive.addFolder('Shortcuts')
  const target = await drive.addFile(parent, 'Target.txt', 'What a shortcut points at.')
  const shortcut = async (
    what: string,
    name: string,
    targetId: string,
    reason: ErrorCode,
  ): Promise<string> => add(what, { name, parent, targetId }, reason)
  await shortcut('a shortcut to a file', 'To the target', target, 'shortcut')
  await shortcut('a shortcut to nothing', 'To nothing', '1-deleted-long-ago', 'dangling_shortcut')
  await shortcut('a shortcut to its own folder', 'To where I am', parent, 'shortcut')

  const contents = await drive.addFolder('Hard contents')
  const file = async (
    what: string,
    name: string,
    content: ContentSource,
    more: Partial<NewItem> = {},
    reason?: ErrorCode,
  ): Promise<string> => add(what, { ...more, name, parent: contents, content }, reason)
  await file('a file of 0 bytes', 'Empty.txt', '')
  await add('an empty folder', { name: 'Empty folder', parent: contents, mimeType: mime.folder })
  const restless = { pattern: 'at first', size: 300 * KiB }
  await drive.changeWhileRead(
    await file('a file that changes while it is read', 'Restless.bin', restless),
    { ...restless, pattern: 'a moment later' },
  )
  const locked = { canDownload: false }
  await file('a file that must not be downloaded', 'Locked.pdf', '-', locked, 'download_forbidden')

  const friend = { name: 'From a friend.txt', sharedWithMe: true, content: 'Shared with me.' }
  await add('a file shared with me', friend)
  await add('a file in no folder', { name: 'Orphan.txt', parent: null, content: 'Where am I?' })

  const small = await drive.addFolder('Two hundred small files')
  const plan = { parent: small, folders: 5, filesPerFolder: 40, fileSize: 4 * KiB }
  const { folders, files } = await drive.addTree(plan)
  const sha256 = createHash('sha256').update(theirs).digest('hex')
  return {
    cases,
    expected,
    others: new Map([[`${to.slice(1)}/My Drive/Hard names/Already there.txt`, sha256]]),
    changes: {
      renamed: folders[2] ?? '',
      changed: files[0] ?? '',
      trashed: files[1] ?? '',
      parent: small,
    },
  }
}

const hardNames: readonly (readonly [what: string, name: string])[] = [
  ['one of two files of one name', 'Same name.txt'],
  ['the other of the two', 'Same name.txt'],
  ['a name with a capital', 'Case.txt'],
  ['the same name without it', 'case.txt'],
  ['é as one character (NFC)', 'caf\u00e9.txt'],
  ['é as two characters (NFD)', 'cafe\u0301.txt'],
  ['a slash, which is no folder', 'a/b – a slash in the name.txt'],
  ['a name that Dropbox reserves', 'desktop.ini'],
  ['a dot at the end', 'The end.'],
  ['a space at the end', 'Space '],
  ['a line break', 'Two\nlines.txt'],
  ['a name of 260 characters', `${'long '.repeat(51)}x.txt`],
  ['a name that is taken at Dropbox', 'Already there.txt'],
  ['a file with the name of a folder', 'File or folder'],
]

const hardDocuments: readonly (readonly [
  what: string,
  name: string,
  kind: keyof typeof mime,
  exportSize: number,
])[] = [
  ['a document', 'Letter', 'document', 20 * KiB],
  ['a spreadsheet', 'Budget', 'spreadsheet', 30 * KiB],
  ['a presentation', 'Talk', 'presentation', 90 * KiB],
  ['a drawing', 'Sketch', 'drawing', 5 * KiB],
  ['a spreadsheet over 10 MB', 'Ten years', 'spreadsheet', 11 * MiB],
]
