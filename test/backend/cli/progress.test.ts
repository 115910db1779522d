import { describe, expect, it } from '@jest/globals'
import { Writable } from 'node:stream'
import { createProgressDisplay } from '../../../backend/cli/progress.ts'
import { newRun, progressOf } from '../../../backend/records/runs.ts'
import { noTotals } from '../../../shared/job.ts'
import type { RunProgress } from '../../../shared/job.ts'

const scanning: RunProgress = {
  ...progressOf(newRun('ann', 'job', 1, Date.parse('2026-11-20T10:00:00.000Z'))),
  state: 'running',
  scanned: 1234,
}

const copied = (items: number, bytes: number): RunProgress => ({
  ...scanning,
  phase: 'copy',
  plannedItems: 100,
  plannedBytes: 100_000_000,
  sentBytes: bytes,
  totals: { ...noTotals, copied: items, bytes },
})

class Paper extends Writable {
  text = ''
  isTTY = false
  columns = 100

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

function start(options: { readonly isTerminal?: boolean; readonly locale?: string } = {}) {
  const { isTerminal = false, locale = 'en' } = options
  let now = Date.parse('2026-11-20T10:00:00.000Z')
  const paper = new Paper()
  paper.isTTY = isTerminal
  const display = createProgressDisplay({ stream: paper, isTerminal, locale, clock: () => now })
  return {
    paper,
    display,
    lines: () => paper.text.split('\n').slice(0, -1),
    /** @param seconds since the update before */
    after: (seconds: number, run: RunProgress) => {
      now += seconds * 1000
      display.update(run)
    },
  }
}

describe('progress in lines', () => {
  it('counts while it looks through the files, then tells how far it is, how fast, and how long', () => {
    const { after, lines } = start()
    after(0, scanning)
    after(5, copied(0, 0))
    after(10, copied(50, 50_000_000))
    expect(lines()).toEqual([
      'Looking through your files: 1,234 found',
      '0%, 0 of 100 items, 0 bytes of 100 MB',
      '50%, 50 of 100 items, 50 MB of 100 MB, 3.3 MB/s, 15 sec left',
    ])
  })

  it('comes at most every two seconds, except when something new begins', () => {
    const { after, lines } = start()
    for (let step = 0; step < 10; step++) after(0.5, { ...scanning, scanned: step })
    after(0.1, copied(0, 0))
    expect(lines()).toEqual([
      'Looking through your files: 0 found',
      'Looking through your files: 4 found',
      'Looking through your files: 8 found',
      '0%, 0 of 100 items, 0 bytes of 100 MB',
    ])
  })

  it('comes less often in a long run, and never says the same twice', () => {
    const { after, lines } = start()
    after(0, copied(0, 0))
    after(3600, copied(1, 1000))
    for (let item = 2; item < 60; item++) after(2, copied(item, item * 1000))
    expect(lines()).toHaveLength(4 - 1)
    after(600, copied(59, 59_000))
    after(600, copied(59, 59_000))
    expect(new Set(lines()).size).toBe(lines().length)
  })

  it('says until when it waits, and why', () => {
    const { after, lines } = start()
    after(0, { ...copied(1, 1), reason: 'rate_limited', resumesAt: '2026-11-20T10:02:00.000Z' })
    expect(lines()).toEqual([
      expect.stringMatching(/^Waiting until .+: The cloud asked Waybill to slow down\.$/),
    ])
  })

  it('writes numbers as the person does', () => {
    const { after, lines } = start({ locale: 'de' })
    after(0, scanning)
    after(0, copied(0, 1_500_000))
    expect(lines()).toEqual([
      'Looking through your files: 1.234 found',
      expect.stringContaining('1,5 MB of 100 MB'),
    ])
  })

  it('does not say 100 % before everything is done', () => {
    const { after, lines } = start()
    after(0, copied(99, 99_999_999))
    expect(lines()).toEqual([expect.stringMatching(/^99%/)])
  })

  it('does not guess from the folders it made how long the bytes will take', () => {
    const { after, lines } = start()
    after(0, copied(0, 0))
    after(10, copied(2, 0))
    expect(lines().at(-1)).toBe('0%, 2 of 100 items, 0 bytes of 100 MB')
  })
})

describe('progress on a terminal', () => {
  it('draws a bar in one line and takes it away at the end', () => {
    const { after, paper, display } = start({ isTerminal: true })
    after(0, copied(50, 50_000_000))
    display.end()
    expect(paper.text).toContain('███████████████░░░░░░░░░░░░░░░  50%, 50 of 100 items')
    expect(paper.text).not.toContain('\n')
    // Clears the line (ECMA-48 §8.3.41), and lets long lines wrap again.
    expect(paper.text).toContain('\u001B[2K')
    expect(paper.text).toContain('\u001B[?7h')
  })

  it('leaves the bar out where there is no room for it', () => {
    const { after, paper, display } = start({ isTerminal: true })
    paper.columns = 44
    after(0, copied(50, 50_000_000))
    display.end()
    expect(paper.text).toContain('50%, 50 of 100 items')
    expect(paper.text).not.toContain('█')
  })
})
