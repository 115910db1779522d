import { describe, expect, it } from '@jest/globals'
import type { ErrorCode } from '../../shared/errors.ts'
import type { ReceiptLine } from '../../shared/receipt.ts'
import type { Dump, DumpEntry } from '../clouds/simulated-cloud.ts'
import { compareTrees } from './compare-trees.ts'
import type { Evidence } from './compare-trees.ts'
import { isProven } from './report.ts'

function entry(kind: DumpEntry['kind'], id: string, sha256: string | null = null): DumpEntry {
  const modified = '2026-11-20T08:00:00.500Z'
  return { kind, id, size: sha256 === null ? null : 3, sha256, modified }
}

function line(id: string, outcome: ReceiptLine['outcome'], reason: ErrorCode | null = null) {
  const said: ReceiptLine = {
    source: { id, path: [], kind: 'file', version: '', modifiedAt: '', hashes: {} },
    outcome,
    destination:
      reason === null || reason === 'left_selection'
        ? { path: '', id: `copy of ${id}`, version: '', bytes: 0, hashes: {} }
        : null,
    proof: null,
    reason,
    notes: [],
    at: '',
  }
  return said
}

/** A folder with a file, a document and a shortcut in it; one thing was at the destination before, one has left. */
const right = {
  source: {
    Folder: entry('folder', 'folder'),
    'Folder/a/b.txt': entry('file', 'file', 'aaa'),
    'Folder/Letter': entry('document', 'letter'),
    'Folder/Link': entry('shortcut', 'link'),
  },
  destination: {
    'To/Folder': entry('folder', 'copy of folder'),
    To: entry('folder', 'to'),
    'To/Folder/a_b.txt': entry('file', 'copy of file', 'aaa'),
    'To/Folder/Letter.docx': entry('file', 'copy of letter', 'ddd'),
    'To/Folder/old.txt': entry('file', 'copy of old', 'ooo'),
    'To/theirs.txt': entry('file', 'theirs', 'ttt'),
  },
  lines: [
    line('folder', 'copied'),
    line('file', 'copied'),
    line('letter', 'copied'),
    line('link', 'skipped', 'shortcut'),
    line('old', 'copied'),
    line('old', 'skipped', 'left_selection'),
  ],
  exports: new Map([['letter', 'ddd']]),
  expected: new Map<string, ErrorCode>([['link', 'shortcut']]),
  others: new Map([['To/theirs.txt', 'ttt']]),
}

function tampered(part: keyof Pick<Evidence, 'source' | 'destination'>, changes: Dump): Evidence {
  return { ...right, [part]: { ...right[part], ...changes } }
}

function without(part: 'source' | 'destination', path: string): Evidence {
  const rest = Object.entries(right[part]).filter(([each]) => each !== path)
  return { ...right, [part]: Object.fromEntries(rest) }
}

const wrongs: readonly (readonly [what: string, evidence: Evidence])[] = [
  [
    'one byte of a copy is another one',
    tampered('destination', { 'To/Folder/a_b.txt': entry('file', 'copy of file', 'aab') }),
  ],
  [
    'a copy is shorter',
    tampered('destination', {
      'To/Folder/a_b.txt': { ...entry('file', 'copy of file', 'aaa'), size: 2 },
    }),
  ],
  [
    'a copy lost its date',
    tampered('destination', {
      'To/Folder/a_b.txt': {
        ...entry('file', 'copy of file', 'aaa'),
        modified: '2026-11-20T08:00:01Z',
      },
    }),
  ],
  ['an exported document differs', { ...right, exports: new Map([['letter', 'ddx']]) }],
  ['there is nothing to compare a document with', { ...right, exports: new Map() }],
  ['a copy is missing', without('destination', 'To/Folder/a_b.txt')],
  ['a folder is missing', without('destination', 'To/Folder')],
  [
    'a folder became a file',
    tampered('destination', { 'To/Folder': entry('file', 'copy of folder', 'fff') }),
  ],
  [
    'a copy lies in another folder',
    {
      ...right,
      destination: {
        ...without('destination', 'To/Folder/a_b.txt').destination,
        'To/a_b.txt': entry('file', 'copy of file', 'aaa'),
      },
    },
  ],
  ['no receipt speaks of an item', { ...right, lines: right.lines.slice(1) }],
  [
    'two items share one copy',
    {
      ...right,
      lines: [...right.lines, line('twin', 'copied')].map((each) =>
        each.source.id === 'twin'
          ? { ...line('twin', 'copied'), destination: line('file', 'copied').destination }
          : each,
      ),
      source: { ...right.source, 'Folder/twin.txt': entry('file', 'twin', 'aaa') },
    },
  ],
  [
    'an item was left out for another reason than the right one',
    { ...right, expected: new Map<string, ErrorCode>([['link', 'dangling_shortcut']]) },
  ],
  ['an item was left out that can be copied', { ...right, expected: new Map() }],
  [
    'something is at the destination and nowhere else',
    tampered('destination', { 'To/stray.txt': entry('file', 'stray', 'sss') }),
  ],
  [
    'what lay there before was replaced',
    tampered('destination', { 'To/theirs.txt': entry('file', 'theirs', 'xxx') }),
  ],
]

describe('comparing two clouds', () => {
  it('proves a copy with which nothing is wrong', () => {
    const comparison = compareTrees(right)
    expect(comparison).toMatchObject({
      files: 2,
      proven: 2,
      folders: 1,
      provenFolders: 1,
      kept: 1,
      wrong: [],
      accounted: [{ id: 'link', path: 'Folder/Link', reason: 'shortcut' }],
    })
    expect(comparison.places.get('letter')).toBe('To/Folder/Letter.docx')
    expect(isProven(comparison)).toBe(true)
  })

  it.each(wrongs)('does not call a copy proven when %s', (_what, evidence) => {
    const comparison = compareTrees(evidence)
    expect(comparison.wrong).not.toEqual([])
    expect(isProven(comparison)).toBe(false)
  })
})
