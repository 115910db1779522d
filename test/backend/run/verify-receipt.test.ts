import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { createTree } from '../../../backend/records/merkle-tree.ts'
import { verifyReceipt } from '../../../backend/run/verify-receipt.ts'
import { hasCode } from '../../../shared/errors.ts'
import type { ReceiptLine } from '../../../shared/receipt.ts'
import { seededRandom } from '../../clouds/random.ts'

const outcomes = ['copied', 'renamed', 'moved', 'removed', 'skipped', 'failed'] as const

function lineOf(index: number): ReceiptLine {
  const outcome = outcomes[index % outcomes.length] ?? 'copied'
  const carried = outcome === 'copied' || outcome === 'renamed' || outcome === 'moved'
  return {
    source: {
      id: `id-${index}`,
      path: ['Taxes', `secret-${index}.txt`],
      kind: 'file',
      version: '1',
      modifiedAt: '2026-01-01T00:00:00.000Z',
      hashes: { md5: index.toString(16).padStart(32, '0') },
    },
    outcome,
    destination: carried
      ? { path: `/Backups/${index}`, id: `id:${index}`, version: 'r', bytes: index, hashes: {} }
      : null,
    proof: outcome === 'copied' ? 'both-checksums' : null,
    reason: outcome === 'skipped' || outcome === 'failed' ? 'download_forbidden' : null,
    notes: [],
    at: '2026-01-02T00:00:00.000Z',
  }
}

function receiptOf(lines: readonly ReceiptLine[], change: object = {}): string[] {
  const texts = lines.map((line) => JSON.stringify(line))
  const tree = createTree()
  for (const text of texts) tree.add(text)
  const count = (outcome: string): number => lines.filter((each) => each.outcome === outcome).length
  const copied = lines.filter((line) => line.outcome === 'copied')
  const summary = {
    job: 'job-1',
    run: 1,
    lines: lines.length,
    ...Object.fromEntries(outcomes.map((outcome) => [outcome, count(outcome)])),
    bytes: copied.reduce((sum, line) => sum + (line.destination?.bytes ?? 0), 0),
    unchanged: 0,
    since: null,
    root: tree.root(),
    ...change,
  }
  return [...texts, JSON.stringify({ summary })]
}

const linesOf = (count: number): ReceiptLine[] =>
  Array.from({ length: count }, (_, index) => lineOf(index))

/** Why a receipt is refused; null if it is not. */
async function refusal(receipt: Iterable<string>, root?: string): Promise<string | null> {
  try {
    await verifyReceipt(receipt, root)
    return null
  } catch (error) {
    if (!hasCode(error, 'receipt_invalid')) throw error
    return error.message
  }
}

describe('a receipt', () => {
  it('is verified, and says what was proved how', async () => {
    const { summary, proofs } = await verifyReceipt(receiptOf(linesOf(12)))
    expect(summary).toMatchObject({ lines: 12, copied: 2, failed: 2, bytes: 6 })
    expect(proofs).toEqual({ 'both-checksums': 2 })
  })

  it('may have no lines but its summary', async () => {
    await expect(verifyReceipt(receiptOf([]))).resolves.toMatchObject({ summary: { lines: 0 } })
  })

  it('is read line by line from a stream', async () => {
    async function* lines(): AsyncGenerator<string> {
      for (const line of receiptOf(linesOf(3))) yield await Promise.resolve(line)
    }
    await expect(verifyReceipt(lines())).resolves.toMatchObject({ summary: { lines: 3 } })
  })

  it('is refused after any one change to its lines, from 1 to 200 lines', async () => {
    const random = seededRandom('tampering')
    for (let count = 1; count <= 200; count += 1) {
      const good = receiptOf(linesOf(count))
      const at = Math.floor(random() * count)
      const other = (at + 1 + Math.floor(random() * count)) % good.length
      const swapped = [...good]
      const [one = '', two = ''] = [good[at], good[other]]
      swapped[at] = two
      swapped[other] = one
      const tampered = {
        deleted: good.toSpliced(at, 1),
        inserted: good.toSpliced(at, 0, JSON.stringify(lineOf(count + 1))),
        repeated: good.toSpliced(at, 0, one),
        edited: good.with(at, one.replace('Taxes', 'Texas')),
        respaced: good.with(at, `${one} `),
        cut: good.slice(0, at + 1),
        'cut and closed': [...good.slice(0, at), good.at(-1) ?? ''],
        appended: [...good, JSON.stringify(lineOf(count + 1))],
        ...(at === other ? {} : { swapped }),
      }
      for (const [how, receipt] of Object.entries(tampered))
        expect([count, how, await refusal(receipt)]).toEqual([count, how, expect.any(String)])
    }
  })

  it('is refused after any one character of its lines was changed', async () => {
    const good = receiptOf(linesOf(6))
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.string({ maxLength: 2 }), async (line, at, put) => {
        const number = line % (good.length - 1)
        const text = good[number] ?? ''
        const where = at % text.length
        const changed = `${text.slice(0, where)}${put}${text.slice(where + 1)}`
        fc.pre(changed !== text)
        expect(await refusal(good.with(number, changed))).not.toBeNull()
      }),
      { numRuns: 300 },
    )
  })

  it.each(['lines', 'copied', 'renamed', 'moved', 'removed', 'skipped', 'failed', 'bytes'])(
    'is refused if its summary counts other %s',
    async (name) => {
      const reason = await refusal(receiptOf(linesOf(6), { [name]: 77 }))
      expect(reason).toContain(name)
      expect(reason).toContain('77')
    },
  )

  it('is refused if it is consistent but not the one known from elsewhere', async () => {
    const forged = receiptOf([lineOf(0), { ...lineOf(1), notes: ['forged'] }])
    const root = (await verifyReceipt(receiptOf(linesOf(2)))).summary.root
    await expect(verifyReceipt(forged)).resolves.toBeDefined()
    expect(await refusal(forged, root)).not.toBeNull()
  })

  it('is refused if it is empty, has no summary, or more than one', async () => {
    const good = receiptOf(linesOf(2))
    expect(await refusal([])).not.toBeNull()
    expect(await refusal(good.slice(0, -1))).not.toBeNull()
    expect(await refusal([...good, good.at(-1) ?? ''])).not.toBeNull()
  })

  it('is refused if a line does not say where a copy is, or why there is none', async () => {
    expect(await refusal(receiptOf([{ ...lineOf(0), destination: null }]))).not.toBeNull()
    expect(await refusal(receiptOf([{ ...lineOf(4), reason: null }]))).not.toBeNull()
  })

  it('is refused with the number of the line, and without any name in the message', async () => {
    const good = receiptOf(linesOf(6))
    const damaged = (good[2] ?? '').replace('"moved"', '"stolen"')
    const reason = await refusal(good.with(2, damaged))
    expect(reason).toContain('Line 3')
    for (const receipt of [good.with(2, damaged), good.with(2, '{"secret'), good.toSpliced(1, 1)])
      expect(await refusal(receipt)).toMatch(/^(?!.*(?:secret|Taxes|stolen)).+$/)
  })
})
