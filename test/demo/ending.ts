import { createAmounts } from '../../backend/cli/amounts.ts'
import { printable } from '../../backend/cli/printable.ts'
import { explain } from '../../shared/words.ts'
import type { Comparison } from './compare-trees.ts'
import type { Played } from './play.ts'
import type { Act } from './prompt.ts'
import type { Screen } from './screen.ts'
import type { SeededDrive } from './seeded-drive.ts'

const longestName = 30
const mostWrong = 20

/** What the best other tool takes, for as many files as these. */
const best = { name: 'rclone ≥ 1.75', calls: 659, files: 200 } as const

/** Says what came of it all: what is proven, what became of the hard cases, and how many calls it took. */
export function tellEnding(
  screen: Screen,
  { comparison, acts }: Played,
  { cases, expected, others }: SeededDrive,
  options: {
    readonly locale: string
    readonly keptReceipts: readonly string[]
  },
): void {
  const { count } = createAmounts(options.locale)
  const wrongly = 'not as it should be'
  const copyOf = (id: string): string => {
    const place = comparison.places.get(id)
    return place === undefined ? wrongly : shortened(place.slice(place.lastIndexOf('/') + 1))
  }
  const reasonOf = (id: string): string => {
    const found = comparison.accounted.find((each) => each.id === id)
    return found === undefined ? wrongly : explain(found.reason).what
  }
  tellProof(screen, comparison, others.size, count)

  const copied = cases.filter(({ id }) => !expected.has(id))
  if (copied.length > 0) {
    screen.say('', 'The hard cases, in the Drive and at Dropbox:', '')
    screen.rows(copied.map(({ id, name, what }) => [`  ${what}`, shortened(name), copyOf(id)]))
  }
  const left = cases.filter(({ id }) => expected.has(id))
  if (left.length > 0) {
    screen.say('', 'What nobody can copy, and why:', '')
    screen.rows(left.map(({ id, name }) => [`  ${shortened(name)}`, reasonOf(id)]))
  }

  screen.say('', 'Calls to the clouds:', '')
  screen.rows(callRows(acts, count))

  screen.say('')
  const [kept] = options.keptReceipts
  if (kept === undefined)
    screen.say('The receipts go with the temporary folder. To keep them: --keep DIR')
  else
    screen.say(
      'The receipts, one line of JSON for each item:',
      ...options.keptReceipts.map((file) => `  ${file}`),
    )
}

function callRows(
  [first, ...later]: Played['acts'],
  count: (value: number) => string,
): readonly (readonly string[])[] {
  const callsOf = ({ traffic }: Act): number => traffic.drive + traffic.dropbox
  const each = (calls: number, files: number): string =>
    `${(Math.round((100 * calls) / files) / 100).toFixed(2)} a file`
  const files = first.receipt.lines.filter(
    ({ outcome, source }) => outcome === 'copied' && source.kind !== 'folder',
  ).length
  const calls = callsOf(first)
  // The calls that every run makes weigh too much in a few files to compare them with many.
  const isEnough = files >= best.files
  return [
    [
      `  ${first.label}`,
      `${count(calls)} for ${count(files)} files`,
      isEnough ? each(calls, files) : '',
    ],
    ...(isEnough
      ? [
          [
            `  ${best.name}, for comparison`,
            `${count(best.calls)} for ${count(best.files)} small files`,
            each(best.calls, best.files),
          ],
        ]
      : []),
    ...later.map((act) => [`  ${act.label}`, count(callsOf(act))]),
  ]
}

function tellProof(
  screen: Screen,
  { files, proven, folders, provenFolders, accounted, kept, wrong }: Comparison,
  others: number,
  count: (value: number) => string,
): void {
  const right = wrong.length === 0
  const tell = right ? screen.good : screen.bad
  tell(
    `${right ? 'Proven' : 'Not proven'}: ${count(proven)} of ${count(files)} files and ${count(provenFolders)} of ${count(folders)} folders. Content (SHA-256), size, date and place were compared by this demo, which looked into both clouds behind Waybill's back.`,
  )
  if (accounted.length > 0)
    screen.good(`${count(accounted.length)} items nobody can copy, each with the right reason.`)
  if (kept > 0)
    screen.good(
      `${count(kept)} ${kept === 1 ? 'copy' : 'copies'} of what has left the Drive: still there, as nobody said to delete anything.`,
    )
  if (others > 0 && right) screen.good('What lay in the Dropbox before is as it was.')
  for (const { path, what } of wrong.slice(0, mostWrong)) screen.bad(`${printable(path)}: ${what}`)
  if (wrong.length > mostWrong) screen.bad(`and ${count(wrong.length - mostWrong)} more`)
}

/** A name as one line of few characters: its beginning and its end. */
function shortened(name: string): string {
  const line = printable(name.normalize('NFC').replaceAll('\n', '↵'))
  return line.length <= longestName ? line : `${line.slice(0, 16)}…${line.slice(-13)}`
}
