import { describe, expect, it } from '@jest/globals'
import { Readable } from 'node:stream'
import { linesOf } from '../../../backend/cli/lines.ts'

async function cut(...chunks: readonly Buffer[]): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of linesOf(Readable.from(chunks))) lines.push(line)
  return lines
}

describe('the lines of a file', () => {
  it('end at line feeds and nowhere else', async () => {
    const text = 'a\u2028b\u2029c\rd\n\u0085e\n'
    expect(await cut(Buffer.from(text))).toEqual(['a\u2028b\u2029c\rd', '\u0085e'])
  })

  it('are the same wherever the chunks are cut', async () => {
    const bytes = Buffer.from('größer\n\n𝒳 last')
    for (let at = 0; at <= bytes.length; at++)
      // oxlint-disable-next-line no-await-in-loop
      expect(await cut(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['größer', '', '𝒳 last'])
  })

  it.each([
    ['in the middle', Buffer.from([0x61, 0xff, 0x0a])],
    ['at the end', Buffer.from([0x61, 0xf0, 0x9d])],
  ])('are refused when bytes %s are not UTF-8', async (_where, bytes) => {
    await expect(cut(bytes)).rejects.toMatchObject({ code: 'receipt_invalid' })
  })
})
