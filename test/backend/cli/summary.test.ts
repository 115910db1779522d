import { describe, expect, it } from '@jest/globals'
import { summarize, tallyReceipt } from '../../../backend/cli/summary.ts'
import { newRun, progressOf } from '../../../backend/records/runs.ts'
import type { JobView } from '../../../backend/run/jobs.ts'
import type { ErrorCode } from '../../../shared/errors.ts'
import { noTotals } from '../../../shared/job.ts'
import type { RunProgress } from '../../../shared/job.ts'
import type { Outcome, ReceiptLine } from '../../../shared/receipt.ts'

function jobWith(run: Partial<RunProgress>): JobView {
  return {
    id: 'job',
    createdAt: '2026-11-20T10:00:00.000Z',
    request: {
      kind: 'copy',
      source: { connection: 'a', selection: { kind: 'drive', sharedDrives: false } },
      destination: { connection: 'b', folder: '/Copies' },
    },
    nextRunAt: null,
    run: {
      ...progressOf(newRun('ann', 'job', 1, Date.parse('2026-11-20T10:00:00.000Z'))),
      state: 'done',
      phase: 'close',
      endedAt: '2026-11-20T10:01:40.000Z',
      ...run,
    },
  }
}

function line(name: string, outcome: Outcome, reason: ErrorCode | null): string {
  const value: ReceiptLine = {
    source: {
      id: name,
      path: ['My Drive', name],
      kind: 'file',
      version: '1',
      modifiedAt: '2026-11-20T10:00:00.000Z',
      hashes: {},
    },
    outcome,
    destination: null,
    proof: outcome === 'copied' ? 'both-checksums' : null,
    reason,
    notes: outcome === 'copied' ? ['Exported as .docx'] : [],
    at: '2026-11-20T10:00:00.000Z',
  }
  return JSON.stringify(value)
}

describe('the summary of a run', () => {
  it('tells counts, bytes and rate, what was left out and why, and where the receipt is', async () => {
    const job = jobWith({
      unchanged: 1200,
      totals: { ...noTotals, copied: 2, moved: 1, skipped: 4, failed: 1, bytes: 250_000_000 },
    })
    const tally = await tallyReceipt([
      line('a', 'copied', null),
      line('b', 'copied', null),
      ...['c', 'd', 'e', 'f'].map((name) => line(name, 'skipped', 'download_forbidden')),
      line('g', 'failed', 'keeps_changing'),
    ])
    expect(summarize(job, { locale: 'en', tally })).toEqual([
      'Done, but 1 item could not be copied. 2 copied to /Copies.',
      '250 MB in 1 min 40 sec, 2.5 MB/s.',
      'Also 1 moved, 1,200 unchanged since the last run.',
      '',
      'Not copied: 1',
      '  1 × Edited again and again while it was being copied. Copy again when nobody is working on it.',
      '      My Drive/g (keeps_changing)',
      '',
      'Left out: 4',
      '  4 × The owner does not allow downloads. Ask the owner to allow them, then copy again.',
      '      My Drive/c, My Drive/d, My Drive/e and 1 more (download_forbidden)',
      '',
      'How the copies were checked:',
      '  2 files match the fingerprints that both clouds keep of them',
      '',
      'Good to know:',
      '  2 × Exported as .docx',
      '',
      'Receipt: waybill receipt show job --run 1',
    ])
  })

  it('gives the rate of the part that it saw, where a run was stopped in between', () => {
    const job = jobWith({ totals: { ...noTotals, copied: 2, bytes: 250_000_000 } })
    const worked = { ms: 10_000, bytes: 50_000_000 }
    expect(summarize(job, { locale: 'en', worked })).toContain(
      '250 MB in all; 50 MB of it now, in 10 sec, 5 MB/s.',
    )
  })

  it.each([
    [{ state: 'done' }, 'Done: /Copies was up to date already.'],
    [{ state: 'cancelled' }, 'Cancelled. 0 items had been copied to /Copies and stay there.'],
    [
      { state: 'failed', reason: 'source_missing' },
      'Stopped: What should be copied is not there, or not shared with the account. Check the folder or file, then begin a new job. (source_missing)',
    ],
    [{ state: 'paused' }, 'Paused: somebody asked for it.'],
  ] as const)('begins with how a run ended: %j', (run, words) => {
    expect(summarize(jobWith(run), { locale: 'en' })[0]).toBe(words)
  })

  it('shows no character of a name that could steer the terminal', async () => {
    const tally = await tallyReceipt([line('\u001B[2Jevil\u202Etxt.exe\nDone', 'skipped', 'gone')])
    expect(tally.notCarried[0]?.examples).toEqual(['My Drive/evil�txt.exe�Done'])
  })
})
