import { styleText } from 'node:util'
import type { WriteStream } from 'node:tty'
import { table } from '../../backend/cli/table.ts'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'cyan'

/** Where the demo tells its story. On anything but a terminal it is plain lines; `NO_COLOR` takes the colours away. */
export interface Screen {
  title(text: string): void
  /** Begins the next step. */
  step(text: string): void
  /** Lines of the story, broken where they are too long. */
  say(...lines: readonly string[]): void
  /** Rows whose columns are in line. Only the last may hold characters of other widths than one. */
  rows(rows: readonly (readonly string[])[]): void
  /** A command as somebody would type it. */
  command(text: string): void
  good(text: string): void
  bad(text: string): void
  /** Undoes what a progress display that was killed has left behind. */
  repair(): void
}

const margin = 3
const widest = 100
const narrowest = 40

/** @returns a screen on `stream`, usually standard output. */
export function createScreen(stream: WriteStream): Screen {
  // Some terminals say that they have no columns.
  const columns = stream.columns > 0 ? stream.columns : widest
  const width = Math.max(narrowest, Math.min(columns, widest) - margin)
  let steps = 0
  // Colours only where Node would use them: `styleText` knows NO_COLOR, FORCE_COLOR and what is no terminal.
  const paint = (style: Style, text: string): string => styleText(style, text, { stream })
  const put = (lines: readonly string[]): void =>
    void stream.write(lines.map((line) => `${' '.repeat(margin)}${line}`.trimEnd() + '\n').join(''))
  const marked = (mark: string, text: string): void => {
    const [first = '', ...rest] = broken(`  ${text}`, width)
    put([`${mark} ${first.trimStart()}`, ...rest])
  }
  return {
    title: (text) => void stream.write(`\n${paint('bold', text)}\n`),
    step: (text) => {
      steps += 1
      stream.write(`\n${paint('cyan', String(steps))}  ${paint('bold', text)}\n`)
    },
    say: (...lines) => put(lines.flatMap((line) => broken(line, width))),
    rows: (rows) => put(table(rows)),
    command: (text) => put([paint('dim', `$ ${text}`)]),
    good: (text) => marked(paint('green', '✓'), text),
    bad: (text) => marked(paint('red', '✗'), text),
    // Line wrapping on, cursor visible (DECAWM and DECTCEM).
    repair: () => void (stream.isTTY && stream.write('\r\u001b[K\u001b[?7h\u001b[?25h')),
  }
}

/** @returns a screen that shows nothing. */
export function createBlankScreen(): Screen {
  const nothing = (): void => undefined
  return {
    title: nothing,
    step: nothing,
    say: nothing,
    rows: nothing,
    command: nothing,
    good: nothing,
    bad: nothing,
    repair: nothing,
  }
}

/** Breaks a line between words; what follows is indented like its beginning. */
function broken(line: string, width: number): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? ''
  const lines: string[] = []
  let at = ''
  for (const word of line.slice(indent.length).split(' ')) {
    if (at !== '' && indent.length + at.length + 1 + word.length > width) {
      lines.push(indent + at)
      at = word
    } else at = at === '' ? word : `${at} ${word}`
  }
  return [...lines, indent + at]
}
