import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { NameRules } from '../../../backend/clouds/cloud.ts'
import { dropboxNames } from '../../../backend/clouds/dropbox/names.ts'
import { comparableName, exportName, legalName, siblingName } from '../../../backend/plan/names.ts'

// As strict as names get: https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa
const strict: NameRules = {
  forbidden: '"*:<>?/\\|',
  forbiddenAtEnd: ' .',
  reserved: ['con', 'prn', 'aux', 'nul', 'com1', 'lpt1', '.lock', 'desktop.ini'],
  longest: 60,
  foldsCase: true,
  composes: false,
}
const lax: NameRules = {
  forbidden: '/',
  forbiddenAtEnd: '',
  reserved: [],
  longest: 1024,
  foldsCase: false,
  composes: false,
}
const allRules = [dropboxNames, strict, lax]

const rulesGiven = fc.constantFrom(...allRules)
const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
  .map((codes) => String.fromCharCode(...codes))
const nasty = fc.constantFrom(
  '',
  '.',
  '..',
  ' ',
  'a ',
  'a.',
  'CON',
  'nul',
  'Desktop.ini',
  'Icon\r',
  '.DS_Store',
  '\u0000',
  'a/b',
  'a\\b:c*?',
  'e\u0301',
  '\u00e9',
  '\u212a',
  '\u037e',
  '<\u0338',
  '\ud83d',
  '\udc68x',
  '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}'.repeat(40),
  `${'x'.repeat(300)}.tar.gz`,
  `a${'\u0301'.repeat(300)}`,
  `.${'x'.repeat(300)}`,
  `${'\u{1F600}'.repeat(200)}.jpeg`,
)
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  units,
  nasty,
  fc.tuple(nasty, fc.string({ unit: 'grapheme', maxLength: 20 })).map((parts) => parts.join('')),
)

/** Whether the rules, read word for word, accept a name. */
function isLegal(name: string, rules: NameRules): boolean {
  return (
    name.isWellFormed() &&
    name.length > 0 &&
    name.length <= rules.longest &&
    name !== '.' &&
    name !== '..' &&
    !Array.from(name).some((each) => rules.forbidden.includes(each) || /\p{Cc}/u.test(each)) &&
    !rules.forbiddenAtEnd.includes(name.at(-1) ?? '') &&
    !rules.reserved.includes(name.toLowerCase()) &&
    (!rules.composes || name === name.normalize('NFC'))
  )
}

const runs = { numRuns: 2_000 }

describe('a legal name', () => {
  it('is legal, whatever the name', () => {
    fc.assert(
      fc.property(anyName, rulesGiven, (name, rules) => {
        expect(isLegal(legalName(name, rules), rules)).toBe(true)
      }),
      runs,
    )
  })

  it('is its own legal name', () => {
    fc.assert(
      fc.property(anyName, rulesGiven, (name, rules) => {
        const once = legalName(name, rules)
        expect(legalName(once, rules)).toBe(once)
      }),
      runs,
    )
  })

  it('is the name itself where that is legal', () => {
    fc.assert(
      fc.property(anyName, rulesGiven, (name, rules) => {
        fc.pre(isLegal(name, rules))
        expect(legalName(name, rules)).toBe(name)
      }),
      runs,
    )
  })

  it.each([
    ['a/b\\c', 'a\u{FF0F}b\u{FF3C}c'],
    ['tab\there', 'tab\u{2409}here'],
    ['delete\u007f', 'delete\u{2421}'],
    ['next\u0085line', 'next\u{FFFD}line'],
    ['half \ud83d', 'half \u{FFFD}'],
    ['ends with a dot.', 'ends with a dot\u{FF0E}'],
    ['ends with spaces  ', 'ends with spaces \u{2420}'],
    ['', '_'],
    ['.', '\u{FF0E}'],
    ['..', '\u{FF0E}\u{FF0E}'],
    ['Desktop.ini', 'Desktop_.ini'],
    ['.DS_Store', '.DS_Store_'],
    ['Icon\r', 'Icon\u{240D}'],
    ['Cafe\u0301', 'Caf\u00e9'],
  ])('of %j is %j at Dropbox', (name, legal) => {
    expect(legalName(name, dropboxNames)).toBe(legal)
  })

  it('keeps the extension of a name too long, and tells two such names apart', () => {
    const [one, two] = ['1', '2'].map((end) => legalName(`${'x'.repeat(300)}${end}.tar.gz`, strict))
    expect(one).toMatch(/^x{44}~[0-9a-z]{8}\.tar\.gz$/)
    expect(two).not.toBe(one)
  })

  it('cuts no family in two', () => {
    const family = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}'
    const cut = legalName(`${family.repeat(40)}.jpg`, strict).split('~')[0] ?? ''
    expect(cut).toBe(family.repeat(5))
  })
})

describe('a legal name where rules are odd', () => {
  it('takes no look-alike that is forbidden too', () => {
    expect(legalName('a/b', { ...lax, forbidden: '/\u{FF0F}' })).toBe('a\u{FFFD}b')
  })

  it('shows the beginning even of one endless grapheme', () => {
    expect(legalName(`a${'\u0301'.repeat(300)}`, strict)).toMatch(/^a\u0301{50}~[0-9a-z]{8}$/)
  })
})

describe('a sibling name', () => {
  it('is legal, and its own legal name', () => {
    fc.assert(
      fc.property(anyName, fc.string(), rulesGiven, (name, id, rules) => {
        const sibling = siblingName(name, id, rules)
        expect(isLegal(sibling, rules)).toBe(true)
        expect(legalName(sibling, rules)).toBe(sibling)
      }),
      runs,
    )
  })

  it('differs from the plain name, and from id to id', () => {
    fc.assert(
      fc.property(anyName, fc.string(), fc.string(), rulesGiven, (name, a, b, rules) => {
        fc.pre(a !== b)
        const comparable = (other: string): string => comparableName(other, rules)
        const one = comparable(siblingName(name, a, rules))
        expect(one).not.toBe(comparable(siblingName(name, b, rules)))
        expect(one).not.toBe(comparable(legalName(name, rules)))
      }),
      runs,
    )
  })

  it('stays the same for ever', () => {
    expect(siblingName('Report.pdf', '1a2B3c', dropboxNames)).toBe('Report (~kesshub8).pdf')
    expect(siblingName('.profile', '1a2B3c', dropboxNames)).toBe('.profile (~kesshub8)')
  })

  it('has room for its suffix in the longest name', () => {
    const sibling = siblingName(`${'x'.repeat(56)}.pdf`, '1a2B3c', strict)
    expect(sibling).toBe(`${'x'.repeat(44)} (~kesshub8).pdf`)
  })
})

describe('comparable names', () => {
  it('are equal for a name composed and decomposed', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const legal = legalName(name, dropboxNames)
        expect(comparableName(legal.normalize('NFD'), dropboxNames)).toBe(
          comparableName(legal, dropboxNames),
        )
      }),
      runs,
    )
  })

  it('are equal for a name in upper and lower case', () => {
    const letters = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(
      fc.property(letters, (name) => {
        const comparable = comparableName(name, dropboxNames)
        expect(comparableName(name.toLowerCase(), dropboxNames)).toBe(comparable)
        expect(comparableName(name.toUpperCase(), dropboxNames)).toBe(comparable)
      }),
      runs,
    )
  })

  it.each([
    ['README', 'readme'],
    ['STRASSE', 'straße'],
    ['straẞe', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['\u212A', 'k'],
    ['\u{10400}', '\u{10428}'],
    ['E\u0301', '\u00e9'],
  ])('of %j and %j are equal', (one, other) => {
    expect(comparableName(one, dropboxNames)).toBe(comparableName(other, dropboxNames))
  })

  it('are not equal for different names', () => {
    for (const [one, other] of [
      ['a', 'b'],
      ['e', '\u00e9'],
      ['1', '\u{FF11}'],
    ] as const)
      expect(comparableName(one, dropboxNames)).not.toBe(comparableName(other, dropboxNames))
  })

  it('are the names where the destination tells all apart', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(comparableName(name, lax)).toBe(name)
      }),
      runs,
    )
  })
})

describe('an exported document', () => {
  it('has the extension, once', () => {
    expect(exportName('Plan', 'docx')).toBe('Plan.docx')
    expect(exportName('Plan v1.2', 'docx')).toBe('Plan v1.2.docx')
    expect(exportName('Plan.DOCX', 'docx')).toBe('Plan.DOCX')
    expect(exportName('docx', 'docx')).toBe('docx.docx')
  })
})
