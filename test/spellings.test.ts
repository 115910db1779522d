import { describe, expect, it } from '@jest/globals'
import { leaksIn, spellingsOf } from './spellings.ts'

const secret = 'Geheime "Pläne" 7/2.txt'
const around = (text: string) => `some ${text} more`
const json = JSON.stringify(secret).slice(1, -1)

describe('what looks for secrets', () => {
  it.each<readonly [string, Buffer]>([
    ['raw', Buffer.from(around(secret))],
    ['hex', Buffer.from(Buffer.from(around(secret)).toString('hex'))],
    ['hex', Buffer.from(Buffer.from(around(secret)).toString('hex').toUpperCase())],
    ['url', Buffer.from(encodeURIComponent(around(secret)))],
    ['json', Buffer.from(around(json))],
    ['json', Buffer.from(around(json.replace('ä', '\\u00e4')))],
    ['utf-16', Buffer.from(around(secret), 'utf16le')],
    ['utf-16', Buffer.from(around(secret), 'utf16le').swap16()],
  ])('finds it as %s', (name, bytes) => {
    expect(leaksIn(bytes, ['another', secret])).toEqual([`${secret} (${name})`])
  })

  it.each(['base64', 'base64url'] as const)('finds it in %s, wherever it begins', (name) => {
    for (const before of ['', '.', '..', '...', '....'])
      for (const after of ['', '.', '..']) {
        const bytes = Buffer.from(Buffer.from(`${before}${secret}${after}`).toString(name))
        expect(leaksIn(bytes, [secret])).toContain(`${secret} (${name})`)
      }
  })

  it('knows seven encodings, and finds nothing where there is none', () => {
    expect(new Set(spellingsOf(secret).map(({ name }) => name)).size).toBe(7)
    expect(leaksIn(Buffer.from('Geheime Pläne'), [secret])).toEqual([])
  })
})
