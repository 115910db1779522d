import { describe, expect, it } from '@jest/globals'
import { errorCodes } from '../../../shared/errors.ts'
import { explain } from '../../../shared/words.ts'

// Words of ours that nobody else knows.
const jargon =
  /\b(?:tenant|ledger|manifest|checkpoint|lease|slice|fence|envelope|DEK|KEK|AAD|cursor|token|checksum|hash|payload|null)\b/i

describe.each(errorCodes)('the words for %s', (code) => {
  const { what, advice } = explain(code)

  it('say what happened and what to do, in short whole sentences', () => {
    for (const text of [what, advice]) {
      expect(text).toMatch(/^[A-Z].*\.$/)
      expect(text.length).toBeLessThan(160)
    }
  })

  it('are words that people know', () => {
    expect(`${what} ${advice}`).not.toMatch(jargon)
  })
})

describe.each(['key_unavailable', 'envelope_refused'] as const)('the words for %s', (code) => {
  const { what, advice } = explain(code)

  it('say that nothing of theirs is lost, and what those who run Waybill should look at', () => {
    expect(what).toMatch(/Nothing is lost\.$|Your files are as they were\.$/)
    expect(advice).toMatch(/Whoever runs Waybill should check .*(?:wallet|keys)/)
  })

  it('say what the person may expect, or can do', () => {
    expect(advice).toMatch(/Jobs go on by themselves|connect again and begin a new job/)
  })
})
